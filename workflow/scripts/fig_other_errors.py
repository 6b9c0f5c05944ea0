"""Draw top-5 against top-1 error, and training error against cumulative depth."""

from apr.basics.logs import log_to
from apr.comparisons.testsets import read_counts
from apr.figures.ranks.other_errors import draw_other_errors, read_column
from apr.figures.style import save_drawing
from apr.scores.table import read_shape

with log_to(snakemake.log[0]):
    params, paths = snakemake.params, snakemake.input.errors
    top1, top5, train_error = (read_column(paths, name) for name in ("top1_error", "top5_error", "train_error"))
    shape = read_shape(snakemake.input.population)
    drawing = draw_other_errors(
        top1,
        top5,
        shape,
        train_error,
        params.both,
        params.deep,
        params.titles,
        **params.bootstrap,
        counts=read_counts(snakemake.input.errors),
    )
    save_drawing(drawing, **snakemake.output)
