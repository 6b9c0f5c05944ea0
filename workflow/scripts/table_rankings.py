"""Make the table of a ranking: whether the order of models on one task holds on another."""

from apr.basics.logs import log_to
from apr.comparisons.rankings import rankings_table
from apr.comparisons.table import save_table
from apr.scores.tested import read_once

with log_to(snakemake.log[0]):
    params = snakemake.params
    scores, counts, families = read_once(snakemake.input.scores)
    table = rankings_table(
        scores,
        params.ranking,
        params.titles,
        **params.bootstrap,
        counts=counts,
        families=families,
    )
    save_table(table, **snakemake.output)
