"""Make the table of seed noise and of the rank correlation that it allows at most."""

from pathlib import Path

from apr.basics.logs import log_to
from apr.comparisons.noise_ceiling import noise_ceiling_table
from apr.comparisons.table import save_table
from apr.comparisons.testsets import read_counts
from apr.scores.repeats import read_repeats
from apr.scores.table import read_reported

with log_to(snakemake.log[0]):
    params = snakemake.params
    repeats = {Path(path).stem: read_repeats(path) for path in snakemake.input.repeats}
    reported = read_reported(snakemake.input.errors)
    table = noise_ceiling_table(
        reported, repeats, params.bases, params.titles, **params.bootstrap, counts=read_counts(snakemake.input.errors)
    )
    save_table(table, **snakemake.output)
