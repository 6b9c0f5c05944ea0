"""Say which cells of a model go on after so many epochs."""

from apr.basics.files import write_json
from apr.basics.logs import log_to
from apr.runs.finetuning.halving import halved, read_rung

with log_to(snakemake.log[0]) as log:
    params = snakemake.params
    found = halved([read_rung(path) for path in snakemake.input.rungs], params.rung, params.metric)
    write_json(snakemake.output[0], found)
    log.info("%d of %d cells go on", sum(cell["goes_on"] for cell in found["cells"]), len(found["cells"]))
