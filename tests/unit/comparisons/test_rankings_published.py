"""Rankings of tables that others published, beside values that were computed from them by other code."""

from pathlib import Path

import pandas as pd
import pytest

from apr.comparisons.rankings import ranked_pairs
from apr.runs.metrics import METRICS
from apr.scores.tested import Counts
from apr.statistics.restricted import drawn_rho

PUBLISHED = Path(__file__).resolve().parents[4] / "shared/data/published"
ACCURACY = Counts(None, None, METRICS["top1_accuracy"])
PLAIN = {"name": "own", "above": None, "within": [], "draws": None, "range_corrected": False, "by_family": False}
ZERO_SHOT = {  # rho with ImageNet: over 121 models of OpenCLIP, and over the 64 from 70 % on
    "iWildCam": (0.98, 0.92),
    "GTSRB": (0.95, None),
    "EuroSAT": (0.84, 0.43),
    "FMoW": (0.76, 0.51),
    "Camelyon17": (0.23, 0.26),
    "PatchCamelyon": (0.11, None),
    "KITTI Vehicle Distance": (-0.32, None),
}


def published(name):
    if not (PUBLISHED / name).is_file():
        pytest.skip(f"../shared/data/published/{name} is missing")
    return pd.read_csv(PUBLISHED / name)


def test_zero_shot_rankings_hold_for_some_tasks_and_less_among_the_better_models():
    table = published("openclip_results.csv")
    scores = 100 * table[["ImageNet 1k", *ZERO_SHOT]].set_axis(table["name"] + " " + table["pretrained"])
    ranking = PLAIN | {"pairs": [["ImageNet 1k", task] for task in ZERO_SHOT], "above": 70.0}
    found = ranked_pairs(scores, ranking, 10, 0, dict.fromkeys(scores, ACCURACY)).set_index("y_task")
    assert set(found["n"]) == {121}
    assert set(found["n_above"]) == {64}
    for task, (whole, above) in ZERO_SHOT.items():
        assert round(found.loc[task, "rho"], 2) == whole
        assert above is None or round(found.loc[task, "rho_above"], 2) == above


def test_cells_of_nas_bench_201_agree_less_among_the_best_tenth():
    table = published("v-tao_nats_bench.csv").iloc[:, :3].set_axis(["CIFAR-10", "CIFAR-100", "ImageNet16-120"], axis=1)
    ranking = PLAIN | {"pairs": [["ImageNet16-120", task] for task in ("CIFAR-10", "CIFAR-100")], "within": [0.1]}
    found = ranked_pairs(table, ranking, 2, 0, dict.fromkeys(table, ACCURACY))
    assert found["n"].tolist() == [15_625] * 2
    assert found["rho"].tolist() == pytest.approx([0.959, 0.964], abs=5e-4)
    assert found["rho_within_10"].tolist() == pytest.approx([0.43, 0.52], abs=5e-3)
    learned = table[(table > [10.5, 1.5, 1.5]).all(axis=1)]
    drawn = drawn_rho(learned["ImageNet16-120"], learned["CIFAR-10"], 500, 1000, 0)
    assert drawn == pytest.approx((0.956, 0.940, 0.968), abs=5e-3)
