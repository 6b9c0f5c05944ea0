"""Make the score tables of published files of measured accuracies."""

from apr.basics.causes import reading
from apr.basics.logs import log_to
from apr.scores.measured import read_measured
from apr.scores.table import write_scores

with log_to(snakemake.log[0]) as log:
    params = snakemake.params
    files = zip(snakemake.input.measured, params.images, params.metrics.values(), snakemake.output, strict=True)
    for source, images, metric, path in files:
        with reading(source):
            rows = read_measured(source, images, metric)
        write_scores(path, rows)
        log.info("%s: %d models", path, len(rows))
