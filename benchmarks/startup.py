"""CPU-seconds that starts cost: of a training and of a figure, plainly and forked from a warm process, in turn.

    python benchmarks/startup.py --pairs 7 --json startup.json

A training runs up to its first step, a figure's script up to the end of its imports. Counted are all processes that a
start needs: what waits for it, the warm process and its forks. What the warm process itself took to start is apart.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("workflow", "workflow/scripts", "tests/helpers", "tests/helpers/starts")]

import numpy as np  # noqa: E402
from small import GENOTYPE, PROTOCOL, packed_images  # noqa: E402
from warm_owner import START, Owner  # noqa: E402

from apr.basics.files import write_json  # noqa: E402
from apr.data.views import select_view  # noqa: E402
from engine.warm import LIBRARIES  # noqa: E402

WHOLE = {"classes": None, "per_class": None, "cap": None, "seed": 0}
# train.py itself, but that its first step ends it
TRAINING = f"""import runpy, sys
sys.path[0] = {str(ROOT / "workflow/scripts")!r}
import apr.runs.training
apr.runs.training.train_network = lambda *_, **__: sys.exit()
runpy.run_path({str(ROOT / "workflow/scripts/train.py")!r}, run_name="__main__")
"""
FIGURE = f"""import sys
sys.path[0] = {str(ROOT / "workflow/scripts")!r}
import snakemake.io, snakemake.iocontainers, snakemake.logging
import apr.figures.ranks.scatter, apr.figures.style, apr.scores.frames, apr.scores.tested
import matplotlib.backends.backend_pdf, fontTools.subset
"""


def training_words(folder: Path) -> list[str]:
    """The options of a training of some made-up pictures, which are written into a folder."""
    packed, labels = packed_images(folder, side=24)
    index = np.array(packed.index)
    index["split"] = np.arange(len(labels)) % 9 >= 6
    np.save(folder / "noise.index.npy", index)
    about = {"name": "noise", "classes": list("abcdef"), "bin_sha256": "b", "index_sha256": "i"}
    about |= {"mean": [0.5, 0.4, 0.3], "sd": [0.25, 0.2, 0.3]}
    write_json(folder / "view.json", select_view("noise", WHOLE, about, index))
    return [
        *["--task", "noise", "--model", "a000", "--genotype", str(GENOTYPE), "--view", str(folder / "view.json")],
        *[
            "--packed",
            str(folder / "noise"),
            "--storage",
            "pixels",
            "--protocol",
            json.dumps(PROTOCOL | {"padding": 0}),
        ],
        *["--run", str(folder / "run.json"), "--checkpoint", str(folder / "checkpoint.pt"), "--device", "cpu"],
    ]


def seconds_of(owner: Owner, warm: list[str], words: list[str]) -> float:
    """CPU-seconds of one start."""
    before = used(owner)
    done = subprocess.run([sys.executable, *warm, *words], env=owner.environment, capture_output=True, text=True)
    if done.returncode or "plainly" in done.stderr:
        sys.exit(f"error: a start failed: {done.stderr[-1000:]}")
    while any(Path(f"/proc/{pid}/task/{pid}/children").read_text() for pid in owner.servers()):
        time.sleep(0.01)  # what a fork took counts once it has ended
    return used(owner) - before


def used(owner: Owner) -> float:
    """CPU-seconds until now: of what ended, and of the warm processes with what they forked and has ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime + sum(map(of_server, owner.servers()))


def of_server(pid: int) -> float:
    """CPU-seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as place, Owner(LIBRARIES) as owner:
        folder = Path(place)
        for name, kind, text in (("training", "runs", TRAINING), ("figure", "tables", FIGURE)):
            script = folder / f"{name}.py"
            script.write_text(text)
            words = [str(script), *(training_words(folder) if name == "training" else [])]
            first = seconds_of(owner, [START, kind], words)
            ways = [], [START, kind]
            pairs = [[seconds_of(owner, way, words) for way in ways] for _ in range(arguments.pairs)]
            plain, warm = (statistics.median(one) for one in zip(*pairs, strict=True))
            found[name] = {"plain": plain, "warm": warm, "first": first, "pairs": pairs}
            print(f"{name}: {plain:.2f} CPU-s plainly, {warm:.2f} warm, {first:.2f} the first one")
    if arguments.json:
        write_json(arguments.json, found)


if __name__ == "__main__":
    main()
