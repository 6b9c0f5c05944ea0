"""Write the population of the study as a table."""

import csv

from apr.basics.files import atomic_file
from apr.basics.logs import log_to

with log_to(snakemake.log[0]) as log:
    population = snakemake.params.population
    with atomic_file(snakemake.output[0]) as file:
        writer = csv.DictWriter(file, population[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(population)
    depths = [model["cumulative_depth"] for model in population]
    log.info("%d architectures, cumulative depth %d to %d", len(population), min(depths), max(depths))
