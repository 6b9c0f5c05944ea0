"""Draw what the best architectures of each task look like over the four stages."""

from apr.basics.logs import log_to
from apr.figures.ranks.best_shapes import draw_best_shapes, read_genes
from apr.figures.style import save_drawing
from apr.scores.frames import read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    scores, genes = read_values(snakemake.input.scores), read_genes(snakemake.input.population)
    drawing = draw_best_shapes(
        scores, genes, params.tasks, params.top, params.titles, counts=read_counts(snakemake.input.scores)
    )
    save_drawing(drawing, **snakemake.output)
