"""docs/trust.md names what there is: each promise stands beside tests and modules that exist."""

import re

import pytest

from study import ROOT

PAGE = (ROOT / "docs/trust.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line and "tested in" not in line]


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:tests|workflow|resources|docs|\.ci)/[\w./-]+)`", PAGE))))
def test_what_the_page_names_is_there(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("row", ROWS)
def test_each_promise_names_its_test(row):
    assert re.findall(r"`tests/[\w/]+/test_\w+\.py`", row.strip("| ").split(" | ")[-1])
