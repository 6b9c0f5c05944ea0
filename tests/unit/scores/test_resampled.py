"""Kept outputs are read with distrust, scored on resampled images, and agree with the score table."""

import json

import numpy as np
import pytest
from transfer_studies import RESAMPLES, SEED, Target

from apr.basics.problems import Problem
from apr.data.sources.npz import save_npz
from apr.scores.outputs import read_outputs
from apr.scores.resampled import read_resampled, resample, write_resampled
from apr.scores.table import read_scores
from apr.statistics.bootstrap import interval

FEW = ["own:studies/networks/tf_quant.py:mobilenetv1_025", "timm:tf_efficientnet_lite2.in1k"]


def made(root, **settings):
    target = Target("plants", models=FEW, **settings)
    return target, target.write(root)


def scored(target, files, **changed):
    table, runs, kept = files
    return resample(table, changed.get("runs", runs), changed.get("kept", kept), target.manifest(), RESAMPLES, SEED)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"metric": "auc", "classes": 2},
        {"metric": "macro_f1", "several": True},
        {"metric": "macro_f1", "classes": 6},
        {"metric": "top1_error", "groups": 40},
    ],
)
def test_runs_have_their_score_and_draws_around_it(tmp_path, settings):
    target, files = made(tmp_path, **settings)
    found = scored(target, files)
    assert found.models == FEW
    np.testing.assert_allclose(found.values, [row["value"] for row in read_scores(files[0])])
    assert found.draws.shape == (2, RESAMPLES)
    for value, draws in zip(found.values, found.draws, strict=True):
        low, high = interval(draws.astype(float))
        assert low < value < high
    assert (found.images, found.groups > 0) == (300, "groups" in settings)
    assert list(found.positives.values()) == target.manifest()["per_class"]["test"]


@pytest.mark.parametrize("metric", ["macro_f1", "top5_accuracy"])
def test_scores_with_ties_and_without_a_class_are_those_of_the_run(tmp_path, metric):
    target = Target("plants", metric=metric, classes=7, models=FEW)
    target.labels[target.labels == 6] = 0
    target.outputs = lambda model, lift=0.0: (
        np.maximum(0, target.hard.round()).astype(np.float32)
        * (
            np.arange(7) < 6  # logits under a ReLU, as SqueezeNet's, and a class that is never answered
        )
    )
    found = scored(target, target.write(tmp_path))
    low, high = interval(found.draws[0].astype(float))
    assert low < found.values[0] < high


