"""Make the table of rank correlations with ImageNet accuracy, their ceilings, and what the best on ImageNet loses."""

from apr.basics.logs import log_to
from apr.comparisons.table import save_table
from apr.comparisons.transfer.rankings import rankings_table
from apr.comparisons.transfer.targets import read_transfer

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    transfer = read_transfer(scores=files.scores, resampled=files.resampled, **params.transfer)
    save_table(rankings_table(transfer), **snakemake.output)
