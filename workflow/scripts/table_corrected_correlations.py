"""Make the table of rank correlations corrected for the noise of the seeds."""

from pathlib import Path

from apr.basics.logs import log_to
from apr.claims.claims import read_claims
from apr.claims.corrected import corrected_table
from apr.comparisons.table import save_table
from apr.scores.frames import read_repeats, read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    repeats = {Path(path).stem: read_repeats(path) for path in files.repeats}
    table = corrected_table(
        read_values(files.scores),
        repeats,
        params.bases,
        params.pairs,
        read_claims(files.claims),
        params.titles,
        **params.bootstrap,
        counts=read_counts(files.scores),
    )
    save_table(table, **snakemake.output)
