"""Draw rank correlations against the number of models."""

from apr.errors import read_reported
from apr.figures.size import draw_rho_vs_population
from apr.figures.style import save_drawing
from apr.logs import log_to
from apr.population_size import population_sizes
from apr.testsets import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    reported = read_reported(snakemake.input.errors)
    sizes = population_sizes(len(reported))
    drawing = draw_rho_vs_population(
        reported, params.pairs, params.titles, sizes, **params.bootstrap, counts=read_counts(snakemake.input.errors)
    )
    save_drawing(drawing, **snakemake.output)
