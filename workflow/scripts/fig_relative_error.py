"""Draw relative errors of several tasks against the error on the reference."""

from apr.basics.logs import log_to
from apr.figures.ranks.relative import draw_relative_error
from apr.figures.style import save_drawing
from apr.scores.frames import read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    scores = read_values(snakemake.input.scores)
    drawing = draw_relative_error(
        scores,
        params.reference,
        params.tasks,
        params.titles,
        **params.bootstrap,
        counts=read_counts(snakemake.input.scores),
    )
    save_drawing(drawing, **snakemake.output)
