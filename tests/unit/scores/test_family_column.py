"""The families that published score tables name: a column of text that may be missing or empty."""

import pytest
from figure_studies import row, written

from apr.basics.problems import Problem
from apr.scores.frames import families_of, read_models, read_runs, read_values
from apr.scores.tested import read_once


def read_families(paths):
    return families_of({path.stem: read_runs(path) for path in paths})


def test_families_are_read_of_all_tables_and_stay_text(tmp_path):
    rows = [row("a", 0, 25.0, family="ResNet"), row("b", 0, 26.0, family="007"), row("c", 0, 27.0, family=None)]
    first = written(tmp_path / "x.csv", *rows)
    second = written(tmp_path / "y.csv", row("c", 0, 20.0, family="ViT"), row("d", 0, None, family="  odd |\tname "))
    plain = written(tmp_path / "z.csv", row("a", 0, 20.0), row("e", 0, 20.0))
    found = read_families([plain, first, second])
    assert read_once([plain, first, second])[2].equals(found)
    assert found.to_dict() == {"a": "ResNet", "b": "007", "c": "ViT", "d": "odd | name"}
    assert read_models(first)["family"].tolist()[:2] == ["ResNet", "007"]
    assert read_values([first, plain]).loc["a"].tolist() == [25, 20]


def test_without_a_family_there_is_none(tmp_path):
    plain = written(tmp_path / "x.csv", row("a", 0, 25.0))
    empty = written(tmp_path / "y.csv", row("a", 0, 25.0, family=None), row("b", 0, 25.0, family=""))
    assert read_families([plain]) is None
    assert read_families([plain, empty]) is None
    assert read_families([]) is None


def test_two_families_of_one_model_are_refused(tmp_path):
    first, second = (
        written(tmp_path / f"{name}.csv", row("a", 0, 25.0, family=family))
        for name, family in (("x", "ResNet"), ("y", "ViT"))
    )
    with pytest.raises(Problem, match="y: model a: family 'ViT' is 'ResNet' in x; correct one"):
        read_families([first, second])
