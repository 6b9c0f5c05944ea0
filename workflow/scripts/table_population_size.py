"""Make the table of population sizes that are enough for rank correlations."""

from apr.basics.logs import log_to
from apr.comparisons.population_size import population_size_table, population_sizes
from apr.comparisons.table import save_table
from apr.comparisons.testsets import read_counts
from apr.scores.table import read_reported

with log_to(snakemake.log[0]):
    params = snakemake.params
    reported = read_reported(snakemake.input.errors)
    sizes = population_sizes(len(reported))
    table = population_size_table(
        reported, params.pairs, params.titles, sizes, **params.bootstrap, counts=read_counts(snakemake.input.errors)
    )
    save_table(table, **snakemake.output)
