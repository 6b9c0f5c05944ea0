"""Make the table of a retest: accuracies of the same models on an original and on a new test set."""

from apr.accuracies import paired
from apr.errors import read_errors
from apr.logs import log_to
from apr.retest_tables import retest_table
from apr.tables import save_table

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    accuracies = paired(read_errors(files.original), read_errors(files.new), params.retest["error"])
    save_table(retest_table(accuracies, params.retest, params.titles), **snakemake.output)
