"""What each script of a rule hands to which function, as text; nothing of the library is called.

A script runs with a name in place of every value: calling one gives the text of the call. Each runs three times: no
condition holds, all do, and all but those of a folder.
"""

import ast
from types import SimpleNamespace

import pytest
from golden import checked

from apr.basics.problems import Problem
from study import ROOT

SCRIPTS = ROOT / "workflow" / "scripts"
RULED = sorted(path for path in SCRIPTS.glob("*.py") if "snakemake." in path.read_text(encoding="utf-8"))
WAYS = (lambda text: False, lambda text: True, lambda text: not text.endswith(".folder"))
SEVERAL = {"read_once": 3, "summary": 2}  # values that a function returns


class Named:
    """A value of which nothing is known but how it came about."""

    def __init__(self, text, run):
        self._text, self._run = text, run

    def _of(self, text):
        return Named(text, self._run)

    def __call__(self, *args, **kwargs):
        given = [said(one) for one in args] + [f"{key}={said(one)}" for key, one in kwargs.items()]
        text = f"{self._text}({', '.join(given)})"
        self._run.calls.append(text)
        count = SEVERAL.get(self._text, 0)
        return tuple(self._of(f"{text}[{number}]") for number in range(count)) if count else self._of(text)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._of(f"{self._text}.{name}")

    def __getitem__(self, key):
        return self._of(f"{self._text}[{said(key)}]")

    def __iter__(self):
        return iter([self._of(f"each of {self._text}")])

    def keys(self):
        return [f"**{self._text}"]

    def items(self):
        return [(self._of(f"key of {self._text}"), self._of(f"value of {self._text}"))]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def __bool__(self):
        return self._run.holds(self._text)

    def __len__(self):
        return 1

    def __hash__(self):
        return hash(self._text)

    def __eq__(self, other):
        return said(self) == said(other)

    def __lt__(self, other):
        return False

    def __str__(self):
        return self._text

    def __or__(self, other):
        return self._of(f"{self._text} | {said(other)}")

    def __ror__(self, other):
        return self._of(f"{said(other)} | {self._text}")

    def __add__(self, other):
        return self._of(f"{self._text} + {said(other)}")

    def __radd__(self, other):
        return self._of(f"{said(other)} + {self._text}")

    def __truediv__(self, other):
        return self._of(f"{self._text} / {said(other)}")


def said(value):
    """A value as text, those within it too."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{said(key)}: {said(one)}' for key, one in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(said, value))}]"
    return str(value) if isinstance(value, Named) else repr(value)


class Filled(ast.NodeTransformer):
    """Mappings that a script makes have every key."""

    def visit_DictComp(self, node):
        self.generic_visit(node)
        return ast.copy_location(ast.Call(ast.Name("filled", ast.Load()), [node], []), node)

    visit_Dict = visit_DictComp


def filling(run):
    class Mapping(dict):
        def __missing__(self, key):
            return Named(f"{said(dict(self))}[{said(key)}]", run)

    return Mapping


def handed_over(path, holds):
    """The calls of a script, without those that are part of a later one."""
    run = SimpleNamespace(calls=[], holds=holds)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {
        one.asname or one.name.partition(".")[0]
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for one in node.names
    }
    tree.body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    known = {name: Named(name, run) for name in names} | {"snakemake": Named("snakemake", run), "Problem": Problem}
    tree = ast.fix_missing_locations(Filled().visit(tree))
    known["filled"] = filling(run)
    try:
        exec(compile(tree, str(path), "exec"), known)
    except Problem as problem:
        run.calls.append(f"Problem: {problem}")
    assert run.calls[0] == "log_to(snakemake.log[0])"
    kept = [one for number, one in enumerate(run.calls) if not any(one in more for more in run.calls[number + 1 :])]
    return [one.replace("snakemake.", "") for one in kept if not one.startswith(("log_to", "sys.stderr"))]


def test_scripts_hand_over_what_they_did():
    lines = []
    for path in RULED:
        lines.append(f"{path.stem}:")
        ways = {tuple(handed_over(path, holds)): None for holds in WAYS}
        for number, calls in enumerate(ways):
            lines += ["  or:"] * bool(number) + [f"  {call}" for call in calls]
    checked("scripts", "\n".join(lines) + "\n")


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*_*.py")), ids=lambda path: path.name)
def test_scripts_that_read_errors_read_their_test_images(path):
    """Every script that compares errors also hands over what is known of the test images."""
    text = path.read_text(encoding="utf-8")
    compares = "read_values(" in text or "read_column(" in text
    assert ("read_counts(" in text) == compares
