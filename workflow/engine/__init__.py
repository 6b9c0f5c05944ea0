"""All that touches Snakemake's inner parts, which any release may change: as seen in 9.27.1 (SLURM plugin 2.8.0)."""
