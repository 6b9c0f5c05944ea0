# Needs:  results/scores/{task}.csv (scores.smk), resources/model_families.yaml
# Makes:  results/tables/since.{csv,md,rst}, results/figures/{since,family_distances}.{pdf,png,csv,rst}; the .rst is the caption
#
# Does the line of 2019 hold for the models since?


rule fig_since:
    """The models since 2019 beside the line of 2019."""
    input:
        scores=outputs.needed("fig_since", files.scores(comparisons.sides(comparisons.since["lines"]))),
        families=items.families,
    output:
        **outputs.drawing("since"),
    log:
        "logs/fig_since.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        retests=comparisons.since["lines"],
        titles=study.titles(),
        highlight=lambda wildcards: comparisons.since["highlight"],
        scale=comparisons.since["scale"],
        bootstrap=study.bootstrap | {"resamples": comparisons.since["resamples"]},
    script:
        "../../workflow/scripts/fig_since.py"


rule fig_family_distances:
    """How far families of models lie from the line of 2019."""
    input:
        scores=outputs.needed("fig_family_distances", files.scores(comparisons.sides(comparisons.since["lines"]))),
        families=items.families,
    output:
        **outputs.drawing("family_distances"),
    log:
        "logs/fig_family_distances.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        retests=comparisons.since["lines"],
        titles=study.titles(),
        fewest=comparisons.since["fewest"],
        bootstrap=study.bootstrap | {"resamples": comparisons.since["resamples"]},
    script:
        "../../workflow/scripts/fig_family_distances.py"


rule table_since:
    """Whether the line of 2019 holds for the models since: changes of slope, with their tests."""
    input:
        scores=outputs.needed(
            "table_since",
            files.scores(comparisons.sides([*comparisons.since["lines"], *comparisons.since["published"]])),
        ),
        families=items.families,
    output:
        **outputs.table("since"),
    log:
        "logs/table_since.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        retests=comparisons.since["lines"],
        published=comparisons.since["published"],
        bootstrap=study.bootstrap | {"resamples": comparisons.since["resamples"]},
    script:
        "../../workflow/scripts/table_since.py"
