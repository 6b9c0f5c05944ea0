"""Draw errors from scratch and from pretrained weights against the error on the reference."""

from apr.basics.logs import log_to
from apr.comparisons.testsets import read_counts
from apr.figures.ranks.pretrained import draw_pretrained
from apr.figures.style import save_drawing
from apr.scores.table import read_reported

with log_to(snakemake.log[0]):
    params = snakemake.params
    reported = read_reported(snakemake.input.errors)
    drawing = draw_pretrained(
        reported,
        params.reference,
        params.pairs,
        params.titles,
        **params.bootstrap,
        counts=read_counts(snakemake.input.errors),
    )
    save_drawing(drawing, **snakemake.output)
