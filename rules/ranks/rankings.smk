# Needs:  results/scores/{task}.csv (scores.smk, ../published.smk)
# Makes:  results/tables/rankings_<name>.{csv,md,rst}, results/figures/rankings_<name>.{pdf,png,csv,rst}
#
# Does the ranking of models on one task hold on others? One table and one figure for each of comparisons.rankings.


rule rankings:
    """Rank correlations of pairs of tasks: over all models, in restricted ranges, among the best, and what they cost."""
    input:
        scores=lambda wildcards: files.scores(tasks_of(comparisons.rankings[wildcards.ranking]["pairs"])),
    output:
        **outputs.both(
            "rankings_{ranking}", "rankings", lambda wildcards: comparisons.rankings[wildcards.ranking]["title"]
        ),
    log:
        "logs/rankings/{ranking}.log",
    wildcard_constraints:
        ranking=one_of(comparisons.rankings),
    conda:
        "../../envs/analysis.yaml"
    params:
        ranking=lambda wildcards: comparisons.rankings[wildcards.ranking],
        titles=lambda wildcards: study.titles(tasks_of(comparisons.rankings[wildcards.ranking]["pairs"])),
        bootstrap=lambda wildcards: comparisons.bootstraps[wildcards.ranking],
    script:
        "../../workflow/scripts/rankings.py"
