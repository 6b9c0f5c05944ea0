# Needs:  results/scores/{task}.csv (scores.smk, ../published.smk)
# Makes:  results/tables/rankings_<name>.{csv,md,rst}, results/figures/rankings_<name>.{pdf,png,csv,rst}
#
# Does the ranking of models on one task hold on others? One table and one figure for each of comparisons.rankings.


rule table_rankings:
    """Rank correlations of pairs of tasks: over all models, in restricted ranges, among the best, and what they cost."""
    input:
        scores=lambda wildcards: files.scores(tasks_of(comparisons.rankings[wildcards.ranking]["pairs"])),
    output:
        **outputs.table(
            "rankings_{ranking}", "table_rankings", lambda wildcards: comparisons.rankings[wildcards.ranking]["title"]
        ),
    log:
        "logs/table_rankings/{ranking}.log",
    wildcard_constraints:
        ranking=one_of(comparisons.rankings),
    conda:
        "../../envs/analysis.yaml"
    params:
        ranking=lambda wildcards: comparisons.rankings[wildcards.ranking],
        titles=lambda wildcards: study.titles(tasks_of(comparisons.rankings[wildcards.ranking]["pairs"])),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/table_rankings.py"


rule fig_rankings:
    """One task's scores against another's, a small panel for each pair; or all correlations as a matrix."""
    input:
        scores=lambda wildcards: files.scores(tasks_of(comparisons.rankings[wildcards.ranking]["pairs"])),
    output:
        **outputs.drawing(
            "rankings_{ranking}", "fig_rankings", lambda wildcards: comparisons.rankings[wildcards.ranking]["title"]
        ),
    log:
        "logs/fig_rankings/{ranking}.log",
    wildcard_constraints:
        ranking=one_of(comparisons.rankings),
    conda:
        "../../envs/analysis.yaml"
    params:
        ranking=lambda wildcards: comparisons.rankings[wildcards.ranking],
        titles=lambda wildcards: study.titles(tasks_of(comparisons.rankings[wildcards.ranking]["pairs"])),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/fig_rankings.py"
