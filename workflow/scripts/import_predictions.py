"""Make the error tables of the test sets of one source of published predictions."""

from apr.logs import log_to
from apr.predictions import import_predictions
from apr.tables import write_csv

with log_to(snakemake.log[0]) as log:
    params = snakemake.params
    tables = import_predictions(params.folder, params.source, snakemake.input.get("labels"))
    for name, path in zip(params.sets, snakemake.output, strict=True):
        write_csv(path, tables[name])
        log.info("%s: %d models", name, len(tables[name]))
