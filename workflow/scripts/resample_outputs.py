"""Score the runs of one task that count on resampled test images."""

from apr.basics.files import read_json
from apr.basics.logs import log_to
from apr.scores.resampled import resample, write_resampled

with log_to(snakemake.log[0]) as log:
    files = snakemake.input
    found = resample(files.scores, files.runs, files.outputs, read_json(files.view), **snakemake.params.bootstrap)
    write_resampled(snakemake.output[0], found)
    log.info("%d runs on %d images (%d groups)", len(found.models), found.images, found.groups)
