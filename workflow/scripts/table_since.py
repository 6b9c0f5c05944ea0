"""Make the table that compares the line of 2019 with the line through the models since."""

from pathlib import Path

from apr.basics.logs import log_to
from apr.comparisons.families import read_families
from apr.comparisons.retest_lines import pair_retests
from apr.comparisons.since import dated_accuracies, since_table, with_families
from apr.comparisons.table import save_table
from apr.scores.frames import read_models

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    families = read_families(files.families)
    tables = {Path(path).stem: read_models(path) for path in files.scores}
    pairs = {name: dated_accuracies(pair, families) for name, pair in pair_retests(tables, params.retests).items()}
    published = {}
    if params.published:
        accuracies = pair_retests(tables, params.published)
        for retest in params.published:
            counted = accuracies[retest["name"]].drop(index=retest["without"])
            published[retest["name"]] = with_families(counted, families)
    save_table(since_table(pairs, published, params.retests, **params.bootstrap), **snakemake.output)
