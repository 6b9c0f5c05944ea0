"""Make the score tables of published tables."""

from apr.basics.logs import log_to
from apr.runs.metrics import METRICS
from apr.scores.published import published_rows, read_published, same_scores, summary
from apr.scores.table import write_scores

with log_to(snakemake.log[0]) as log:
    tables, of_source = {}, {}
    entries = zip(snakemake.params.tables, snakemake.input.tables, snakemake.output, strict=True)
    for entry, source, path in entries:
        table = tables.setdefault(source, None)
        if table is None:
            table = tables[source] = read_published(source, entry["sha256"])
        rows = published_rows(source, table, entry["read"], METRICS[entry["metric"]])
        write_scores(path, rows)
        if not entry["read"].get("repeats"):
            of_source.setdefault(source, {})[path] = rows
        log.info("%s: %d models", path, len(rows))
    for source, rows in of_source.items():
        same = same_scores(rows) if len(rows) > 1 else []
        if same:
            log.info("%s: %d models have all scores of another, such as %s", source, *summary(same))
