"""Draw accuracy on a new test set against that on the original, with the line through the models."""

from apr.basics.logs import log_to
from apr.comparisons.retest_lines import pair_retests
from apr.figures.lines.retest import draw_retest
from apr.figures.style import save_drawing
from apr.scores.frames import read_models

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    retest = params.retest
    tables = {retest["original"]: read_models(files.original), retest["new"]: read_models(files.new)}
    accuracies = pair_retests(tables, [retest])[retest["name"]]
    save_drawing(draw_retest(accuracies, retest, params.titles, **params.bootstrap), **snakemake.output)
