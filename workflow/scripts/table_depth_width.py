"""Make the table of rank correlations of the error with cumulative depth and width."""

from apr.basics.logs import log_to
from apr.comparisons.correlations import depth_width_table
from apr.comparisons.table import save_table
from apr.comparisons.testsets import read_counts
from apr.scores.table import read_reported, read_shape

with log_to(snakemake.log[0]):
    params = snakemake.params
    reported, shape = read_reported(snakemake.input.errors), read_shape(snakemake.input.population)
    table = depth_width_table(
        reported, shape, params.tasks, params.titles, **params.bootstrap, counts=read_counts(snakemake.input.errors)
    )
    save_table(table, **snakemake.output)
