"""Make the error tables of the test sets of one source of published predictions."""

from apr.basics.causes import reading
from apr.basics.files import read_json
from apr.basics.logs import log_to
from apr.comparisons.table import write_csv
from apr.scores.predictions import import_predictions

with log_to(snakemake.log[0]) as log:
    folder = read_json(snakemake.input.unpacked)["folder"]
    with reading(folder):
        tables = import_predictions(folder, snakemake.params.source, snakemake.input.get("labels"))
    for (name, table), path in zip(tables.items(), snakemake.output, strict=True):
        write_csv(path, table)
        log.info("%s: %d models", name, len(table))
