"""Make the table of the lines of all retests."""

from pathlib import Path

from apr.basics.logs import log_to
from apr.comparisons.retest_lines import pair_retests, slopes_table
from apr.comparisons.table import save_table
from apr.scores.frames import read_models

with log_to(snakemake.log[0]):
    params = snakemake.params
    pairs = pair_retests({Path(path).stem: read_models(path) for path in snakemake.input.scores}, params.retests)
    save_table(slopes_table(pairs, params.retests, **params.bootstrap), **snakemake.output)
