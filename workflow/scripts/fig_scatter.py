"""Draw one task's error against another's, one panel for each pair of tasks."""

from apr.basics.logs import log_to
from apr.figures.ranks.scatter import draw_scatter
from apr.figures.style import save_drawing
from apr.scores.frames import read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    scores = read_values(snakemake.input.scores)
    drawing = draw_scatter(
        scores,
        **params.scatter,
        highlight=params.highlight,
        **params.bootstrap,
        counts=read_counts(snakemake.input.scores),
    )
    save_drawing(drawing, **snakemake.output)
