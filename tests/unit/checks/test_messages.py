"""A message of the library that names keys of the configuration calls them as they are called now."""

import ast
import re

import pytest

from checks.config import schema
from checks.renamed import RENAMED
from study import ROOT

ROOMS = ("comparisons", "claims", "figures")
FILES = [file for room in ROOMS for file in sorted((ROOT / "workflow/scripts/apr" / room).rglob("*.py"))]
COMPARISONS = schema()["properties"]["comparisons"]["properties"]
OLD = {path[0] for path in RENAMED if len(path) == 1}


def beginnings(source):
    """The first words of its texts that look like keys."""
    texts = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    found = (re.match(r"([a-z_]+): (?:([a-z_]+): )?", text) for text in texts if isinstance(text, str))
    return [match.groups() for match in found if match]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_messages_name_keys_that_there_are(file):
    for first, second in beginnings(file.read_text(encoding="utf-8")):
        assert first not in OLD
        assert first != "comparisons" or second is None or second in COMPARISONS


def test_keys_are_found():
    source = "Problem('figures: x: names no task')\nProblem(f'comparisons: curves: {1} ends')\nf'{1}: no key'"
    assert beginnings(source) == [("figures", "x"), ("comparisons", "curves")]
