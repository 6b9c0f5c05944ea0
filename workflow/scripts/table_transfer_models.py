"""Make the table of models: which to take on each dataset, and whether ImageNet accuracy would have told."""

from apr.basics.logs import log_to
from apr.comparisons.table import save_table
from apr.comparisons.transfer.models import models_table
from apr.comparisons.transfer.targets import read_transfer

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    transfer = read_transfer(scores=files.scores, resampled=files.resampled, **params.transfer)
    save_table(models_table(transfer), **snakemake.output)
