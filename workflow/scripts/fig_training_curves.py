"""Draw the test error over the epochs of training, and of runs that were continued."""

from apr.basics.files import read_json
from apr.basics.logs import log_to
from apr.figures.runs.curves import draw_training_curves, read_curves
from apr.figures.style import save_drawing
from apr.scores.tested import counts_of_view

with log_to(snakemake.log[0]):
    params = snakemake.params
    curves, continued = (
        read_curves(paths, params.metrics) for paths in (snakemake.input.curves, snakemake.input.continued)
    )
    views = zip(params.metrics.items(), snakemake.input.views, strict=True)
    counts = {task: counts_of_view(read_json(path), error) for (task, error), path in views}
    drawing = draw_training_curves(curves, continued, params.zoom_from, params.titles, counts)
    save_drawing(drawing, **snakemake.output)
