# Needs:  results/scores/{task}.csv (scores.smk), results/population.csv (models.smk)
# Makes:  results/tables/<name>.{csv,md,rst}, results/figures/<name>.{pdf,png,csv,rst}; the .rst is the caption
#
# How far the ranks can be trusted: what the seeds, the number of models and the initialisation change.


rule table_noise_ceiling:
    """What the seeds change, and the highest correlation that this noise allows."""
    input:
        scores=files.scores(base for _, base in comparisons.two("repeats")),
        repeats=outputs.needed("table_noise_ceiling", files.scores(comparisons["repeats"])),
    output:
        **outputs.table("noise_ceiling"),
    log:
        "logs/table_noise_ceiling.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        bases=comparisons["repeats"],
        titles=study.titles(tasks_of(comparisons.two("repeats"))),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/table_noise_ceiling.py"


rule table_corrected_correlations:
    """The correlations corrected for the noise of the seeds, and which claims survive it."""
    input:
        scores=files.scores([*comparisons.tasks, *comparisons["repeats"].values()]),
        repeats=outputs.needed("table_corrected_correlations", files.scores(comparisons["repeats"])),
        claims=items.claims,
    output:
        **outputs.table("corrected_correlations"),
    log:
        "logs/table_corrected_correlations.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        bases=comparisons["repeats"],
        pairs=comparisons.pairs["imagenet_vs_targets"] + comparisons.pairs["closest_vs_targets"],
        titles=study.titles(),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/table_corrected_correlations.py"


rule table_population_size:
    """How many models a correlation needs."""
    input:
        scores=outputs.needed("table_population_size", files.scores(comparisons.tasks)),
    output:
        **outputs.table("population_size"),
    log:
        "logs/table_population_size.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        pairs=comparisons.pairs["imagenet_vs_targets"],
        titles=study.titles(comparisons.tasks),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/table_population_size.py"


rule fig_rho_vs_population:
    """How the rank correlations depend on the number of models."""
    input:
        scores=outputs.needed("fig_rho_vs_population", files.scores(comparisons.tasks)),
    output:
        **outputs.drawing("rho_vs_population"),
    log:
        "logs/fig_rho_vs_population.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        pairs=comparisons.pairs["imagenet_vs_targets"],
        titles=study.titles(comparisons.tasks),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/fig_rho_vs_population.py"


rule fig_seed_densities:
    """Densities of the errors of single models over many seeds, and of the whole population."""
    input:
        repeated=outputs.needed(
            "fig_seed_densities", files.scores(repeated for repeated, _ in comparisons.two("repeats")[:1])
        ),
        population=files.scores(base for _, base in comparisons.two("repeats")[:1]),
    output:
        **outputs.drawing("seed_densities"),
    log:
        "logs/fig_seed_densities.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        task=[base for _, base in comparisons.two("repeats")[:1]],
        titles=study.titles(tasks_of(comparisons.two("repeats")[:1])),
    script:
        "../../workflow/scripts/fig_seed_densities.py"


rule fig_initialisation:
    """Errors with the last BatchNorm of each block started at 1 and at 0, against depth and the reference's error."""
    input:
        scores=outputs.needed(
            "fig_initialisation", files.scores([study.reference, *tasks_of(comparisons.two("initialisation"))])
        ),
        population="results/population.csv",
    output:
        **outputs.drawing("initialisation"),
    log:
        "logs/fig_initialisation.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        reference=study.reference,
        pairs=comparisons.two("initialisation"),
        zero={
            task: study.tasks[task].protocol.get("zero_init_final_gamma")
            for task in [*comparisons.reference, *tasks_of(comparisons.two("initialisation"))]
        },
        titles=study.titles([*comparisons.reference, *tasks_of(comparisons.two("initialisation"))]),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/fig_initialisation.py"
