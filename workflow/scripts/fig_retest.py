"""Draw accuracy on a new test set against that on the original, with the line through the models."""

from apr.accuracies import paired
from apr.errors import read_errors
from apr.figures.retest import draw_retest
from apr.figures.style import save_drawing
from apr.logs import log_to

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    accuracies = paired(read_errors(files.original), read_errors(files.new), params.retest["error"])
    save_drawing(draw_retest(accuracies, params.retest, params.titles, **params.bootstrap), **snakemake.output)
