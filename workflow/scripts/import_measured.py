"""Make the error tables of published files of measured accuracies."""

from apr.basics.causes import reading
from apr.basics.logs import log_to
from apr.comparisons.table import write_csv
from apr.scores.measured import read_measured

with log_to(snakemake.log[0]) as log:
    files = zip(snakemake.input.measured, snakemake.params.images, snakemake.output, strict=True)
    for source, images, path in files:
        with reading(source):
            table = read_measured(source, images)
        write_csv(path, table)
        log.info("%s: %d models", path, len(table))
