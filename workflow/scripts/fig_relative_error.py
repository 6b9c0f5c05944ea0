"""Draw relative errors of several tasks against the error on the reference."""

from apr.basics.logs import log_to
from apr.comparisons.testsets import read_counts
from apr.figures.ranks.relative import draw_relative_error
from apr.figures.style import save_drawing
from apr.scores.table import read_reported

with log_to(snakemake.log[0]):
    params = snakemake.params
    reported = read_reported(snakemake.input.errors)
    drawing = draw_relative_error(
        reported,
        params.reference,
        params.tasks,
        params.titles,
        **params.bootstrap,
        counts=read_counts(snakemake.input.errors),
    )
    save_drawing(drawing, **snakemake.output)
