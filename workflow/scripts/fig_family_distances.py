"""Draw how far families of models lie from the line of 2019."""

from pathlib import Path

from apr.basics.logs import log_to
from apr.comparisons.families import read_families
from apr.comparisons.retest_lines import pair_retests
from apr.comparisons.since import dated_accuracies
from apr.figures.lines.distances import draw_family_distances
from apr.figures.style import save_drawing
from apr.scores.frames import read_models

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    families = read_families(files.families)
    tables = {Path(path).stem: read_models(path) for path in files.scores}
    pairs = {name: dated_accuracies(pair, families) for name, pair in pair_retests(tables, params.retests).items()}
    drawing = draw_family_distances(pairs, params.retests, params.titles, params.fewest, **params.bootstrap)
    save_drawing(drawing, **snakemake.output)
