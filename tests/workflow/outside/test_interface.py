"""What docs/interface.md promises to other programs, held against a finished study."""

import csv
import json
import re

import pytest
import yaml
from jsonschema import Draft202012Validator as Validator

from study import ROOT

PAGE = (ROOT / "docs/interface.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(import .*?)```", PAGE, re.DOTALL)


def faults(schema, value):
    described = yaml.safe_load((ROOT / f"workflow/schemas/{schema}.schema.yaml").read_text(encoding="utf-8"))
    Validator.check_schema(described)
    return [error.message for error in Validator(described).iter_errors(value)]


def cell(text):
    """A value of a CSV file, as readers of tables take it."""
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text or None


def test_runs_are_as_their_schema_says(finished):
    runs = [json.loads(path.read_text()) for path in finished.glob("results/runs/*/*.json")]
    assert len(runs) == 33
    assert [fault for run in runs for fault in faults("run", run)] == []


def test_score_tables_are_as_their_schema_says(finished):
    rows = [row for path in finished.glob("results/scores/*.csv") for row in csv.DictReader(path.open())]
    assert len(rows) == 33
    assert [fault for row in rows for fault in faults("scores", {key: cell(text) for key, text in row.items()})] == []


@pytest.mark.parametrize(
    ("schema", "change"),
    [
        ("run", {"schema": 1}),
        ("run", {"fingerprint": "no digest"}),
        ("run", {"outcome": {"status": "fine"}}),
        ("scores", {"schema": 2}),
        ("scores", {"n": "many"}),
        ("scores", {"speed": 3.0}),
    ],
)
def test_schemas_refuse_what_is_none(finished, schema, change):
    value = json.loads((finished / "results/runs/digits/a000.json").read_text())
    if schema == "scores":
        first = next(csv.DictReader((finished / "results/scores/digits.csv").open()))
        value = {key: cell(text) for key, text in first.items()}
    assert len(faults(schema, value | change)) == 1


def test_the_pages_lines_read_a_study(finished, monkeypatch):
    monkeypatch.chdir(finished)
    known = {}
    for snippet in SNIPPETS:
        exec(compile(snippet, "docs/interface.md", "exec"), known)
    assert len(known["best"]) == 4
    assert list(known["best"].value) == sorted(known["best"].value)
    assert known["speed"].min() > 0
