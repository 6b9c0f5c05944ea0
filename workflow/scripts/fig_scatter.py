"""Draw one task's error against another's, one panel for each pair of tasks."""

from apr.basics.logs import log_to
from apr.comparisons.testsets import read_counts
from apr.figures.ranks.scatter import draw_scatter
from apr.figures.style import save_drawing
from apr.scores.table import read_reported

with log_to(snakemake.log[0]):
    params = snakemake.params
    reported = read_reported(snakemake.input.errors)
    drawing = draw_scatter(
        reported,
        **params.scatter,
        highlight=params.highlight,
        **params.bootstrap,
        counts=read_counts(snakemake.input.errors),
    )
    save_drawing(drawing, **snakemake.output)
