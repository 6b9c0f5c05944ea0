"""No test fails because a machine is slow: waits are bounded by half an hour, and never shorter."""

import re

import pytest
from waits import LONGEST

from study import ROOT

BOUND = re.compile(r"\btimeout\s*[=:]\s*([\d_.]+)|monotonic\(\)[^\n]*?[<+]\s*([\d_.]+)|\.wait\(\s*([\d_.]+)")
FILES = [file for folder in ("tests", "benchmarks") for file in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_wait_is_shorter(file):
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        for found in BOUND.finditer(line):
            seconds = float(next(filter(None, found.groups())))
            poll = seconds <= 2  # nobody waits so short for a result
            assert seconds >= LONGEST or poll or "killed afterwards" in line, f"{file.name}:{number}: {line.strip()}"
