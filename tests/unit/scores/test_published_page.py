"""docs/published.md: every number on it is that of the tables, computed anew as `make published` does."""

import re

import pytest

from apr.comparisons.noise_ceiling import noise_ceiling_table
from apr.comparisons.rankings import ranked_pairs
from apr.runs.metrics import METRICS
from apr.scores.frames import read_repeats, read_values
from apr.scores.published import published_rows, read_published
from apr.scores.table import write_scores
from apr.scores.tested import read_once
from study import ROOT, read_yaml, study_of
from study.comparisons import tasks_of
from study.files import Files

PAGE = (ROOT / "docs/published.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"([−\d.]+)<!-- (\w+) (\S+) (\w+) -->")
SAID = NUMBER.findall(PAGE)


@pytest.fixture(scope="module")
def study():
    return study_of(read_yaml(ROOT / "studies/published.yaml"))


@pytest.fixture(scope="module")
def tables(study, tmp_path_factory):
    """The numbers of each table that the page names."""
    folder, files, read = tmp_path_factory.mktemp("scores"), Files(study), {}
    for task, entry in study.tables.items():
        source = files.of_source(entry["source"], entry["file"])
        read.setdefault(source, read_published(source, entry["sha256"]))
        rows = published_rows(source, read[source], entry["read"], METRICS[entry["metric"]])
        write_scores(folder / f"{task}.csv", rows)
    found = {}
    for name in {table for _, table, _, _ in SAID}:
        if name == "noise_ceiling":
            (repeated, base), *_ = study.comparisons["repeats"].items()
            repeats = {repeated: read_repeats(folder / f"{repeated}.csv")}
            table = noise_ceiling_table(
                read_values([folder / f"{base}.csv"]), repeats, {repeated: base}, study.titles(), **study.bootstrap
            )
            found[name] = table.data.set_index("task")
            continue
        ranking = study.comparisons.rankings[name.removeprefix("rankings_")]
        scores, counts, families = read_once([folder / f"{task}.csv" for task in tasks_of(ranking["pairs"])])
        bootstrap = study.comparisons.bootstraps[ranking["name"]]
        data = ranked_pairs(scores, ranking, **bootstrap, counts=counts, families=families)
        one = data.assign(key=data["x_task"] + ":" + data["y_task"]).set_index("key")
        found[name] = one if ranking["matrix"] else data.set_index("y_task")
    return found


def test_the_numbers_of_the_page_are_those_of_the_tables(tables):
    assert len(SAID) > 30
    wrong = []
    for text, name, row, column in SAID:
        decimals = len(text.partition(".")[2])
        wanted = f"{tables[name].loc[row, column]:.{decimals}f}".replace("-", "−")
        if text != wanted:
            wrong.append(f"{name} {row} {column}: {text}, it is {wanted}")
    assert wrong == []


def test_what_the_page_says_without_a_marker(tables, study):
    openclip, laboratories = tables["rankings_openclip"], tables["rankings_laboratories"]
    assert set(openclip["n"]) == {121}
    assert set(openclip["n_above"]) == {64}
    assert set(openclip["families"]) == {18}
    weak = read_published(ROOT / "resources/published/openclip_results.csv")["ImageNet 1k"].astype(float) < 0.3
    assert weak.sum() == 16
    assert (laboratories["rho"] > 0.9).sum() == 25
    assert len(laboratories) == 26
    assert set(laboratories["n"]) == {13}


def test_the_page_marks_its_numbers():
    """A number with decimals that no table holds is a number that nobody checks."""
    bare = re.sub(r"<!--.*?-->|!\[.*?\]\(.*?\)", "", NUMBER.sub("", PAGE))
    assert re.findall(r"\d\.\d+", bare) == []
