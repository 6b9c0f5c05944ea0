"""Draw the densities of the error over the seeds of single architectures, and of the population."""

from apr.basics.logs import log_to
from apr.figures.runs.densities import draw_seed_densities
from apr.figures.style import save_drawing
from apr.scores.frames import read_repeats, read_values
from apr.scores.tested import read_counts

with log_to(snakemake.log[0]):
    (repeated,), (task,) = snakemake.input.repeated, snakemake.params.task
    population = read_values(snakemake.input.population)[task]
    counts = read_counts(snakemake.input.population)
    drawing = draw_seed_densities(read_repeats(repeated), population, snakemake.params.titles, task, counts)
    save_drawing(drawing, **snakemake.output)
