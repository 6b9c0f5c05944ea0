# Needs:  results/scores/{task}.csv (../scores.smk, ../published.smk), results/resampled/{task}.npz (resampling.smk),
#         resources/transfer_claims.yaml
# Makes:  results/tables/transfer_<name>.{csv,md,rst}; the .rst is the caption
#
# Does ImageNet accuracy carry over to other data? The tables; figures.smk has the figures.


rule table_transfer_slopes:
    """Slopes over all models and over the better ones, and what such a design can tell."""
    input:
        scores=outputs.needed("table_transfer_slopes", files.scores(comparisons.transfer.tasks("probes", "scratch"))),
        resampled=comparisons.transfer.resampled("probes", "scratch"),
        claims=items.transfer_claims,
    output:
        **outputs.table("transfer_slopes"),
    log:
        "logs/table_transfer_slopes.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        transfer=comparisons.transfer.params("probes", "scratch"),
    script:
        "../../workflow/scripts/table_transfer_slopes.py"


rule table_transfer_scores:
    """Every model's score on every dataset, with its interval."""
    input:
        scores=outputs.needed("table_transfer_scores", files.scores(comparisons.transfer.tasks())),
        resampled=comparisons.transfer.resampled(),
    output:
        **outputs.table("transfer_scores"),
    log:
        "logs/table_transfer_scores.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        transfer=comparisons.transfer.params(),
    script:
        "../../workflow/scripts/table_transfer_scores.py"


rule table_transfer_models:
    """Which model to take on each dataset, and whether ImageNet accuracy would have told."""
    input:
        scores=outputs.needed("table_transfer_models", files.scores(comparisons.transfer.tasks("probes"))),
        resampled=comparisons.transfer.resampled("probes"),
    output:
        **outputs.table("transfer_models"),
    log:
        "logs/table_transfer_models.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        transfer=comparisons.transfer.params("probes"),
    script:
        "../../workflow/scripts/table_transfer_models.py"


rule table_transfer_rankings:
    """Rank correlations with ImageNet, the noise ceiling of each, and what the best on ImageNet loses."""
    input:
        scores=outputs.needed("table_transfer_rankings", files.scores(comparisons.transfer.tasks())),
        resampled=comparisons.transfer.resampled(),
    output:
        **outputs.table("transfer_rankings"),
    log:
        "logs/table_transfer_rankings.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        transfer=comparisons.transfer.params(),
    script:
        "../../workflow/scripts/table_transfer_rankings.py"


rule table_transfer_cells:
    """The cell of the grid that counts, for each model and dataset."""
    input:
        scores=outputs.needed("table_transfer_cells", files.scores(comparisons.transfer.with_grid)),
    output:
        **outputs.table("transfer_cells"),
    log:
        "logs/table_transfer_cells.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        titles=study.titles(comparisons.transfer.with_grid),
    script:
        "../../workflow/scripts/table_transfer_cells.py"


rule table_transfer_scorecard:
    """Values of the papers beside those measured here."""
    input:
        scores=outputs.needed(
            "table_transfer_scorecard", files.scores(comparisons.transfer.tasks("probes", "augmentation"))
        ),
        resampled=comparisons.transfer.resampled("probes", "augmentation"),
        claims=items.transfer_claims,
    output:
        **outputs.table("transfer_scorecard"),
    log:
        "logs/table_transfer_scorecard.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        transfer=comparisons.transfer.params("probes", "augmentation"),
    script:
        "../../workflow/scripts/table_transfer_scorecard.py"
