"""Make the table of the tasks' settings."""

from apr.basics.logs import log_to
from apr.comparisons.descriptions import settings_table
from apr.comparisons.table import save_table

with log_to(snakemake.log[0]):
    save_table(settings_table(snakemake.params.rows), **snakemake.output)
