# What sums up all retests, and whether the line of 2019 holds for the models since. Included by retest.smk.


rule table_retest_slopes:
    """Slopes, offsets and mean changes of all retests."""
    input:
        scores=compared(RETESTS),
    output:
        **table("retest_slopes"),
    log:
        "logs/table_retest_slopes.log",
    conda:
        "../envs/analysis.yaml"
    params:
        retests=RETESTS,
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/table_retest_slopes.py"


rule fig_retest_slopes:
    """The slopes and offsets as a figure, with the paper's values."""
    input:
        scores=compared(RETESTS),
    output:
        **drawing("retest_slopes"),
    log:
        "logs/fig_retest_slopes.log",
    conda:
        "../envs/analysis.yaml"
    params:
        retests=RETESTS,
        published={name: values for name in study.retests if (values := paper_values(name))},
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/fig_retest_slopes.py"


rule table_retest_scorecard:
    """Each value that the paper reports beside the one measured here."""
    input:
        scores=needed("table_retest_scorecard", compared(RETESTS)),
        claims=CLAIMS,
    output:
        **table("retest_scorecard"),
    log:
        "logs/table_retest_scorecard.log",
    conda:
        "../envs/analysis.yaml"
    params:
        retests=RETESTS,
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/table_retest_scorecard.py"


rule fig_since:
    """The models since 2019 beside the line of 2019."""
    input:
        scores=needed("fig_since", compared(SINCE["retests"])),
        families=FAMILIES,
    output:
        **drawing("since"),
    log:
        "logs/fig_since.log",
    conda:
        "../envs/analysis.yaml"
    params:
        retests=SINCE["retests"],
        titles=study.titles,
        highlight=lambda wildcards: SINCE.get("highlight"),
        scale=SINCE.get("scale"),
        bootstrap=SINCE_BOOTSTRAP,
    script:
        "../workflow/scripts/fig_since.py"


rule fig_family_distances:
    """How far families of models lie from the line of 2019."""
    input:
        scores=needed("fig_family_distances", compared(SINCE["retests"])),
        families=FAMILIES,
    output:
        **drawing("family_distances"),
    log:
        "logs/fig_family_distances.log",
    conda:
        "../envs/analysis.yaml"
    params:
        retests=SINCE["retests"],
        titles=study.titles,
        fewest=SINCE.get("fewest"),
        bootstrap=SINCE_BOOTSTRAP,
    script:
        "../workflow/scripts/fig_family_distances.py"


rule table_since:
    """Whether the line of 2019 holds for the models since: changes of slope, with their tests."""
    input:
        scores=needed("table_since", compared([*SINCE["retests"], *SINCE["published"]])),
        families=FAMILIES,
    output:
        **table("since"),
    log:
        "logs/table_since.log",
    conda:
        "../envs/analysis.yaml"
    params:
        retests=SINCE["retests"],
        published=SINCE["published"],
        bootstrap=SINCE_BOOTSTRAP,
    script:
        "../workflow/scripts/table_since.py"
