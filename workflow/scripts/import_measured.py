"""Make an error table of one published file of measured accuracies."""

from apr.logs import log_to
from apr.measured import read_measured
from apr.tables import write_csv

with log_to(snakemake.log[0]) as log:
    table = read_measured(snakemake.input[0], snakemake.params.images)
    write_csv(snakemake.output[0], table)
    log.info("%d models", len(table))
