"""Make the scorecard: every claim of the paper beside what this study measures."""

from pathlib import Path

from apr.claim_list import read_claims
from apr.claims import scorecard
from apr.errors import read_reported, read_shape
from apr.logs import log_to
from apr.repeats import read_repeats
from apr.tables import save_table
from apr.testsets import read_counts

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
