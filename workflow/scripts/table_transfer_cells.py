"""Make the table of the cells of the grid that count."""

from pathlib import Path

from apr.basics.logs import log_to
from apr.comparisons.table import save_table
from apr.comparisons.transfer.scores import cells_of, cells_table

with log_to(snakemake.log[0]):
    tables = {Path(path).stem: cells_of(path) for path in snakemake.input.scores}
    save_table(cells_table(tables, snakemake.params.titles), **snakemake.output)
