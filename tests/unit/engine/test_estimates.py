"""How long tasks take, and how many runs share a job, by hand."""

from types import SimpleNamespace

import pytest

from cluster.estimates import batch_size, preparation_limit, time_limit, training_images, training_minutes


def study(**changes):
    cluster = {"images_per_second": 100, "per_gpu": 2, "minutes_per_job": 60}
    tasks = {
        "trained": task(),
        "half": task(resolution=112),
        "small": task(resolution=32),
        "tuned": task(trains=False, resolution=None),
        "probed": task(trains=False, epochs=None),
        "longer": task(continues="trained", epochs=10),
        "evaluated": task(fits=False),
    }
    return SimpleNamespace(
        cluster=cluster | changes,
        tasks=tasks,
        datasets={"d": {"images": 6_000, "classes": 10, "files": []}, "unknown": {"images": None, "classes": None}},
        views={"v": {"per_class": None}, "few": {"per_class": 7}},
    )


def task(trains=True, fits=True, epochs=4, resolution=224, continues=None, **more):
    protocol = {"resolution": resolution} | ({"epochs": epochs} if epochs else {})
    common = {"dataset": "d", "view": "v", "classes": None}
    return SimpleNamespace(trains=trains, fits=fits, protocol=protocol, continues=continues, **common | more)


def test_images_of_a_task_by_hand():
    images = {
        (): 6_000,
        (("classes", 3),): 1_800,
        (("classes", 3), ("view", "few")): 21,
        (("view", "few"),): 6_000,
        (("dataset", "unknown"),): 50_000,
        (("dataset", "unknown"), ("classes", 3)): 50_000,
    }
    assert {key: training_images(study(), task(**dict(key))) for key in images} == images
    odd = study()
    odd.datasets["d"]["images"] = 1_001
    assert training_images(odd, task(classes=3)) == 301  # 300.3


def test_minutes_of_a_task_by_hand():
    """At 100 images a second 6,000 take a minute, after half of one; pretrained models are ten times as slow."""
    assert {name: training_minutes(study(), name) for name in study().tasks} == {
        "trained": 0.5 + 4,
        "half": 0.5 + 4 / 4,
        "small": 0.5 + 4 / 5,  # at most five times as fast
        "tuned": 0.5 + 40,
        "probed": 0.5 + 10,
        "longer": 0.5 + 6,  # after the first four epochs
        "evaluated": pytest.approx(0.5 + 10 * 50_000 / 100 / 60),
    }
    assert training_minutes(study(), "trained", "3") == 3.5
    assert training_minutes(study(), "longer", 5) == 1.5


def test_batches_and_limits_by_hand():
    assert batch_size(study(), "trained") == 26  # 2 x 60 / 4.5
    assert batch_size(study(), "trained", 1) == 80
    assert batch_size(study(minutes_per_job=1), "tuned") == 1
    assert [time_limit(study(), "trained", attempt) for attempt in (1, 2)] == [7, 14]  # 6.75 minutes, rounded up
    assert time_limit(study(), "trained", 1, 1) == 3
    for sizes, minutes in (([], 30), ([None, 0], 30), ([1], 31), ([10**11], 90), ([10**11, 1], 91)):
        one = study()
        one.datasets["d"]["files"] = [{"bytes": size} for size in sizes]
        assert preparation_limit(one, "d", 1) == minutes
        assert preparation_limit(one, "d", 3) == 3 * minutes
