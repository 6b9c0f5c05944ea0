"""Draw errors against cumulative depth and cumulative width."""

from apr.basics.logs import log_to
from apr.comparisons.testsets import read_counts
from apr.figures.ranks.shape import draw_error_vs_depth_width
from apr.figures.style import save_drawing
from apr.scores.table import read_reported, read_shape

with log_to(snakemake.log[0]):
    params = snakemake.params
    reported, shape = read_reported(snakemake.input.errors), read_shape(snakemake.input.population)
    drawing = draw_error_vs_depth_width(
        reported, shape, params.tasks, params.titles, **params.bootstrap, counts=read_counts(snakemake.input.errors)
    )
    save_drawing(drawing, **snakemake.output)
