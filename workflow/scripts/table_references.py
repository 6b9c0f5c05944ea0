"""Make the table of the reference networks."""

import pandas as pd

from apr.basics.logs import log_to
from apr.comparisons.descriptions import reference_table
from apr.comparisons.table import save_table
from apr.scores.table import read_errors

with log_to(snakemake.log[0]):
    params = snakemake.params
    errors = pd.concat([read_errors(path) for path in snakemake.input.errors])
    save_table(reference_table(errors, params.networks, params.title), **snakemake.output)
