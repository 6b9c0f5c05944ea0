"""What contradicts itself, and how long the rest takes: every sentence, whole and as it was looked at."""

import copy

import pytest
from fabricated import manifests, run_of, task
from golden import checked_rows

from apr.runs.metrics import part_of
from apr.watch.consistency import _beyond, _miscounted, impossible, mixed_devices
from apr.watch.progress import Progress, _at_once, _needed, _other_steps, _time_left, _why_unknown
from apr.watch.steps import RUNS, Call, Counted

TRAIN, TEST = (
    part_of(120, {"correct_top1": 50, "correct_top5": 90}),
    part_of(60, {"correct_top1": 30, "correct_top5": 50}),
)


def changed(run, change):
    run = copy.deepcopy(run)
    change(run)
    return run


def of_trainings(root):
    view = manifests(root)
    plan = {"photos": task(["a000"], batch=9), "longer": task([], initial="photos", continues=True, epochs=5, batch=9)}
    run = run_of(plan, "photos", "a000", view)
    for entry in (*run["history"], run["outcome"]):
        entry["parts"]["train"] = part_of(117, {"correct_top1": 50, "correct_top5": 90})  # 13 batches of 9

    def outcome(**parts):
        return lambda run: [run["outcome"]["parts"][part].update(change) for part, change in parts.items()]

    def status(name, epoch, entries):
        def change(run):
            run["outcome"] |= {"status": name, "epoch": epoch}
            del run["history"][entries:]

        return change

    for title, change in {
        "right": lambda run: None,
        "all images": outcome(train={"n": 120}),
        "fewer test images": outcome(test={"n": 59}),
        "counts": outcome(test={"correct_top1": 51}),
        "part left out": lambda run: run["outcome"]["parts"].pop("test"),
        "train left out": lambda run: run["history"][0]["parts"].pop("train"),
        "test left out": lambda run: run["history"][0]["parts"].pop("test"),
        "more parts": lambda run: run["history"][1]["parts"].update(validation=TEST),
        "epoch twice": lambda run: run["history"][1].update(epoch=1),
        "epoch less": lambda run: run["history"].pop(),
        "epoch more": lambda run: run["history"].append(run["history"][2] | {"epoch": 4}),
        "another outcome": outcome(test={"correct_top1": 29}),
        "best epoch": lambda run: run["outcome"].update(epoch=2),
        "no such epoch": lambda run: run["outcome"].update(epoch=7),
        "diverged": status("diverged", 2, 1),
        "diverged with too many images": lambda run: (status("diverged", 2, 1)(run), outcome(test={"n": 61})(run)),
        "dropped": status("dropped", 2, 2),
        "dropped later": status("dropped", 2, 3),
    }.items():
        yield title, impossible(changed(run, change), view)
    source = {"task": "photos", "fingerprint": "f", "weights": "w", "protocol": {"epochs": 3}}
    longer = run_of(plan, "longer", "a000", view, source=source)
    for entry in (*longer["history"][3:], longer["outcome"]):
        entry["parts"]["train"] = part_of(117, {"correct_top1": 50, "correct_top5": 90})
    yield "continued", impossible(longer, view)  # epochs of the source had other batches
    yield (
        "continued otherwise",
        impossible(changed(longer, lambda run: run["history"][3]["parts"]["test"].update(n=1)), view),
    )


def of_others(root):
    view = manifests(root)
    evaluated = {"protocol": {"outputs": 1000}, "outcome": {"parts": {"test": TEST}}, "history": []}
    yield impossible(evaluated, view), impossible(evaluated | {"outcome": {"parts": {"test": TEST | {"n": 9}}}}, view)
    parts = {"train": TRAIN, "test": TEST}
    history = [{"strength": strength, "parts": parts} for strength in (0.1, 1.0)]
    probed = {"protocol": {"classifier": "logistic", "strengths": [0.1, 1.0]}, "history": history}
    probed["outcome"] = {"chosen": {"strength": 0.1}, "parts": parts}
    for title, change in {
        "right": lambda run: None,
        "parts": lambda run: run["history"][1].update(parts={"test": TEST}),
        "counts": lambda run: run["history"][1].update(parts=parts | {"test": TEST | {"correct_top1": 99}}),
        "outcome": lambda run: run["outcome"].update(parts={"train": TRAIN}),
        "outcome of another": lambda run: run["outcome"].update(chosen={"strength": 2.0}),
        "strengths": lambda run: run["history"].pop(),
        "others": lambda run: run["history"][0].update(parts=parts | {"test": TEST | {"correct_top1": 29}}),
        "neighbours": lambda run: (run["history"].clear(), run["protocol"].pop("strengths")),
    }.items():
        yield title, impossible(changed(probed, change), view)
    devices = [{"provenance": {"device": "cpu", "arithmetic": "fp32"}}, {"provenance": {"device": "cpu"}}]
    yield (
        mixed_devices(devices),
        mixed_devices(devices[:1] * 1200 + [{}, {"provenance": None}]),
        mixed_devices(devices[:1]),
    )
    yield mixed_devices([*devices[:1] * 3, *devices[1:] * 1200])


