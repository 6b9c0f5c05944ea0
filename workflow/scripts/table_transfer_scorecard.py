"""Make the scorecard of transfer: values of the papers beside those measured here."""

from apr.basics.logs import log_to
from apr.claims.transfer import transfer_scorecard
from apr.claims.transfer_claims import read_transfer_claims
from apr.comparisons.table import save_table
from apr.comparisons.transfer.targets import read_transfer

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    transfer = read_transfer(scores=files.scores, resampled=files.resampled, **params.transfer)
    save_table(transfer_scorecard(read_transfer_claims(files.claims), transfer), **snakemake.output)
