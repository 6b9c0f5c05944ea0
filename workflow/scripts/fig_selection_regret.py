"""Draw selection regret against the number of models tried."""

from apr.errors import read_reported
from apr.figures.regret import draw_selection_regret
from apr.figures.style import save_drawing
from apr.logs import log_to
from apr.testsets import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    reported = read_reported(snakemake.input.errors)
    drawing = draw_selection_regret(
        reported,
        params.reference,
        params.targets,
        params.closest,
        params.titles,
        **params.bootstrap,
        counts=read_counts(snakemake.input.errors),
    )
    save_drawing(drawing, **snakemake.output)
