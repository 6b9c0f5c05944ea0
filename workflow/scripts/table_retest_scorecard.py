"""Make the scorecard of the retests: every value of the paper beside the one measured here."""

from pathlib import Path

from apr.basics.logs import log_to
from apr.claims.retests import read_retest_claims, retest_scorecard
from apr.comparisons.retest_lines import pair_retests
from apr.comparisons.table import save_table
from apr.scores.frames import read_models

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    tables = {Path(path).stem: read_models(path) for path in files.scores}
    pairs = pair_retests(tables, params.retests)
    table = retest_scorecard(read_retest_claims(files.claims), pairs, params.retests, **params.bootstrap)
    save_table(table, **snakemake.output)
