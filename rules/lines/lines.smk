# Needs:  results/scores/{task}.csv (scores.smk)
# Makes:  results/tables/<name>.{csv,md,rst}, results/figures/<name>.{pdf,png,csv,rst}; the .rst is the caption
#
# Lines through the same models on an original and on a new test set: one table and one figure a line, and all in one.


rule table_retest:
    """Accuracies of the same models on an original and on a new test set, with their ranks."""
    input:
        original=lambda wildcards: f"results/scores/{comparisons.lines[wildcards.retest]['original']}.csv",
        new=lambda wildcards: f"results/scores/{comparisons.lines[wildcards.retest]['new']}.csv",
    output:
        **outputs.table(
            "retest_{retest}", "table_retest", lambda wildcards: comparisons.lines[wildcards.retest]["title"]
        ),
    log:
        "logs/table_retest/{retest}.log",
    wildcard_constraints:
        retest=one_of(comparisons.lines),
    conda:
        "../../envs/analysis.yaml"
    params:
        retest=lambda wildcards: comparisons.lines[wildcards.retest],
        titles=lambda wildcards: study.titles(comparisons.sides([comparisons.lines[wildcards.retest]])),
    script:
        "../../workflow/scripts/table_retest.py"


rule fig_retest:
    """Accuracy on a new test set against that on the original, with the line through the models."""
    input:
        original=lambda wildcards: f"results/scores/{comparisons.lines[wildcards.retest]['original']}.csv",
        new=lambda wildcards: f"results/scores/{comparisons.lines[wildcards.retest]['new']}.csv",
    output:
        **outputs.drawing(
            "retest_{retest}", "fig_retest", lambda wildcards: comparisons.lines[wildcards.retest]["title"]
        ),
    log:
        "logs/fig_retest/{retest}.log",
    wildcard_constraints:
        retest=one_of(comparisons.lines),
    conda:
        "../../envs/analysis.yaml"
    params:
        retest=lambda wildcards: comparisons.lines[wildcards.retest],
        titles=lambda wildcards: study.titles(comparisons.sides([comparisons.lines[wildcards.retest]])),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/fig_retest.py"


rule table_retest_slopes:
    """Slopes, offsets and mean changes of all lines."""
    input:
        scores=outputs.needed("table_retest_slopes", files.scores(comparisons.sides(comparisons.lines.values()))),
    output:
        **outputs.table("retest_slopes"),
    log:
        "logs/table_retest_slopes.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        retests=list(comparisons.lines.values()),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/table_retest_slopes.py"


rule fig_retest_slopes:
    """The slopes and offsets as a figure, with the paper's values."""
    input:
        scores=outputs.needed("fig_retest_slopes", files.scores(comparisons.sides(comparisons.lines.values()))),
    output:
        **outputs.drawing("retest_slopes"),
    log:
        "logs/fig_retest_slopes.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        retests=list(comparisons.lines.values()),
        published=items.paper_values,
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/fig_retest_slopes.py"


rule table_retest_scorecard:
    """Each value that the paper reports beside the one measured here."""
    input:
        scores=outputs.needed("table_retest_scorecard", files.scores(comparisons.sides(comparisons.lines.values()))),
        claims=items.line_claims_file,
    output:
        **outputs.table("retest_scorecard"),
    log:
        "logs/table_retest_scorecard.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        retests=list(comparisons.lines.values()),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/table_retest_scorecard.py"