def test_what_is_written_is_read_again(tmp_path):
    target, files = made(tmp_path)
    found = scored(target, files)
    for name in ("a", "b"):
        write_resampled(tmp_path / f"{name}.npz", found)
    again = read_resampled(tmp_path / "a.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert (again.models, again.images, again.positives) == (found.models, found.images, found.positives)
    np.testing.assert_array_equal(again.draws, found.draws)
    assert again.cost("parameters") == {FEW[0]: 1e6, FEW[1]: 2e6}
    assert again.cost("images_per_second") == {FEW[0]: 100.0, FEW[1]: 101.0}


def test_tasks_of_one_view_have_the_same_resamples(tmp_path):
    first, second = (Target(name, view="plants", models=FEW) for name in ("plants", "plants_plain"))
    other = Target("stones", models=FEW)
    draws = []
    for target in (first, second, other):
        found = scored(target, target.write(tmp_path))
        draws.append(found.draws[0] - found.values[0])
    assert np.corrcoef(draws[0], draws[1])[0, 1] > 0.3 > abs(np.corrcoef(draws[0], draws[2])[0, 1])


def test_the_chosen_cells_count_and_seeds_are_averaged(tmp_path):
    target, files = made(tmp_path, cells=(0.1, 0.01, 0.001), seeds=(1, 2))
    found = scored(target, files)
    assert found.models == [FEW[0]] * 2 + [FEW[1]] * 2
    names, values, draws = found.of_models("plants", 0)
    assert names == FEW
    np.testing.assert_allclose(values, [found.values[:2].mean(), found.values[2:].mean()])
    assert draws.shape == (2, RESAMPLES)
    seeds = np.abs(np.diff(found.values))[0]
    assert draws[0].std() > 0.2 * seeds
    np.testing.assert_array_equal(draws, found.of_models("plants", 0)[2])


def test_outputs_that_contradict_themselves_are_refused(tmp_path):
    good = {"test_scores": np.zeros((4, 3), np.float32), "test_labels": np.array([0, 1, 2, 0])}
    cases = {
        "lacks test_labels": {"test_scores": good["test_scores"]},
        "scores are float32 [12], not numbers of": good | {"test_scores": np.zeros(12, np.float32)},
        "scores are not all finite": good | {"test_scores": np.full((4, 3), np.nan, np.float32)},
        "labels are int64 [3], not whole numbers for each of 4 images": good | {"test_labels": np.array([0, 1, 2])},
        "labels go from 0 to 3, not from 0 to 2": good | {"test_labels": np.array([0, 1, 2, 3])},
        "labels go from 0 to 2, not from 0 to 1": good | {"test_labels": np.full((4, 3), 2).cumsum(0) - 2},
        "groups are float64 [4], not a whole number": good | {"test_groups": np.zeros(4)},
    }
    cases["labels go from 0 to 2, not from 0 to 1"]["test_labels"] = np.array([[0, 1, 2]] * 4)
    for number, (said, arrays) in enumerate(cases.items()):
        save_npz(tmp_path / f"{number}.npz", arrays)
        with pytest.raises(Problem) as problem:
            read_outputs(tmp_path / f"{number}.npz")
        assert said in str(problem.value)
    with pytest.raises(Problem, match="is missing"):
        read_outputs(tmp_path / "none.npz")
    save_npz(tmp_path / "good.npz", good)
    assert read_outputs(tmp_path / "good.npz").groups is None
    with pytest.raises(Problem, match="is not what its run kept"):
        read_outputs(tmp_path / "good.npz", "0" * 64)


def test_pickled_outputs_are_not_opened(tmp_path):
    np.savez(tmp_path / "bad.npz", test_scores=np.array([{"a": 1}], object), test_labels=np.zeros(1, int))
    with pytest.raises(Problem, match="cannot be read"):
        read_outputs(tmp_path / "bad.npz")


def test_files_of_other_runs_are_refused(tmp_path):
    target, (table, runs, kept) = made(tmp_path)
    with pytest.raises(Problem, match=r"has 2 runs, the task 1"):
        scored(target, (table, runs[:1], kept[:1]))
    with pytest.raises(Problem, match=r"is a run of timm:tf_efficientnet_lite2\.in1k, not of"):
        scored(target, (table, runs[::-1], kept[::-1]))
    run = json.loads(runs[0].read_text())
    del run["outputs"]
    runs[0].write_text(json.dumps(run))
    other, (_, _, others) = Target("plants", models=FEW, view="trees"), made(tmp_path / "b")[1]
    arrays = dict(np.load(others[0]))
    save_npz(kept[0], arrays | {"test_scores": -arrays["test_scores"]})
    with pytest.raises(Problem, match=r"gives top1_accuracy .*: one of them is of another run"):
        scored(target, (table, runs, kept))
    save_npz(kept[0], {"test_scores": other.outputs(FEW[0]), "test_labels": other.labels})
    with pytest.raises(Problem, match="is of other images than"):
        scored(target, (table, runs, kept))


def test_a_damaged_file_of_resamples_is_named(tmp_path):
    with pytest.raises(Problem, match="no such file"):
        read_resampled(tmp_path / "none.npz")
    save_npz(tmp_path / "old.npz", {"models": np.array(["a"])})
    with pytest.raises(Problem, match="laid out by another version"):
        read_resampled(tmp_path / "old.npz")
