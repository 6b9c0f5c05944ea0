"""Make the table of the reference networks."""

import pandas as pd

from apr.basics.logs import log_to
from apr.comparisons.descriptions import reference_table
from apr.comparisons.table import save_table
from apr.scores.frames import read_models

with log_to(snakemake.log[0]):
    params = snakemake.params
    scores = pd.concat([read_models(path) for path in snakemake.input.scores])
    save_table(reference_table(scores, params.networks, params.title), **snakemake.output)
