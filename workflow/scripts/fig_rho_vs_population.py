"""Draw rank correlations against the number of models."""

from apr.basics.logs import log_to
from apr.comparisons.population_size import population_sizes
from apr.figures.ranks.size import draw_rho_vs_population
from apr.figures.style import save_drawing
from apr.scores.frames import read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    scores = read_values(snakemake.input.scores)
    sizes = population_sizes(len(scores))
    drawing = draw_rho_vs_population(
        scores, params.pairs, params.titles, sizes, **params.bootstrap, counts=read_counts(snakemake.input.scores)
    )
    save_drawing(drawing, **snakemake.output)
