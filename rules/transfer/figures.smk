# Needs:  results/scores/{task}.csv (../scores.smk, ../published.smk), results/resampled/{task}.npz (resampling.smk)
# Makes:  results/figures/transfer*.{pdf,png,csv,rst}; the .rst is the caption
#
# Does ImageNet accuracy carry over to other data? The figures; tables.smk has the tables.


rule fig_transfer:
    """Scores on each dataset against ImageNet accuracy, with lines and bands."""
    input:
        scores=outputs.needed("fig_transfer", files.scores(comparisons.transfer.tasks("probes"))),
        resampled=comparisons.transfer.resampled("probes"),
    output:
        **outputs.drawing("transfer"),
    log:
        "logs/fig_transfer.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        transfer=comparisons.transfer.params("probes"),
    script:
        "../../workflow/scripts/fig_transfer.py"


rule fig_transfer_splines:
    """The same with a spline and its band."""
    input:
        scores=outputs.needed("fig_transfer_splines", files.scores(comparisons.transfer.tasks())),
        resampled=comparisons.transfer.resampled(),
    output:
        **outputs.drawing("transfer_splines"),
    log:
        "logs/fig_transfer_splines.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        transfer=comparisons.transfer.params(),
    script:
        "../../workflow/scripts/fig_transfer_splines.py"


rule fig_transfer_sensitivity:
    """Best, median and worst cell of the grid; the cell chosen by validation, and by test."""
    input:
        scores=outputs.needed("fig_transfer_sensitivity", files.scores(comparisons.transfer.tasks())),
        resampled=comparisons.transfer.resampled(),
        grids=files.scores(comparisons.transfer.with_grid),
    output:
        **outputs.drawing("transfer_sensitivity"),
    log:
        "logs/fig_transfer_sensitivity.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        transfer=comparisons.transfer.params(),
    script:
        "../../workflow/scripts/fig_transfer_sensitivity.py"


rule fig_transfer_augmentation:
    """What augmentation gains beside what the architecture gains."""
    input:
        scores=outputs.needed("fig_transfer_augmentation", files.scores(comparisons.transfer.tasks("augmentation"))),
        resampled=comparisons.transfer.resampled("augmentation"),
    output:
        **outputs.drawing("transfer_augmentation"),
    log:
        "logs/fig_transfer_augmentation.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        transfer=comparisons.transfer.params("augmentation"),
    script:
        "../../workflow/scripts/fig_transfer_augmentation.py"


rule fig_transfer_average:
    """Mean of the logits over datasets against ImageNet accuracy."""
    input:
        scores=outputs.needed("fig_transfer_average", files.scores(comparisons.transfer.tasks("probes"))),
        resampled=comparisons.transfer.resampled("probes"),
    output:
        **outputs.drawing("transfer_average"),
    log:
        "logs/fig_transfer_average.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        transfer=comparisons.transfer.params("probes"),
    script:
        "../../workflow/scripts/fig_transfer_average.py"


rule fig_transfer_scratch:
    """Pretrained models beside the same from scratch."""
    input:
        scores=outputs.needed("fig_transfer_scratch", files.scores(comparisons.transfer.tasks("scratch"))),
        resampled=comparisons.transfer.resampled("scratch"),
    output:
        **outputs.drawing("transfer_scratch"),
    log:
        "logs/fig_transfer_scratch.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        transfer=comparisons.transfer.params("scratch"),
    script:
        "../../workflow/scripts/fig_transfer_scratch.py"
