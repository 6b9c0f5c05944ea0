"""Gather the runs of one task into its error table."""

import csv

from apr.basics.files import atomic_file, read_json
from apr.basics.logs import log_to
from apr.comparisons.testsets import GUESS_COLUMN, counts_of_view
from apr.runs.record import COLUMNS, error_rows

with log_to(snakemake.log[0]) as log:
    files = snakemake.input
    plan, view = snakemake.params.plan, read_json(files.view)
    rows = error_rows(plan, files.runs, view, files.sources)
    guess = counts_of_view(view, plan["reported"]).guess
    with atomic_file(snakemake.output[0]) as file:
        writer = csv.DictWriter(file, [*COLUMNS, GUESS_COLUMN], lineterminator="\n")
        writer.writeheader()
        writer.writerows(row | {GUESS_COLUMN: guess} for row in rows)
    diverged = sum(row["status"] == "diverged" for row in rows)
    log.info("%d runs, %d of them diverged", len(rows), diverged)
