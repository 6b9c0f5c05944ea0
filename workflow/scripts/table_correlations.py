"""Make the table of rank correlations with the reference and with the closest family member."""

from apr.basics.logs import log_to
from apr.comparisons.correlations import correlation_table
from apr.comparisons.table import save_table
from apr.comparisons.testsets import read_counts
from apr.scores.table import read_reported

with log_to(snakemake.log[0]):
    params = snakemake.params
    reported = read_reported(snakemake.input.errors)
    table = correlation_table(
        reported,
        params.reference,
        params.targets,
        params.closest,
        params.titles,
        **params.bootstrap,
        counts=read_counts(snakemake.input.errors),
    )
    save_table(table, **snakemake.output)
