"""Make the table of the paper's items: which this study makes, and what it lacks for the others."""

from apr.basics.logs import log_to
from apr.comparisons.descriptions import items_table
from apr.comparisons.table import save_table

with log_to(snakemake.log[0]):
    save_table(items_table(snakemake.params.rows), **snakemake.output)
