"""CONTRIBUTING.md and the READMEs name files, functions, rules and entries that are there."""

import re

import pytest

from apr.basics.facts import read_facts
from apr.models.pretrained import parse_model
from study import ROOT

PAGES = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md"))
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
LINKS = re.compile(r"\]\((?!https?:)([^)#\s]*)(#([^)\s]+))?\)")
HEADINGS = re.compile(r"^#+ (.*)$", re.MULTILINE)
PLACES = re.compile(r"`((?:workflow|rules|tests|resources|studies|docs|slurm|benchmarks)/[\w/.]*)`")
NAMED = re.compile(r"`(\w+)` in\s+`([\w/.]+)`")
QUOTED = re.compile(r"```yaml\n# (\S+)\n(.*?)```", re.DOTALL)


def defines(text, name):
    """Whether a module, a file of rules or a YAML file defines a name."""
    return re.search(rf"^ *(?:def |class |rule )?{name}\b *(?:[:=(]|$)", text, re.MULTILINE)


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "README.md", *PAGES])
def test_pages_name_files_that_are_there(page):
    found = set(PLACES.findall((ROOT / page).read_text(encoding="utf-8")))
    assert [place for place in sorted(found) if not (ROOT / place).exists()] == []


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "README.md", "config/README.md", "results/README.md", *PAGES])
def test_links_lead_to_pages_and_headings_that_are_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    lost = []
    for place, _, heading in LINKS.findall(text):
        target = (ROOT / page).parent / place if place else ROOT / page
        if not target.exists():
            lost.append(place)
        elif heading and heading not in {anchor(line) for line in HEADINGS.findall(target.read_text(encoding="utf-8"))}:
            lost.append(f"{place}#{heading}")
    assert lost == []


def anchor(heading):
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_named_functions_rules_and_entries_are_where_it_says():
    found = NAMED.findall(PAGE)
    assert len(found) > 7
    assert [(name, file) for name, file in found if not defines((ROOT / file).read_text(encoding="utf-8"), name)] == []


def test_the_quoted_lines_are_those_of_the_files():
    for file, lines in QUOTED.findall(PAGE):
        text = (ROOT / file).read_text(encoding="utf-8")
        assert [line for line in lines.splitlines() if line not in text] == []
        for model in re.findall(r"- (\w+:\S+)", lines):
            assert parse_model(model)


def test_every_room_has_a_line_and_every_section_its_example():
    rooms = {
        f"workflow/scripts/apr/{path.name}/" for path in (ROOT / "workflow/scripts/apr").iterdir() if path.is_dir()
    }
    assert rooms - {"workflow/scripts/apr/__pycache__/"} <= set(PLACES.findall(PAGE))
    sections = re.findall(r"^## Add an? (.*)$", PAGE, re.MULTILINE)
    assert sections == [
        *(
            "dataset",
            "pretrained model",
            "published table",
            "metric",
            "key of a regime",
            "figure",
            "study",
            "message of the audit",
        ),
    ]


def test_the_figure_of_the_example_is_an_item_and_has_all_five_pieces():
    name = "fig_selection_regret"
    assert f'"{name}"' in (ROOT / "workflow/study/items.py").read_text(encoding="utf-8")
    assert name in read_facts(ROOT / "resources/items.yaml")["items"]
    script = (ROOT / f"workflow/scripts/{name}.py").read_text(encoding="utf-8")
    assert "draw_selection_regret(" in script
    rules = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "rules").rglob("*.smk"))
    assert f"workflow/scripts/{name}.py" in rules


def test_the_page_of_results_lists_what_rules_make():
    page = (ROOT / "results/README.md").read_text(encoding="utf-8")
    rules = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "rules").rglob("*.smk"))
    made = set(re.findall(r'"results/([A-Za-z_]+)', rules))
    assert {name for name in made if f"`{name}" not in page} == set()
