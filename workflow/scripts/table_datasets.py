"""Make the table of the datasets."""

from apr.basics.files import read_json
from apr.basics.logs import log_to
from apr.comparisons.descriptions import dataset_table
from apr.comparisons.table import save_table

with log_to(snakemake.log[0]):
    manifests = {manifest["name"]: manifest for manifest in map(read_json, snakemake.input.manifests)}
    save_table(dataset_table(manifests, snakemake.params.datasets), **snakemake.output)
