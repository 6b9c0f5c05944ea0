"""All that touches Snakemake's inner parts, which may change with any release: seen in 9.27.1, and in its SLURM plugin 2.8.0."""
