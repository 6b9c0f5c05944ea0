"""Draw two metrics of a task against each other, and one on the training images against cumulative depth."""

from apr.basics.logs import log_to
from apr.comparisons.shape import read_shape
from apr.figures.ranks.other_errors import draw_other_errors
from apr.figures.style import save_drawing
from apr.runs.metrics import SHOWN
from apr.scores.frames import read_column
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    params, paths = snakemake.params, snakemake.input.scores
    columns = [*(f"test_{name}" for name in SHOWN), f"train_{SHOWN[0]}"]
    drawing = draw_other_errors(
        SHOWN,
        *(read_column(paths, name) for name in columns),
        read_shape(snakemake.input.population),
        params.both,
        params.deep,
        params.titles,
        **params.bootstrap,
        counts=read_counts(paths),
    )
    save_drawing(drawing, **snakemake.output)
