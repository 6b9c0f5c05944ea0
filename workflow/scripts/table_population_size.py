"""Make the table of population sizes that are enough for rank correlations."""

from apr.basics.logs import log_to
from apr.comparisons.population_size import population_size_table, population_sizes
from apr.comparisons.table import save_table
from apr.scores.frames import read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    scores = read_values(snakemake.input.scores)
    sizes = population_sizes(len(scores))
    table = population_size_table(
        scores, params.pairs, params.titles, sizes, **params.bootstrap, counts=read_counts(snakemake.input.scores)
    )
    save_table(table, **snakemake.output)
