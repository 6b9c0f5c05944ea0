"""Make the scorecard: every claim of the paper beside what this study measures."""

from pathlib import Path

from apr.basics.logs import log_to
from apr.claims.claims import read_claims
from apr.claims.scorecard import scorecard
from apr.comparisons.table import save_table
from apr.comparisons.testsets import read_counts
from apr.scores.repeats import read_repeats
from apr.scores.table import read_reported, read_shape

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    repeats = {Path(path).stem: read_repeats(path) for path in files.repeats}
    table = scorecard(
        read_claims(files.claims),
        read_reported(files.errors),
        read_shape(files.population),
        repeats,
        params.titles,
        **params.bootstrap,
        counts=read_counts(files.errors),
    )
    save_table(table, **snakemake.output)
