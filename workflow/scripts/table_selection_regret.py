"""Make the table of selection regret."""

from apr.comparisons import regret_table
from apr.errors import read_reported
from apr.logs import log_to
from apr.tables import save_table
from apr.testsets import read_counts

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
