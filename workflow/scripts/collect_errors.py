"""Gather the runs of one task into its error table."""

import csv

from apr.files import atomic_file, read_json
from apr.logs import log_to
from apr.runs import COLUMNS, error_rows

with log_to(snakemake.log[0]) as log:
    files = snakemake.input
    rows = error_rows(snakemake.params.plan, files.runs, read_json(files.view), files.sources)
    with atomic_file(snakemake.output[0]) as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    diverged = sum(row["status"] == "diverged" for row in rows)
    log.info("%d runs, %d of them diverged", len(rows), diverged)
