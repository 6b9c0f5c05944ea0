"""Draw all pairs of tasks in one matrix."""

from apr.basics.logs import log_to
from apr.comparisons.testsets import read_counts
from apr.figures.ranks.pairs import draw_all_pairs
from apr.figures.style import save_drawing
from apr.scores.table import read_reported

with log_to(snakemake.log[0]):
    params = snakemake.params
    reported = read_reported(snakemake.input.errors)
    drawing = draw_all_pairs(
        reported, params.tasks, params.titles, **params.bootstrap, counts=read_counts(snakemake.input.errors)
    )
    save_drawing(drawing, **snakemake.output)
