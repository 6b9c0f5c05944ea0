"""Gather the evaluations of one test set into its error table."""

from apr.evaluated import evaluation_table
from apr.files import read_json
from apr.logs import log_to
from apr.tables import write_csv

with log_to(snakemake.log[0]) as log:
    files = snakemake.input
    table = evaluation_table(snakemake.params.models, files.runs, read_json(files.view))
    write_csv(snakemake.output[0], table)
    log.info("%d models", len(table))
