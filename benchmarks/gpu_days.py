"""How long a study trains, task by task, at a measured speed of one GPU.

python benchmarks/gpu_days.py --images-per-second 1300
python benchmarks/gpu_days.py --study studies/own.yaml --images-per-second 4000 --gpus 16
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("workflow", "workflow/scripts")]

from cluster.estimates import batch_size, training_images, training_minutes  # noqa: E402
from study import read_yaml, study_of  # noqa: E402


def main() -> None:
    """Parse the command line and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", default=ROOT / "config.yaml", help="its configuration (default: the paper's)")
    parser.add_argument("--images-per-second", type=float, required=True, help="training images of 224 px on one GPU")
    parser.add_argument("--gpus", type=int, default=1, help="how many work at once (default 1)")
    arguments = parser.parse_args()
    study = study_of(read_yaml(arguments.study) | {"images_per_second": arguments.images_per_second})
    print(
        "| task | trainings | images | epochs | minutes each | a job holds | GPU-days |\n|---|--:|--:|--:|--:|--:|--:|"
    )
    total, jobs = 0.0, 0
    for name in (name for name, task in study.tasks.items() if task.trains):
        task = study.tasks[name]
        runs, minutes, size = len(study.runs(name)), training_minutes(study, name), batch_size(study, name)
        days = runs * minutes / 60 / 24
        total, jobs = total + days, jobs + -(-runs // size)
        images = f"{training_images(study, task):,}"
        print(f"| {name} | {runs} | {images} | {task.protocol['epochs']} | {minutes:.1f} | {size} | {days:.1f} |")
    print(f"\n{total:.0f} GPU-days in {jobs:,} jobs; {total / arguments.gpus:.1f} days on {arguments.gpus} GPU(s)")


if __name__ == "__main__":
    main()
