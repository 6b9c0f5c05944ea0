"""Unpacking in tests: what has to come out, or what has to be said."""

from pathlib import Path

import pytest
from data_helpers import tree

from apr.basics.problems import Problem
from apr.data.sources.archives import unpack_all

CASES = Path(__file__).resolve().parents[4] / "shared" / "cases"
BY_HAND = "unpack it by hand and give the result as `folder`"


def case(name):
    path = CASES / name
    if not path.exists():
        pytest.skip(f"../shared/cases/{name} is missing")
    return path


def put(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def refused(path, tmp_path, *words, **more):
    """Unpacking ends in one line with these words, and nothing is left."""
    target = tmp_path / "out" / "set"
    with pytest.raises(Problem) as caught:
        unpack_all([path] if isinstance(path, Path) else path, target, **more)
    text = str(caught.value)
    assert [word for word in words if word not in text] == [], text
    assert text.isprintable()
    assert list((tmp_path / "out").iterdir()) == []
    return text


def unpacked(path, tmp_path, **more):
    report = unpack_all([path], tmp_path / "set", **more)
    return tree(tmp_path / "set"), report
