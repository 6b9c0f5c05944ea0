"""Gather the runs of one task into its score table."""

from apr.basics.files import read_json
from apr.basics.logs import log_to
from apr.runs.record import DIVERGED, DROPPED
from apr.scores.collected import collected
from apr.scores.table import write_scores

with log_to(snakemake.log[0]) as log:
    files = snakemake.input
    rows = collected(snakemake.params.plan, files.runs, read_json(files.view), files.get("sources", []))
    write_scores(snakemake.output[0], rows)
    diverged, dropped = (sum(row["status"] == status for row in rows) for status in (DIVERGED, DROPPED))
    log.info("%d runs, %d of them diverged, %d dropped", len(rows), diverged, dropped)
