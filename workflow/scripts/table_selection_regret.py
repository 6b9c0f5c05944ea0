"""Make the table of selection regret."""

from apr.basics.logs import log_to
from apr.comparisons.correlations import regret_table
from apr.comparisons.table import save_table
from apr.comparisons.testsets import read_counts
from apr.scores.table import read_reported

with log_to(snakemake.log[0]):
    params = snakemake.params
    reported = read_reported(snakemake.input.errors)
    table = regret_table(
        reported,
        params.reference,
        params.targets,
        params.closest,
        params.ks,
        params.titles,
        **params.bootstrap,
        counts=read_counts(snakemake.input.errors),
    )
    save_table(table, **snakemake.output)
