"""Draw best, median and worst cell of the grid, and the cells chosen by validation and by test."""

from pathlib import Path

from apr.basics.logs import log_to
from apr.comparisons.transfer.scores import cells_of
from apr.comparisons.transfer.targets import read_transfer
from apr.figures.style import save_drawing
from apr.figures.transfer.sensitivity import draw_sensitivity

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    transfer = read_transfer(scores=files.scores, resampled=files.resampled, **params.transfer)
    cells = {Path(path).stem: cells_of(path) for path in files.grids}
    save_drawing(draw_sensitivity(transfer, cells), **snakemake.output)
