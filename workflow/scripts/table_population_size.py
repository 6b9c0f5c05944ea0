"""Make the table of population sizes that are enough for rank correlations."""

from apr.errors import read_reported
from apr.logs import log_to
from apr.population_size import population_size_table, population_sizes
from apr.tables import save_table
from apr.testsets import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    reported = read_reported(snakemake.input.errors)
    sizes = population_sizes(len(reported))
    table = population_size_table(
        reported, params.pairs, params.titles, sizes, **params.bootstrap, counts=read_counts(snakemake.input.errors)
    )
    save_table(table, **snakemake.output)
