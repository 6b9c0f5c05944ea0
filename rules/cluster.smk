# Needs:  `--profile slurm` (slurm/config.yaml), or another profile that submits jobs; nothing here matters on one machine
# Makes:  SLURM jobs of batches of runs (workflow/engine/batches.py); docs/cluster.md leads through it


# of which each run takes one: this many share the job's GPU
resource_scopes:
    trainings="local",
