"""Make the error tables of published files of measured accuracies."""

from apr.causes import reading
from apr.logs import log_to
from apr.measured import read_measured
from apr.tables import write_csv

with log_to(snakemake.log[0]) as log:
    files = zip(snakemake.input.measured, snakemake.params.images, snakemake.output, strict=True)
    for source, images, path in files:
        with reading(source):
            table = read_measured(source, images)
        write_csv(path, table)
        log.info("%s: %d models", path, len(table))
