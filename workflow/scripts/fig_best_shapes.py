"""Draw what the best architectures of each task look like over the four stages."""

from apr.basics.logs import log_to
from apr.comparisons.testsets import read_counts
from apr.figures.ranks.best_shapes import draw_best_shapes, read_genes
from apr.figures.style import save_drawing
from apr.scores.table import read_reported

with log_to(snakemake.log[0]):
    params = snakemake.params
    reported, genes = read_reported(snakemake.input.errors), read_genes(snakemake.input.population)
    drawing = draw_best_shapes(
        reported, genes, params.tasks, params.top, params.titles, counts=read_counts(snakemake.input.errors)
    )
    save_drawing(drawing, **snakemake.output)
