"""Make the table of the reference networks."""

import pandas as pd

from apr.datasheets import reference_table
from apr.errors import read_errors
from apr.logs import log_to
from apr.tables import save_table

with log_to(snakemake.log[0]):
    params = snakemake.params
    errors = pd.concat([read_errors(path) for path in snakemake.input.errors])
    save_table(reference_table(errors, params.networks, params.title), **snakemake.output)
