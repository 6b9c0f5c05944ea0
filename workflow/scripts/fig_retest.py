"""Draw accuracy on a new test set against that on the original, with the line through the models."""

from apr.errors import read_errors
from apr.figures.retest import draw_retest
from apr.figures.style import save_drawing
from apr.logs import log_to
from apr.retest_lines import pair_retests

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    retest = params.retest
    tables = {retest["original"]: read_errors(files.original), retest["new"]: read_errors(files.new)}
    accuracies = pair_retests(tables, [retest])[retest["name"]]
    save_drawing(draw_retest(accuracies, retest, params.titles, **params.bootstrap), **snakemake.output)
