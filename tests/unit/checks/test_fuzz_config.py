"""Configurations that somebody broke at random: every outcome is a list of errors, or a study that can be planned.

Seeded and bounded: some seconds, or as many as APRBENCH_FUZZ_SECONDS says.
"""

import copy
import json
import os
import random
import re
import time

import pytest
import yaml

from checks.config import check_config
from study import ROOT, study_of
from study.items import Items
from yaml_files import read_document

SECONDS = float(os.environ.get("APRBENCH_FUZZ_SECONDS", 12))
STUDIES = {
    "demo": ["studies/demo.yaml"],
    "paper": ["config.yaml"],
    "slices": ["studies/slices.yaml"],
    "retest": ["studies/retest.yaml"],
    "live": ["studies/retest.yaml", "studies/retest_live.yaml"],
}
# what people write, and what they never would
VALUES = [
    *(None, True, False, 0, -1, 1, 2, 3, 7, 10**9, 10**7, -(10**400), 10**400, 0.0, -0.0, 0.5, 1.5, 8.0),
    *(float("nan"), float("inf"), -float("inf"), 1e-320, 1e300),
    *(
        "",
        " ",
        "1e-2",
        "5e-5",
        "yes",
        "x\n",
        "a\nb",
        "../x",
        "/x",
        "{v}",
        "{wildcards.x}",
        "$HOME",
        "\\",
        "a/b",
        ".",
        "-x",
    ),
    *("\x00", "\x1b[31m", "\u202e", "é", "e\u0301", "💥", "x" * 500),
    *(
        "<script>",
        ".. raw:: html",
        "photos",
        "top5",
        "small",
    ),
    *([], [[]], [1], ["x"], ["x", "x"], [None], {}, {"x": 1}, {"a": {"b": {"c": 1}}}, [1, "x"], [3, 2], [2, 2]),
]
KEYS = ["x", "1", "on", "", "a b", "a/b", "é", "options", "classes", "x\n", "{v}", "-", ".", "source"]


def config_of(names):
    values = [read_document(ROOT / name) for name in names]
    assert not any(document.errors for document in values)
    return study_values(values)


def study_values(documents):
    from yaml_files import merged

    return merged([document.value for document in documents])


