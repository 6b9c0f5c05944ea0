"""Snakemake that soon sees what became of its SLURM jobs, since nobody else uses this cluster.

python prompt_snakemake.py ...     takes the options of snakemake

On a cluster it asks half a minute after something ended, and where nothing does, every three minutes in the end.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATUS, QUEUE = 2, 5  # seconds between two questions: of Snakemake, of the watch over the queue

if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "workflow"), str(ROOT / "workflow/scripts")]
    sys.executable = str(Path(sys.prefix, "bin/python"))  # of jobs: no fork of a process outside of them

    from snakemake.cli import main
    from snakemake_executor_plugin_slurm import Executor

    from engine.slurm import QueueWatch

    Executor.next_seconds_between_status_checks = property(lambda executor: STATUS, lambda executor, seconds: None)
    QueueWatch.__init__.__defaults__ = (QUEUE,)
    main(sys.argv[1:])
