"""Draw class distributions and errors of unbalanced tasks and their balanced versions."""

from apr.basics.files import read_json
from apr.basics.logs import log_to
from apr.figures.runs.balanced import class_counts, draw_balanced
from apr.figures.style import save_drawing
from apr.scores.frames import read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    params = snakemake.params
    views = {view["view"]: view for view in map(read_json, snakemake.input.views)}
    counts = {task: class_counts(views[view]) for task, view in params.view_of.items()}
    scores = read_values(snakemake.input.scores)
    drawing = draw_balanced(
        counts, scores, params.pairs, params.titles, **params.bootstrap, tested=read_counts(snakemake.input.scores)
    )
    save_drawing(drawing, **snakemake.output)
