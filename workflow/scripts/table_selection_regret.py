"""Make the table of selection regret."""

from apr.basics.logs import log_to
from apr.comparisons.regret import regret_table
from apr.comparisons.table import save_table
from apr.scores.frames import read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    scores = read_values(snakemake.input.scores)
    table = regret_table(
        scores,
        params.reference,
        params.targets,
        params.closest,
        params.ks,
        params.titles,
        **params.bootstrap,
        counts=read_counts(snakemake.input.scores),
    )
    save_table(table, **snakemake.output)
