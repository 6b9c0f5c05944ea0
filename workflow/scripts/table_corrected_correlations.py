"""Make the table of rank correlations corrected for the noise of the seeds."""

from pathlib import Path

from apr.attenuation import corrected_table
from apr.claim_list import read_claims
from apr.errors import read_reported
from apr.logs import log_to
from apr.repeats import read_repeats
from apr.tables import save_table
from apr.testsets import read_counts

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    repeats = {Path(path).stem: read_repeats(path) for path in files.repeats}
    table = corrected_table(
        read_reported(files.errors),
        repeats,
        params.bases,
        params.pairs,
        read_claims(files.claims),
        params.titles,
        **params.bootstrap,
        counts=read_counts(files.errors),
    )
    save_table(table, **snakemake.output)
