"""What the bootstrap of a line costs: 100,000 resamples of 67 models, beside a plain loop over numpy.polyfit.

    python benchmarks/bootstrap_lines.py --json lines.json

The peer draws the models of one resample and fits them, one resample after the other, as plotting code commonly does.
It takes fewer resamples, and its seconds are scaled to as many as ours. Rounds are interleaved and each side's median
counts. Seconds are the CPU's, so that other work on the machine does not count.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np

from apr.basics.files import write_json
from apr.statistics.lines import bootstrap_lines


def loop(x: np.ndarray, y: np.ndarray, samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The peer: slopes and offsets, one numpy.polyfit a resample."""
    random = np.random.default_rng(seed)
    lines = np.empty((samples, 2))
    for i in range(samples):
        rows = random.integers(len(x), size=len(x))
        lines[i] = np.polyfit(x[rows], y[rows], 1)
    return lines[:, 0], lines[:, 1]


def cpu_seconds(bootstrap: Callable, x: np.ndarray, y: np.ndarray, samples: int) -> tuple[float, float]:
    """CPU seconds of one call, and the width of the slope's 95 % interval that it finds."""
    started = time.process_time()
    slopes, _ = bootstrap(x, y, samples, 0)
    seconds = time.process_time() - started
    return seconds, float(np.ptp(np.percentile(slopes, (2.5, 97.5))))


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the result to this file")
    parser.add_argument("--models", type=int, default=67)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--peer-samples", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    random = np.random.default_rng(1)
    x = random.uniform(55, 85, options.models)
    y = 1.1 * x - 20 + random.normal(0, 1, options.models)
    own, peer, widths = [], [], {}
    for _ in range(options.rounds):
        seconds, widths["own"] = cpu_seconds(bootstrap_lines, x, y, options.samples)
        own.append(seconds)
        seconds, widths["peer"] = cpu_seconds(loop, x, y, options.peer_samples)
        peer.append(seconds * options.samples / options.peer_samples)
    result = {
        "numpy": np.__version__,
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "models": options.models,
        "samples": options.samples,
        "cpu_seconds": round(statistics.median(own), 3),
        "peer_cpu_seconds": round(statistics.median(peer), 3),
        "ratio_to_peer": round(statistics.median(own) / statistics.median(peer), 4),
        "slope_interval_widths": {side: round(width, 4) for side, width in widths.items()},
    }
    print(json.dumps(result, indent=1))
    if options.json:
        write_json(options.json, result)


if __name__ == "__main__":
    main()
