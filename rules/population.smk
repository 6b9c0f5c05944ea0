# The architectures: drawn once, the same for every task.


rule sample_population:
    """Sample AnyNetX architectures in the band of complexity."""
    output:
        "results/population.csv",
    log:
        "logs/sample_population.log",
    conda:
        "../envs/analysis.yaml"
    params:
        population=study.population,
        code=code("anynet", "population"),
    script:
        "../workflow/scripts/sample_population.py"
