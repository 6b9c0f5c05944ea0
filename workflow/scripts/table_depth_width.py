"""Make the table of rank correlations of the error with cumulative depth and width."""

from apr.basics.logs import log_to
from apr.comparisons.correlations import depth_width_table
from apr.comparisons.shape import read_shape
from apr.comparisons.table import save_table
from apr.scores.frames import read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    scores, shape = read_values(snakemake.input.scores), read_shape(snakemake.input.population)
    table = depth_width_table(
        scores, shape, params.tasks, params.titles, **params.bootstrap, counts=read_counts(snakemake.input.scores)
    )
    save_table(table, **snakemake.output)
