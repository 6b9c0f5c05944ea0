"""Draw all pairs of tasks in one matrix."""

from apr.basics.logs import log_to
from apr.figures.ranks.pairs import draw_all_pairs
from apr.figures.style import save_drawing
from apr.scores.frames import read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    scores = read_values(snakemake.input.scores)
    drawing = draw_all_pairs(
        scores, params.tasks, params.titles, **params.bootstrap, counts=read_counts(snakemake.input.scores)
    )
    save_drawing(drawing, **snakemake.output)
