"""Draw selection regret against the number of models tried."""

from apr.basics.logs import log_to
from apr.figures.ranks.regret import draw_selection_regret
from apr.figures.style import save_drawing
from apr.scores.frames import read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    scores = read_values(snakemake.input.scores)
    drawing = draw_selection_regret(
        scores,
        params.reference,
        params.targets,
        params.closest,
        params.titles,
        **params.bootstrap,
        counts=read_counts(snakemake.input.scores),
    )
    save_drawing(drawing, **snakemake.output)
