"""Sample the population of the study."""

from apr.files import atomic_file
from apr.logs import log_to
from apr.population import Space, sample_population

with log_to(snakemake.log[0]) as log:
    settings = snakemake.params.population
    population = sample_population(
        Space(**{key: tuple(settings[key]) for key in ("depth", "width", "bottleneck", "group_width")}),
        size=settings["size"],
        seed=settings["seed"],
        band=tuple(1e6 * bound for bound in settings["megaflops"]),
        stem=settings["stem"],
        classes=settings["classes"],
        resolution=settings["resolution"],
    )
    with atomic_file(snakemake.output[0]) as file:
        population.to_csv(file, index=False, lineterminator="\n")
    log.info(
        "%d architectures, cumulative depth %d to %d",
        len(population),
        *population["cumulative_depth"].agg(["min", "max"]),
    )
