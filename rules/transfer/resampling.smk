# Needs:  results/scores/{task}.csv (../scores.smk), results/{runs,outputs}/{task}/{run}.{json,npz} (../finetuning.smk)
# Makes:  results/resampled/{task}.npz  scores of the runs that count on resampled test images, and what the runs cost
#
# Read once from all outputs of a task, so that tables and figures read one small file.


rule resample_outputs:
    """Score the runs that count on resampled test images, the same for all models of a view."""
    input:
        scores="results/scores/{task}.csv",
        runs=lambda wildcards: files.runs(wildcards.task),
        outputs=lambda wildcards: files.outputs(wildcards.task),
        view=lambda wildcards: f"results/views/{study.tasks[wildcards.task].view}.json",
    output:
        "results/resampled/{task}.npz",
    log:
        "logs/resample_outputs/{task}.log",
    wildcard_constraints:
        task=one_of(comparisons.transfer.keeping),
    conda:
        "../../envs/analysis.yaml"
    params:
        bootstrap=comparisons.transfer.bootstrap,
    message:
        "Resampling the test images of {wildcards.task}"
    script:
        "../../workflow/scripts/resample_outputs.py"
