"""Choose the cell of a model that is trained again with other seeds."""

from apr.basics.files import write_json
from apr.basics.logs import log_to
from apr.scores.choice import chosen_cell

with log_to(snakemake.log[0]) as log:
    params = snakemake.params
    found = chosen_cell(snakemake.input.runs, params.cells, params.metric, params.by)
    write_json(snakemake.output[0], found)
    log.info("%s is trained again", found["run"])
