"""Make the table of seed noise and of the rank correlation that it allows at most."""

from pathlib import Path

from apr.errors import read_reported
from apr.logs import log_to
from apr.noise import noise_ceiling_table
from apr.repeats import read_repeats
from apr.tables import save_table
from apr.testsets import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    repeats = {Path(path).stem: read_repeats(path) for path in snakemake.input.repeats}
    reported = read_reported(snakemake.input.errors)
    table = noise_ceiling_table(
        reported, repeats, params.bases, params.titles, **params.bootstrap, counts=read_counts(snakemake.input.errors)
    )
    save_table(table, **snakemake.output)
