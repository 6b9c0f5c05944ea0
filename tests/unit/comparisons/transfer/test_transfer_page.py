"""docs/transfer.md: every number on it is that of the tables beside it, and these are of the study's models."""

import re

import pandas as pd

from apr.scores.table import read_scores
from study import ROOT, read_yaml

FOLDER = ROOT / "docs/transfer"
PAGE = (ROOT / "docs/transfer.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"([−\d.]+)<!-- (\w+) (\S+) (\w+) -->")
STUDY = read_yaml(ROOT / "studies/transfer_small.yaml")


def rows_of(name):
    """A table by the keys that the page names."""
    table = pd.read_csv(FOLDER / f"tables/transfer_{name}.csv")
    if name == "slopes":
        key = table["target"] + ":" + table["trained"].str.replace("[ -]", "_", regex=True) + ":" + table["line"]
    elif name == "models":
        key = table["target"].fillna("mean") + "/" + table["model"].str.split(":").str[-1]
    else:
        key = table[table.columns[0]]
    return table.set_index(key)


def test_the_numbers_of_the_page_are_those_of_the_tables():
    said = NUMBER.findall(PAGE)
    assert len(said) > 15
    tables = {name: rows_of(name) for _, name, _, _ in said}
    wrong = []
    for text, name, row, column in said:
        wanted = f"{tables[name].loc[row, column]:.{len(text.partition('.')[2])}f}".replace("-", "−")
        if text != wanted:
            wrong.append(f"{name} {row} {column}: {text}, it is {wanted}")
    assert wrong == []


def test_the_score_tables_are_of_the_study():
    for name, task in STUDY["tasks"].items():
        if "published" not in task:
            rows = read_scores(FOLDER / f"scores/{name}.csv", all_cells=True)
            assert {row["model"] for row in rows} == set(task["models"])
            assert {row["metric"] for row in rows} == {task["metric"]}
