"""Gather the evaluations of one test set into its error table."""

from apr.basics.files import read_json
from apr.basics.logs import log_to
from apr.comparisons.table import write_csv
from apr.scores.collected import evaluation_table

with log_to(snakemake.log[0]) as log:
    files = snakemake.input
    table = evaluation_table(snakemake.params.models, files.runs, read_json(files.view))
    write_csv(snakemake.output[0], table)
    log.info("%d models", len(table))
