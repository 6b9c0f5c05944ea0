"""Draw errors with the last BatchNorm of each block started at 1 and at 0, against depth and the reference's error."""

from apr.basics.logs import log_to
from apr.comparisons.testsets import read_counts
from apr.figures.ranks.initialisation import draw_initialisation
from apr.figures.style import save_drawing
from apr.scores.table import read_reported, read_shape

with log_to(snakemake.log[0]):
    params = snakemake.params
    reported, shape = read_reported(snakemake.input.errors), read_shape(snakemake.input.population)
    drawing = draw_initialisation(
        reported,
        shape,
        params.reference,
        params.pairs,
        params.zero,
        params.titles,
        **params.bootstrap,
        counts=read_counts(snakemake.input.errors),
    )
    save_drawing(drawing, **snakemake.output)
