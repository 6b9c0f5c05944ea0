"""Make the score tables of published tables."""

from apr.basics.logs import log_to
from apr.runs.metrics import METRICS
from apr.scores.published import published_rows, read_published, same_scores, summary
from apr.scores.table import write_scores

with log_to(snakemake.log[0]) as log:
    sources = snakemake.input.tables
    digests = {source: entry["sha256"] for source, entry in zip(sources, snakemake.params.tables, strict=True)}
    tables = {source: read_published(source, digest) for source, digest in digests.items()}
    single = {source: {} for source in tables}
    for entry, source, path in zip(snakemake.params.tables, sources, snakemake.output, strict=True):
        rows = published_rows(source, tables[source], entry["read"], METRICS[entry["metric"]])
        write_scores(path, rows)
        if not entry["read"].get("repeats"):
            single[source][path] = rows
        log.info("%s: %d models", path, len(rows))
    for source, of_source in single.items():
        same = same_scores(of_source) if len(of_source) > 1 else []
        if same:
            log.info("%s: %d models have all scores of another, such as %s", source, *summary(same))
