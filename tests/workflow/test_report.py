"""The report in a real browser.

Figures are visible, captions have numbers, and what users and publishers wrote is text.
"""

import re
import shutil

import pandas as pd
import pytest
import retest_figures
import yaml
from hostile import TEXTS, letters
from pages import browsed, left, more_than_text, shown
from waits import wait_for

from apr.comparisons.retest_accuracies import retest_table
from apr.comparisons.table import Table, save_table
from apr.figures.runs.balanced import draw_balanced
from apr.figures.style import save_drawing

from .conftest import TINY, snakemake

SECRET = "what the file holds"
RAW = """
.. raw:: html

   <script>window.ran = "raw"</script>

.. include:: tiny.secret

.. csv-table::
   :file: tiny.secret

.. image:: http://example.invalid/asked.png

.. |x| image:: http://example.invalid/substituted.png

See |x| and `c <javascript:window.ran=9>`_.

after the directives
"""


@pytest.fixture(scope="module")
def finished_copy(finished, tmp_path_factory):
    """The study with more outputs of the library, for names that its data do not have, and a caption of no study."""
    folder = tmp_path_factory.mktemp("report") / "study"
    shutil.copytree(finished, folder, symlinks=True)
    (folder / "tiny.secret").write_text(SECRET)
    save_names(folder / "results")
    (folder / "results/tables/items.rst").write_text(RAW)
    return folder


def save_names(results):
    """Models of published results, classes of a folder, and files of a dataset, each with a text that is no name."""

    def paths(name):
        kinds = {"csv": "csv", "md": "md", "caption": "rst"}
        return {key: results / f"tables/{name}.{suffix}" for key, suffix in kinds.items()}

    models = retest_figures.pair(8).set_axis([f"model {text}" for text in TEXTS])
    retest = retest_figures.retest(title=f"retest {TEXTS[2]}")
    save_table(retest_table(models, retest, {"old": f"original {TEXTS[3]}", "new": "new"}), **paths("depth_width"))
    files = pd.DataFrame({"file": [f"file {text}.png" for text in TEXTS]})
    save_table(Table(files, files, f"Left out: {', '.join(files['file'])}."), **paths("selection_regret"))
    counts = {task: {f"class {text}": 9 - i for i, text in enumerate(TEXTS)} for task in ("a", "b")}
    errors = pd.DataFrame({"a": [1.0, 2, 3], "b": [3.0, 2, 1]}, index=["x", "y", "z"])
    drawn = draw_balanced(counts, errors, [("a", "b")], {"a": TEXTS[4], "b": TEXTS[5]}, resamples=10, seed=0)
    figure = results / "figures/balanced_vs_unbalanced"
    kinds = {"pdf": "pdf", "png": "png", "csv": "csv", "caption": "rst"}
    save_drawing(drawn, **{key: figure.with_suffix(f".{suffix}") for key, suffix in kinds.items()})


@pytest.fixture(scope="module")
def report(finished_copy):
    snakemake("--report", "report.html", directory=finished_copy)
    return finished_copy / "report.html"


@pytest.fixture(scope="module")
def page(report):
    with browsed(report) as opened:
        yield opened


@pytest.fixture(scope="module")
def text(page):
    """All that the page shows."""
    return shown(page[0])


def test_figures_are_shown_with_their_captions(page):
    opened = page[0]
    opened.get_by_text("1 Figures", exact=True).first.click()
    wait_for(lambda: all(figure in opened.inner_text("body") for figure in ("Figure 3", "Figure 7")), what="figures")
    row = opened.locator("tr", has_text="Figure 3")
    assert row.count() == 1  # PNG and PDF are a switch above the list
    row.locator("a").first.click()
    picture = opened.locator("img[src^='data:image/png'], img[src^='blob:']").last
    picture.wait_for(state="visible")
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 500