def places(value, path=()):
    """Paths of all keys and items."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def holder_of(config, path):
    for key in path[:-1]:
        config = config[key]
    return config


def misspelt(text, random):
    at = random.randrange(len(text) + 1)
    return random.choice([text[:at] + text[at + 1 :], text[:at] + "x" + text[at:], text.upper(), text + "s"])


def mutate(config, random):
    """Break one place."""
    path = random.choice(list(places(config)))
    holder, key = holder_of(config, path), path[-1]
    value = holder[key]
    kind = random.choice(["delete", "value", "value", "value", "swap", "typo", "key", "wrap", "scale", "text"])
    if kind == "delete":
        del holder[key]
    elif kind == "value":
        holder[key] = copy.deepcopy(random.choice(VALUES))
    elif kind == "swap":
        other = random.choice(list(places(config)))
        taken = holder_of(config, other)
        holder[key] = copy.deepcopy(taken[other[-1]])
    elif kind == "typo" and isinstance(holder, dict):
        holder[misspelt(str(key), random)] = holder.pop(key)
    elif kind == "typo" and isinstance(value, str):
        holder[key] = misspelt(value, random)
    elif kind == "key" and isinstance(value, dict):
        value[random.choice(KEYS)] = copy.deepcopy(random.choice(VALUES))
    elif kind == "wrap":
        holder[key] = [value]
    elif kind == "scale" and isinstance(value, int | float) and not isinstance(value, bool):
        holder[key] = value * random.choice([-1, 0, 2, 10, 1000, 10**6, 0.5])
    elif kind == "text":
        holder[key] = str(value)


def check(config, files, folder):
    """The errors of a configuration; each is one line that names a key which is there, or is missing."""
    started = time.monotonic()
    errors = check_config(copy.deepcopy(config), files)
    taken = time.monotonic() - started
    assert all(isinstance(error, str) and error.isprintable() for error in errors), errors
    assert len(errors) == len(set(errors))
    for error in errors:
        assert len(error) < 2500, error
        assert re.match(r"[^:]+: \S", error), error
        assert "Traceback" not in error
    if not errors:
        plan(copy.deepcopy(config))
    return errors, taken


def plan(config):
    """All that a plan asks of a study."""
    study = study_of(config)
    for name, task in list(study.tasks.items())[:6]:
        runs = study.runs(name)
        assert runs or task.way == "published"
        if task.trains:
            study.protocol(name, next(iter(runs)))
            assert study.keeps(name) in (None, "weights", "state")
            assert task.protocol["epochs"] >= 1
    json.dumps([study.datasets, study.views], allow_nan=False)
    _ = study.closest(study.targets[0]) if study.targets else None
    items = Items(study)
    assert items.made("table_")
    assert items.rows
    population = study.population
    if not population or (population["size"] <= 50 and tuple(population["megaflops"]) == (0.8, 1.0)):
        study.prepare()
        _ = study.plan


@pytest.mark.parametrize("name", STUDIES)
def test_whatever_is_broken_is_named_or_can_be_planned(name, tmp_path):
    original = config_of(STUDIES[name])
    file = tmp_path / "study.yaml"
    deadline = time.monotonic() + SECONDS / len(STUDIES)
    outcomes = {True: 0, False: 0}
    seed = 0
    while seed < 15 or time.monotonic() < deadline:
        seed += 1
        generator = random.Random(f"{name} {seed}")
        config = copy.deepcopy(original)
        for _ in range(generator.choice([1, 1, 1, 2, 5])):
            mutate(config, generator)
            if not config:
                break
        file.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), encoding="utf-8")
        try:
            errors, _ = check(config, [file], tmp_path)
        except Exception as error:
            raise AssertionError(f"{name}, seed {seed}: {type(error).__name__}: {error}\n") from error
        outcomes[bool(errors)] += 1
    assert outcomes[True] > 5, outcomes


LINES = [
    *(
        "x: 1",
        "  y: [1, 2",
        "\tz: 1",
        "on: off",
        "101: 1e3",
        "- a",
        "a: *b",
        "a: &b 1",
        "? [1]",
        "{",
        "}",
        "]",
        "'",
        '"',
    ),
    *("<<: *small", "<<: {a: 1}", "...", "---", "%YAML 1.1", "!!python/name:os.system", "~: ~", ": 1", "a: |", "# x"),
    *(
        "tasks:",
        "  digits: 1",
        "datasets: {photos: }",
        "title: a: b",
        "2020-01-01: 1",
        "\ufeff",
        "\x07",
        "a: 0123",
        "__use_yte__: true",
    ),
]


def test_any_text_is_read_or_explained(tmp_path):
    original = (ROOT / "studies/demo.yaml").read_text()
    config = config_of(["studies/demo.yaml"])
    file = tmp_path / "study.yaml"
    for seed in range(60):
        generator = random.Random(seed)
        lines = original.splitlines()
        for _ in range(generator.choice([1, 1, 3])):
            at = generator.randrange(len(lines))
            action = generator.choice(["insert", "double", "cut", "indent", "drop"])
            if action == "insert":
                lines.insert(at, generator.choice(LINES))
            elif action == "double":
                lines.insert(generator.randrange(len(lines)), lines[at])
            elif action == "cut":
                lines[at] = lines[at][: generator.randrange(len(lines[at]) + 1)]
            elif action == "indent":
                lines[at] = generator.choice([" ", "  ", "\t"]) + lines[at]
            else:
                del lines[at]
        data = "\n".join(lines).encode(generator.choice(["utf-8"] * 8 + ["utf-16", "utf-8-sig"]))
        file.write_bytes(data[: generator.choice([len(data)] * 5 + [generator.randrange(len(data))])])
        document = read_document(file)
        assert document.errors or document.value
        errors, _ = check(document.value or config, [file], tmp_path)
        assert all(error.startswith(f"{file}: ") for error in errors if "missing" not in error), errors
        assert bool(document.errors) <= bool(errors)
