"""The digest of what a script runs: it changes with every file that the script imports, and with no other."""

import ast
import re
import shutil

import pytest

import code_digest
from code_digest import imports, sources
from study import ROOT

SCRIPTS = ROOT / "workflow/scripts"
LIBRARY = {
    "script.py": "import numpy\nfrom apr.a import thing\n",
    "apr/__init__.py": "",
    "apr/a.py": "def later():\n    from apr import b\n    return b\n",
    "apr/b.py": "import apr.rooms.c as c, json\n",
    "apr/rooms/__init__.py": "from .d import (\n    one,  # a comment, with a comma\n    two as three,\n)\n",
    "apr/rooms/c.py": "try:\n    from . import e\nexcept ImportError:\n    from .. import f\n",
    **dict.fromkeys(("apr/rooms/d.py", "apr/rooms/e.py", "apr/f.py", "apr/alone.py"), "VALUE = 1\n"),
    "apr/rooms/page.css": "a {}\n",
    "apr/attic/page.css": "a {}\n",
    "other.py": "import apr.alone\n",
}
UNUSED = ("other.py", "apr/alone.py", "apr/attic/page.css")


@pytest.fixture
def library(tmp_path):
    for name, text in LIBRARY.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def digest(script):
    """As a new process computes it."""
    for remembered in vars(code_digest).values():
        if hasattr(remembered, "cache_clear"):
            remembered.cache_clear()
    return code_digest.digest(script)


def test_imports_are_followed_through_functions_packages_and_dots(library):
    found = {file.relative_to(library).as_posix() for file in sources(library / "script.py")}
    assert found == LIBRARY.keys() - set(UNUSED)


def test_the_digest_follows_every_file_that_is_run_and_no_other(library):
    for name in LIBRARY:
        before = digest(library / "script.py")
        (library / name).write_text(LIBRARY[name] + "MORE = 1\n")
        assert (digest(library / "script.py") != before) == (name not in UNUSED), name


def test_a_module_that_moves_or_takes_anothers_place_counts(library):
    before = digest(library / "script.py")
    (library / "json.py").write_text("")  # beside the script it is found before the standard library's
    assert digest(library / "script.py") != before


def test_the_digest_is_the_same_in_another_folder(library, tmp_path_factory):
    copy = shutil.copytree(library, tmp_path_factory.mktemp("another") / "place")
    assert digest(library / "script.py") == digest(copy / "script.py")


@pytest.mark.parametrize("file", sorted(SCRIPTS.rglob("*.py")), ids=lambda file: file.relative_to(SCRIPTS).as_posix())
def test_import_statements_are_found_as_the_syntax_tree_has_them(file):
    text, expected = file.read_text(), set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            expected |= {(0, tuple(alias.name.split("."))) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module.split(".") if node.module else []
            expected |= {(node.level, (*base, *alias.name.split("."))) for alias in node.names}
    assert expected <= set(imports(text))


UNFOLLOWED = (
    "train",
    "finetune",
    "probe",
    "evaluate",
    "download_file",
    "verify_source",
    "unpack_source",
    "pack_dataset",
    "select_view",
)


def test_no_script_that_is_followed_imports_by_a_computed_name():
    """Such an import would escape the digest."""
    for file in {file for script in SCRIPTS.glob("*.py") if script.stem not in UNFOLLOWED for file in sources(script)}:
        assert not re.search(r"import_module|__import__|runpy|spec_from_file", file.read_text()), file


@pytest.mark.parametrize(
    ("script", "module", "follows"),
    [
        ("collect_scores", "scores/collected", True),
        ("collect_scores", "runs/protocol", True),
        ("collect_scores", "runs/metrics", True),
        ("collect_scores", "statistics/bootstrap", False),
        ("table_correlations", "comparisons/correlations", True),
        ("table_retest", "comparisons/correlations", False),
        ("table_retest_slopes", "comparisons/correlations", False),
        ("sample_population", "statistics/ranks", False),
        ("fig_since", "statistics/slope_change", True),
        ("fig_scatter", "figures/ranks/scatter", True),
        ("fig_scatter", "figures/ranks/regret", False),
        ("audit_runs", "watch/consistency", True),
        ("explorer", "figures/explorer/contents", True),
    ],
)
def test_scripts_follow_what_they_use(script, module, follows):
    assert (SCRIPTS / f"apr/{module}.py").exists()
    assert (SCRIPTS / f"apr/{module}.py" in sources(SCRIPTS / f"{script}.py")) == follows


def test_the_explorer_follows_its_page():
    followed = {file.name for file in sources(SCRIPTS / "explorer.py")}
    assert {"page.js", "page.css", "page.html"} <= followed
    assert not {"page.js"} & {file.name for file in sources(SCRIPTS / "fig_scatter.py")}


def test_statistics_and_figures_use_no_code_of_trainings():
    for script in SCRIPTS.glob("*.py"):
        if script.stem not in UNFOLLOWED:
            assert SCRIPTS / "apr/runs/training.py" not in sources(script), script