def test_the_report_opens_with_the_answer_and_lists_in_reading_order(page, finished):
    opened = page[0]
    opened.reload()
    asked = opened.get_by_text("hold on the targets?").first
    asked.wait_for(state="visible")
    first = letters(opened.inner_text("body"))
    for line in (finished / "results/answer.txt").read_text(encoding="utf-8").splitlines():
        assert letters(line.removeprefix("- ")) in first
    graph = opened.locator(".vega-embed").first
    graph.wait_for(state="attached")
    top, bottom = asked.bounding_box(), graph.bounding_box()
    assert top["y"] < 300
    assert bottom["y"] > top["y"] + top["height"]
    folders = [text for text in opened.inner_text("nav.h-screen").splitlines() if text[:1].isdigit()]
    assert [folder[2:] for folder in folders][:3] == ["Figures", "Tables", "Explorer"]
    opened.get_by_text("1 Figures", exact=True).first.click()
    rows = opened.locator("nav.h-screen tbody tr")
    wait_for(lambda: rows.count() > 5, what="figures")
    shown = rows.all_inner_texts()
    assert ["Figure 3" in shown[0], "One target" in shown[1]] == [True, True]
    assert opened.locator("nav.h-screen").bounding_box()["width"] <= 0.41 * 1400


def test_the_report_holds_every_figure_table_and_computed_captions(report, finished):
    page = report.read_text(encoding="utf-8")
    for name in ("imagenet_vs_targets.png", "closest_vs_targets.png", "correlations.csv", "run_config.yaml"):
        assert name in page
    caption = (finished / "results/figures/imagenet_vs_targets.rst").read_text()
    (rho, *_) = re.findall(r"ρ = ([−\d.]+)", caption) or re.findall(r"ρ (undefined)", caption)
    assert rho in page


def test_the_explorer_opens_within_the_report_and_is_the_same_page(page, report, finished):
    opened, asked, faults = page
    opened.reload()
    opened.get_by_text("3 Explorer", exact=True).first.click()
    row = opened.locator("tr", has_text="Every model and task in one page").first
    row.locator("a").first.click()
    explorer = opened.frame_locator("iframe")
    explorer.locator("body[data-ready]").wait_for(state="attached")
    study = yaml.safe_load(TINY.read_text(encoding="utf-8"))
    assert letters(explorer.locator("h1").inner_text()) == letters(study["title"])
    explorer.locator("#models tbody tr").first.focus()
    assert re.fullmatch(r"a00\d", explorer.locator("#model").inner_text())
    assert explorer.locator("#stages rect").count() > 0
    assert letters(study["tasks"]["digits"]["title"]) in letters(explorer.locator("#own").inner_text())
    assert explorer.locator("body").evaluate("() => window.ran") is None
    assert (left(asked, report), faults) == ([], [])
    assert (finished / "results/explorer.html").stat().st_size < 3_000_000


def configured():
    """Every text of the study that a reader sees."""
    study = yaml.safe_load(TINY.read_text(encoding="utf-8"))
    texts = [study["title"], study["tasks"]["photos_few"]["title"], study["tasks"]["digits"]["title"]]
    texts += [entry[key] for entry in study["datasets"].values() for key in entry]
    return [*texts, study["networks"]["vanilla"]["title"]]


@pytest.mark.parametrize("wanted", configured())
def test_texts_of_the_study_are_text(text, wanted):
    assert letters(wanted) in letters(text)


@pytest.mark.parametrize("kind", ["model", "file", "class"])
def test_names_of_publishers_and_folders_are_text(text, kind):
    seen = letters(text)
    for name in TEXTS[:1] if kind == "class" else TEXTS:  # a caption names the largest class
        assert letters(f"{kind} {name}") in seen
    assert letters(f"original {TEXTS[3]}") in seen


def test_nothing_runs_and_nothing_is_asked_for(page, text, report):
    opened, asked, faults = page
    assert opened.evaluate("window.ran") is None
    assert left(asked, report) == []
    assert faults == []
    refused = [
        element for element in more_than_text(opened) if re.search("directive disabled|access deactivated", element)
    ]
    assert len(refused) == 3  # those of the caption of no study
    assert more_than_text(opened) == refused


def test_html_and_files_have_no_way_into_a_caption(report, text):
    assert "after the directives" in text
    assert SECRET not in text
    assert SECRET not in report.read_text(encoding="utf-8")
