"""Make the table of slopes: what a point of ImageNet accuracy is worth on each dataset, and what can be told."""

from apr.basics.logs import log_to
from apr.claims.transfer_claims import paper_slopes, read_transfer_claims
from apr.comparisons.table import save_table
from apr.comparisons.transfer.slopes import slopes_table
from apr.comparisons.transfer.targets import read_transfer

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    transfer = read_transfer(scores=files.scores, resampled=files.resampled, **params.transfer)
    paper = paper_slopes(read_transfer_claims(files.claims), transfer.settings["paper"], list(transfer.fit_titles()))
    save_table(slopes_table(transfer, paper), **snakemake.output)
