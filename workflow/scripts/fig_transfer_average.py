"""Draw the mean of the logits over all datasets against ImageNet accuracy."""

from apr.basics.logs import log_to
from apr.comparisons.transfer.targets import read_transfer
from apr.figures.style import save_drawing
from apr.figures.transfer.average import draw_average

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    transfer = read_transfer(scores=files.scores, resampled=files.resampled, **params.transfer)
    save_drawing(draw_average(transfer), **snakemake.output)
