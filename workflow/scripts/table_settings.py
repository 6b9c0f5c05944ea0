"""Make the table of the tasks' settings."""

from apr.datasheets import settings_table
from apr.logs import log_to
from apr.tables import save_table

with log_to(snakemake.log[0]):
    save_table(settings_table(snakemake.params.rows), **snakemake.output)
