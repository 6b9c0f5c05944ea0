"""Make the score tables of the test sets of one source of published predictions."""

from apr.basics.causes import reading
from apr.basics.files import read_json
from apr.basics.logs import log_to
from apr.scores.predictions import import_predictions
from apr.scores.table import write_scores

with log_to(snakemake.log[0]) as log:
    folder, params = read_json(snakemake.input.unpacked)["folder"], snakemake.params
    with reading(folder):
        labels = next(iter(snakemake.input.get("labels", [])), None)
        tables = import_predictions(folder, params.source, params.metrics, labels)
    for (name, rows), path in zip(tables.items(), snakemake.output, strict=True):
        write_scores(path, rows)
        log.info("%s: %d models", name, len(rows))
