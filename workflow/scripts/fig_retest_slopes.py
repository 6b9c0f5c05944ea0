"""Draw slopes, offsets and mean changes of all retests."""

from pathlib import Path

from apr.basics.logs import log_to
from apr.comparisons.retest_lines import pair_retests
from apr.figures.lines.slopes import draw_retest_slopes
from apr.figures.style import save_drawing
from apr.scores.frames import read_models

with log_to(snakemake.log[0]):
    params = snakemake.params
    pairs = pair_retests({Path(path).stem: read_models(path) for path in snakemake.input.scores}, params.retests)
    drawing = draw_retest_slopes(pairs, params.retests, params.published, **params.bootstrap)
    save_drawing(drawing, **snakemake.output)
