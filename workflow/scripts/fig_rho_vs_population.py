"""Draw rank correlations against the number of models."""

from apr.basics.logs import log_to
from apr.comparisons.population_size import population_sizes
from apr.comparisons.testsets import read_counts
from apr.figures.ranks.size import draw_rho_vs_population
from apr.figures.style import save_drawing
from apr.scores.table import read_reported

with log_to(snakemake.log[0]):
    params = snakemake.params
    reported = read_reported(snakemake.input.errors)
    sizes = population_sizes(len(reported))
    drawing = draw_rho_vs_population(
        reported, params.pairs, params.titles, sizes, **params.bootstrap, counts=read_counts(snakemake.input.errors)
    )
    save_drawing(drawing, **snakemake.output)
