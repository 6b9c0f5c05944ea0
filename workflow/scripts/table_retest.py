"""Make the table of a retest: accuracies of the same models on an original and on a new test set."""

from apr.basics.logs import log_to
from apr.comparisons.retest_accuracies import retest_table
from apr.comparisons.retest_lines import pair_retests
from apr.comparisons.table import save_table
from apr.scores.frames import read_models

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    retest = params.retest
    tables = {retest["original"]: read_models(files.original), retest["new"]: read_models(files.new)}
    accuracies = pair_retests(tables, [retest])[retest["name"]]
    save_table(retest_table(accuracies, retest, params.titles), **snakemake.output)
