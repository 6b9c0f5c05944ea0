"""Gather the runs of one task into its error table."""

import csv

from apr.files import atomic_file, read_json
from apr.logs import log_to
from apr.runs import COLUMNS, check_protocol, error_row, full_protocol, read_run

with log_to(snakemake.log[0]) as log:
    manifest = read_json(snakemake.input.view)
    genotypes = snakemake.params.genotypes
    rows = []
    for path in snakemake.input.runs:
        run = read_run(path)
        expected = full_protocol(dict(snakemake.params.protocol), genotype=genotypes[run["model"]], manifest=manifest)
        check_protocol(run, expected, path)
        rows.append(error_row(run, snakemake.params.reported))
    with atomic_file(snakemake.output[0]) as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    diverged = sum(row["status"] == "diverged" for row in rows)
    log.info("%d runs, %d of them diverged", len(rows), diverged)
