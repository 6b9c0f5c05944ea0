"""Draw errors against cumulative depth and cumulative width."""

from apr.basics.logs import log_to
from apr.comparisons.shape import read_shape
from apr.figures.ranks.shape import draw_error_vs_depth_width
from apr.figures.style import save_drawing
from apr.scores.frames import read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    scores, shape = read_values(snakemake.input.scores), read_shape(snakemake.input.population)
    drawing = draw_error_vs_depth_width(
        scores, shape, params.tasks, params.titles, **params.bootstrap, counts=read_counts(snakemake.input.scores)
    )
    save_drawing(drawing, **snakemake.output)
