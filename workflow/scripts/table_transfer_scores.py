"""Make the table of scores: every model on every dataset."""

from apr.basics.logs import log_to
from apr.comparisons.table import save_table
from apr.comparisons.transfer.scores import scores_table
from apr.comparisons.transfer.targets import read_transfer

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    transfer = read_transfer(scores=files.scores, resampled=files.resampled, **params.transfer)
    save_table(scores_table(transfer), **snakemake.output)
