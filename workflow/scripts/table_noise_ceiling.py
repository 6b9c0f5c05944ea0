"""Make the table of seed noise and of the rank correlation that it allows at most."""

from pathlib import Path

from apr.basics.logs import log_to
from apr.comparisons.noise_ceiling import noise_ceiling_table
from apr.comparisons.table import save_table
from apr.scores.frames import read_repeats, read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    repeats = {Path(path).stem: read_repeats(path) for path in snakemake.input.repeats}
    scores = read_values(snakemake.input.scores)
    table = noise_ceiling_table(
        scores, repeats, params.bases, params.titles, **params.bootstrap, counts=read_counts(snakemake.input.scores)
    )
    save_table(table, **snakemake.output)
