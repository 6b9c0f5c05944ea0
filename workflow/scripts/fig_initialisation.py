"""Draw errors with the last BatchNorm of each block started at 1 and at 0, against depth and the reference's error."""

from apr.basics.logs import log_to
from apr.comparisons.shape import read_shape
from apr.figures.ranks.initialisation import draw_initialisation
from apr.figures.style import save_drawing
from apr.scores.frames import read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    scores, shape = read_values(snakemake.input.scores), read_shape(snakemake.input.population)
    drawing = draw_initialisation(
        scores,
        shape,
        params.reference,
        params.pairs,
        params.zero,
        params.titles,
        **params.bootstrap,
        counts=read_counts(snakemake.input.scores),
    )
    save_drawing(drawing, **snakemake.output)
