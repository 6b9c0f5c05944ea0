"""Make the table of a ranking: whether the order of models on one task holds on another."""

from apr.basics.logs import log_to
from apr.comparisons.rankings import rankings_table
from apr.comparisons.table import save_table
from apr.scores.frames import read_families, read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    paths = snakemake.input.scores
    table = rankings_table(
        read_values(paths),
        params.ranking,
        params.titles,
        **params.bootstrap,
        counts=read_counts(paths),
        families=read_families(paths),
    )
    save_table(table, **snakemake.output)
