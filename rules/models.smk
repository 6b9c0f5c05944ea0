# Needs:  the study's population
# Makes:  results/population.csv  the architectures, the same for every task
#
# They follow from the configuration alone, so that trainings get their genotype by value: a file would make Snakemake
# train all again whenever one is added.


rule sample_population:
    """Sample AnyNetX architectures in the band of complexity."""
    output:
        "results/population.csv",
    log:
        "logs/sample_population.log",
    conda:
        "../envs/analysis.yaml"
    params:
        population=lambda wildcards: study.architectures,
    script:
        "../workflow/scripts/sample_population.py"
