"""Make the scorecard: every claim of the paper beside what this study measures."""

from pathlib import Path

from apr.basics.logs import log_to
from apr.claims.claims import read_claims
from apr.claims.scorecard import scorecard
from apr.comparisons.shape import read_shape
from apr.comparisons.table import save_table
from apr.scores.frames import read_repeats, read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    repeats = {Path(path).stem: read_repeats(path) for path in files.repeats}
    table = scorecard(
        read_claims(files.claims),
        read_values(files.scores),
        read_shape(files.population),
        repeats,
        params.titles,
        **params.bootstrap,
        counts=read_counts([*files.scores, *files.repeats]),
    )
    save_table(table, **snakemake.output)