def of_manifests(root):
    view = manifests(root, classes=["a", "b", "c"], train=3, test=2)
    dataset = dict(view, bin_sha256="bin", index_sha256="index")

    def case(title, of="view", **changes):
        one, other = copy.deepcopy(view), copy.deepcopy(dataset)
        (one if of == "view" else other).update(changes)
        whole = all(len(counts) == len(one["classes"]) for counts in one["per_class"].values())
        return title, _miscounted(one), _beyond(one, other) if whole else None

    yield case("right")
    yield case("counts", per_class={"train": [3, 3, 3], "test": [2, 2, 1]})
    yield case("fewer counts", per_class={"train": [3, 6], "test": [2, 2, 2]})
    yield case("less than none", per_class={"train": [10, -1, 0], "test": [2, 2, 2]})
    several = {"label_sets": [[0], [1, 2]], "per_class": {"train": [9, 0, 3], "test": [2, 2, 6]}}
    yield case("several", **several)
    yield case("several beyond", **several | {"per_class": {"train": [10, 0, 3], "test": [2, 2, -1]}})
    yield case("several fewer", **several | {"per_class": {"train": [9, 0], "test": [2, 2, 2]}})
    yield case("digest", dataset_digest="x")
    yield case("index", index_digest="x")
    yield case("class", classes=["a", "x", "y"])
    yield case("order", classes=["a", "c", "b"])
    yield case("some", classes=["a", "c"], per_class={"train": [3, 3], "test": [2, 2]})
    for key in ("classes", "per_class", "cap", "within"):
        selection = dict.fromkeys(("classes", "per_class", "cap", "within")) | {key: 2}
        fewer = {"classes": ["a", "c"], "per_class": {"train": [3, 4], "test": [2, 1]}}
        yield case(key, selection=selection, **fewer)
    yield case("fewer in whole", per_class={"train": [3, 3, 2], "test": [2, 2, 2]})


def progress(planned=10, done=0, new=0, seconds=None, cost=None):
    counts = {"outdated": 0, "speed": None, "diverged": 0, "dropped": 0, "prepared": True, "pauses": None}
    return Progress(planned=planned, done=done, new=new, seconds=seconds, cost=cost, **counts)


def of_times(root):
    tasks = {
        "known": progress(done=4, new=4, seconds=100.0, cost=10.0),
        "dear": progress(done=10, new=0, seconds=900.0, cost=100.0),
        "cheap": progress(planned=3, cost=12.0),
        "half way": progress(planned=2, cost=40.0),
        "unknown": progress(planned=5),
    }
    yield {name: _needed(one, tasks) for name, one in tasks.items()}
    yield _needed(progress(cost=3.0), {}), _needed(progress(done=10), tasks)
    for call in (Call(), Call(since=900.0), Call({(RUNS, "known"): Counted(9, running=3)}), Call(since=1000.0)):
        yield _at_once(tasks, call, 1000.0, 800.0), _at_once({"known": progress()}, call, 1000.0, 800.0)
    stages = {("data", ""): Counted(4, 2, seconds=30.0), ("scores", ""): Counted(6, failed=1), ("x", ""): Counted(1, 1)}
    calls = [Call(), Call(stages), Call({**stages, ("data", ""): Counted(4, 1)}), Call({("x", ""): Counted(1, 1)})]
    for call in calls:
        for wall in (0.0, 10.0, 100.0):
            yield _other_steps(call, wall)
        for needed in ({}, {"known": 600.0}, {"known": 600.0, "cheap": None}, {"cheap": None}, {"known": 0.0}):
            for at_once in (None, 0.25, 1.0, 9.94, 10.0, 1234.5):
                some = {name: tasks[name] for name in needed}
                yield _time_left(some, needed, at_once, call, 50.0)
    done = {"known": progress(done=10, new=2)}
    yield [_time_left(done, {"known": 0.0}, 1.0, call, 50.0) for call in calls]
    few = {"known": progress(done=4, new=2, seconds=9.0)}, {"known": progress(done=4, new=3, seconds=9.0)}
    yield [_time_left(some, {"known": 54.0}, 2.0, Call(), 50.0) for some in few]
    busy = Call({("data", ""): Counted(4, running=1), ("scores", ""): Counted(4, running=2)})
    yield _why_unknown(busy, False), _why_unknown(busy, True), _why_unknown(Call(), False)


KINDS = {"trainings": of_trainings, "others": of_others, "manifests": of_manifests, "times": of_times}


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_told_as_they_were(kind, tmp_path):
    checked_rows(f"watch/{kind}", KINDS[kind](tmp_path))
