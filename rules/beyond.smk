# Tables and a figure beyond the paper's own. Included by tables.smk, which says what they need and make.


rule table_selection_regret:
    """The error that is lost on each target by choosing on the reference or on the closest family member."""
    input:
        scores=scores_of(COMPARED),
    output:
        **table("selection_regret"),
    log:
        "logs/table_selection_regret.log",
    conda:
        "../envs/analysis.yaml"
    params:
        reference=study.reference,
        targets=study.targets,
        closest=CLOSEST,
        ks=study.statistics["regret_k"],
        titles=titles_of(COMPARED),
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/table_selection_regret.py"


rule table_scorecard:
    """Each claim of the paper beside what this study measures."""
    input:
        scores=scores_of(task for task in CLAIMED if study.tasks[task].seeds == 1),
        repeats=scores_of(task for task in CLAIMED if study.tasks[task].seeds > 1),
        population="results/population.csv",
        claims=CLAIMS,
    output:
        **table("scorecard"),
    log:
        "logs/table_scorecard.log",
    conda:
        "../envs/analysis.yaml"
    params:
        titles=titles_of(study.tasks),
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/table_scorecard.py"


rule table_noise_ceiling:
    """What the seeds change, and the highest correlation that this noise allows."""
    input:
        scores=scores_of(base for _, base in REPEATED),
        repeats=needed("table_noise_ceiling", scores_of(repeated for repeated, _ in REPEATED)),
    output:
        **table("noise_ceiling"),
    log:
        "logs/table_noise_ceiling.log",
    conda:
        "../envs/analysis.yaml"
    params:
        bases=dict(REPEATED),
        titles=titles_of(sum(REPEATED, ())),
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/table_noise_ceiling.py"


rule table_corrected_correlations:
    """The correlations corrected for the noise of the seeds, and which claims survive it."""
    input:
        scores=scores_of(COMPARED + [base for _, base in REPEATED]),
        repeats=needed("table_corrected_correlations", scores_of(repeated for repeated, _ in REPEATED)),
        claims=CLAIMS,
    output:
        **table("corrected_correlations"),
    log:
        "logs/table_corrected_correlations.log",
    conda:
        "../envs/analysis.yaml"
    params:
        bases=dict(REPEATED),
        pairs=PAIRS["imagenet_vs_targets"] + PAIRS["closest_vs_targets"],
        titles=titles_of(study.tasks),
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/table_corrected_correlations.py"


rule table_population_size:
    """How many models a correlation needs."""
    input:
        scores=scores_of(COMPARED),
    output:
        **table("population_size"),
    log:
        "logs/table_population_size.log",
    conda:
        "../envs/analysis.yaml"
    params:
        pairs=PAIRS["imagenet_vs_targets"],
        titles=titles_of(COMPARED),
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/table_population_size.py"


rule fig_initialisation:
    """Errors with the last BatchNorm of each block started at 1 and at 0, against depth and the reference's error."""
    input:
        scores=needed("fig_initialisation", scores_of([study.reference, *sum(INITIALISED, ())])),
        population="results/population.csv",
    output:
        **drawing("initialisation"),
    log:
        "logs/fig_initialisation.log",
    conda:
        "../envs/analysis.yaml"
    params:
        reference=study.reference,
        pairs=INITIALISED,
        zero={
            task: study.tasks[task].protocol["zero_init_final_gamma"]
            for task in [study.reference, *sum(INITIALISED, ())]
        },
        titles=titles_of([study.reference, *sum(INITIALISED, ())]),
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/fig_initialisation.py"


rule table_items:
    """Which items of the paper this study makes, and what the others lack."""
    output:
        **table("items"),
    log:
        "logs/table_items.log",
    conda:
        "../envs/analysis.yaml"
    params:
        rows=[
            {"item": item["item"], "target": target, "shows": item["shows"], "lacks": lacking(target)}
            for target, item in PAPER_ITEMS.items()
            if target != "fig_target"
        ],
    script:
        "../workflow/scripts/table_items.py"


rule table_audit:
    """Whether every run is there and belongs to this study."""
    input:
        scores=scores_of(study.asked),
    output:
        **table("audit"),
    log:
        "logs/table_audit.log",
    conda:
        "../envs/analysis.yaml"
    params:
        strict=False,
        plan=lambda wildcards: study.plan,
    script:
        "../workflow/scripts/audit_runs.py"


rule audit:
    """Audit the runs that there are, whenever it is asked for; fail where one is wrong."""
    log:
        "logs/audit.log",
    conda:
        "../envs/analysis.yaml"
    params:
        strict=True,
        plan=lambda wildcards: study.plan,
    script:
        "../workflow/scripts/audit_runs.py"
