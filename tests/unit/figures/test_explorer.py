"""The explorer in a real browser, with a real pointer and keyboard."""

import csv
import io
from collections import Counter

import pandas as pd
import pytest
from explorer_studies import DIVERGED, HOSTILE, MODELS, TUNED, study
from pages import browsed, left
from waits import wait_for

from apr.basics.escaping import plain
from apr.comparisons.correlations import correlate
from apr.comparisons.wording import number as rounded
from apr.figures.explorer.contents import read_contents
from apr.figures.explorer.page import explorer_page
from apr.scores.frames import read_repeats
from apr.scores.tested import read_counts

# Where a point of a panel lies in the window, and the panel itself: left, top, width, height.
PLACE = """([panel, number]) => {
    const bokeh = Bokeh.documents[0];
    const view = Bokeh.index.get_by_id(bokeh.get_model_by_name(`panel${panel}`).id);
    const canvas = view.canvas_view.el.getBoundingClientRect();
    const { bbox, x_scale, y_scale } = view.frame;
    if (number === null) return [canvas.x + bbox.left, canvas.y + bbox.top, bbox.width, bbox.height];
    const { data } = bokeh.get_model_by_name("models");
    const x = x_scale.compute(data[`x${panel}`][number]), y = y_scale.compute(data[`y${panel}`][number]);
    return [canvas.x + x, canvas.y + y];
}"""
ROWS = "#models tbody tr"


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return study(tmp_path_factory.mktemp("explorer"))


@pytest.fixture(scope="module")
def contents(known):
    return read_contents(**known)


def written(contents, folder):
    path = folder / "explorer.html"
    path.write_text(explorer_page(contents), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def opened(contents, tmp_path_factory):
    path = written(contents, tmp_path_factory.mktemp("page"))
    with browsed(path) as (page, asked, faults):
        yield page, asked, faults, path


@pytest.fixture
def page(opened):
    """The page as it opens; what other pages of this module asked for is forgotten."""
    opened[1].clear()
    opened[2].clear()
    opened[0].goto(opened[3].as_uri())
    opened[0].wait_for_selector("body[data-ready]")
    return opened[0]


def waited(page, condition):
    """Asked from outside: the page's policy forbids Playwright's own waiting, which evaluates text inside the page."""
    wait_for(lambda: page.evaluate(condition), condition)


def selected(page):
    return set(
        page.eval_on_selector_all(
            f"{ROWS}[aria-selected=true]", "rows => rows.map(row => row.title || row.cells[0].title)"
        )
    )


def column(page, place=1):
    return page.eval_on_selector_all(f"{ROWS} td:nth-child({place})", "cells => cells.map(cell => cell.textContent)")


def values(contents, task):
    (found,) = [entry for entry in contents["tasks"] if entry["name"] == task]
    return {
        contents["models"][number]["name"]: value for number, value in zip(found["of"], found["values"], strict=True)
    }


def drag(page, panel, start, end):
    """Drag over a part of a panel, in shares of its width and height."""
    x, y, width, height = page.evaluate(PLACE, [panel, None])
    (a, b), (c, d) = ((x + width * across, y + height * down) for across, down in (start, end))
    page.mouse.move(a, b)
    page.mouse.down()
    page.mouse.move((a + c) / 2, (b + d) / 2)
    page.mouse.move(c, d)
    page.mouse.up()


def test_names_are_text_and_nothing_runs_or_is_asked_for(opened, page):
    _, asked, faults, path = opened
    page.fill("#name", "bold")
    page.click("#several")
    waited(page, f"document.querySelectorAll('{ROWS}').length === 1")
    page.focus(ROWS)
    assert page.inner_text("#model") == plain(HOSTILE)
    assert page.inner_text("h1") == f"A study {plain(HOSTILE)}"
    assert plain(HOSTILE) in page.title()
    assert any(
        plain(HOSTILE) in text for text in page.eval_on_selector_all("#y0 option", "all => all.map(one => one.text)")
    )
    assert page.query_selector("b >> text=bold") is None
    assert page.evaluate("window.ran") is None
    assert left(asked, path) == []
    assert faults == []


def test_the_first_line_counts_the_models_that_can_be_compared(contents, page):
    tasks = Counter(number for task in contents["tasks"] for number in task["of"])
    several = sum(count > 1 for count in tasks.values())
    said = page.inner_text("#summary")
    assert said.startswith(f"Explorer of {several} models and {len(contents['tasks'])} tasks.")
    assert f"{len(contents['models']) - several} more have a score on one task alone" in said
    assert 0 < several < len(contents["models"])


@pytest.mark.parametrize(
    ("x", "y"), [("photos", "digits"), ("imagenet", "leaves"), ("depth", "photos"), ("digits", "width")]
)
def test_rho_is_that_of_the_studys_own_code(known, contents, page, x, y):
    names = [task["name"] for task in contents["tasks"]] + [size["key"] for size in contents["sizes"]]
    for side, name in (("x1", x), ("y1", y)):
        page.select_option(f"#{side}", str(names.index(name)))
    table = {
        model["name"]: {size["key"]: model.get(size["key"]) for size in contents["sizes"]}
        for model in contents["models"]
    }
    frame = pd.DataFrame.from_dict(table, orient="index").astype(float)
    for task in contents["tasks"]:
        frame[task["name"]] = pd.Series(values(contents, task["name"]), dtype=float)
    frame = frame.rename(columns={"depth": "cumulative_depth", "width": "cumulative_width"})
    known_as = {"depth": "cumulative_depth", "width": "cumulative_width"}
    found = correlate(frame, known_as.get(x, x), known_as.get(y, y), 0, 0, read_counts(known["scores"]))
    assert page.inner_text("#rho1").startswith(f"ρ = {rounded(found.rho, 2)}, n = {found.n}")


def test_pointing_at_a_model_shows_its_stages_scores_runs_and_curves(known, contents, page):
    number = next(i for i, model in enumerate(contents["models"]) if model["name"] == "a007")
    page.mouse.move(*page.evaluate(PLACE, [0, number]))
    waited(page, "document.getElementById('model').textContent === 'a007'")
    model = contents["models"][number]
    assert page.locator("#stages rect.bar").count() == model["depth"]
    assert page.locator("#stages text").all_text_contents()[0] == "stage 1"
    text = page.inner_text("#own")
    assert f"{values(contents, 'photos')['a007']:.2f}" in text
    seeds = read_repeats(known["scores"][0]).query("model == 'a007'")
    for row in seeds.itertuples():
        assert f"seed {row.seed:.0f}: {row.value:.2f}" in text
    assert page.evaluate("Bokeh.documents[0].get_model_by_name('own').data.values.length") == 1  # of the vertical axis
    page.select_option("#curve", "0")
    assert page.evaluate("Bokeh.documents[0].get_model_by_name('own').data.values.length") == 2  # one a seed
    assert page.locator(f"{ROWS}.current td").first.inner_text() == "a007"


def test_a_brush_in_one_panel_selects_in_the_other_and_in_the_table(contents, page):
    drag(page, 0, (0.02, 0.02), (0.6, 0.98))
    waited(page, f"document.querySelector('{ROWS}[aria-selected=true]')")
    low, high = page.evaluate(
        "(({start, end}) => [start, end])(Bokeh.documents[0].get_model_by_name('panel0').x_range)"
    )
    digits = values(contents, "digits")
    share = {
        name: (value - low) / (high - low)
        for name, value in values(contents, "photos").items()
        if digits[name] is not None
    }
    inside = {name for name, where in share.items() if where < 0.6}
    assert selected(page) == inside
    assert 3 < len(inside) < MODELS - 1
    assert f"n = {len(inside)} selected" in page.inner_text("#rho1")
    assert f"{len(inside)} selected" in page.inner_text("#counts")
    page.keyboard.press("Escape")
    waited(page, f"!document.querySelector('{ROWS}[aria-selected=true]')")


def test_filters_hide_models_everywhere(contents, page):
    page.fill("#depth-from", "12")
    kept = {model["name"] for model in contents["models"] if (model.get("depth") or 0) >= 12}
    waited(page, f"document.querySelectorAll('{ROWS}').length === {len(kept)}")
    assert set(column(page)) == kept
    assert 3 < len(kept) < MODELS
    assert page.evaluate("Bokeh.documents[0].get_model_by_name('shown').booleans.filter(Boolean).length") == len(kept)
    assert f"n = {len(kept)}" in page.inner_text("#rho1")
    page.fill("#name", "no such model")
    waited(page, f"document.querySelectorAll('{ROWS}').length === 0")
    assert "ρ undefined, n = 0" in page.inner_text("#rho0")
    page.click("button[type=reset]")
    waited(page, f"document.querySelectorAll('{ROWS}').length === {MODELS + len(TUNED)}")


def test_the_table_is_sorted_by_any_task_best_first(contents, page):
    titles = page.locator("#models thead th").all_inner_texts()
    place = 1 + next(i for i, title in enumerate(titles) if title.startswith("Digits"))
    digits = {name: value for name, value in values(contents, "digits").items() if value is not None}
    button = page.locator(f"#models thead th:nth-child({place}) button")
    button.click()
    best = sorted(digits, key=digits.get, reverse=True)
    found = column(page)
    assert [digits[name] for name in found[: len(best)]] == [digits[name] for name in best]
    assert DIVERGED in found[len(best) :]
    assert column(page, place)[found.index(DIVERGED)] == "diverged"
    assert page.get_attribute(f"#models thead th:nth-child({place})", "aria-sort") == "descending"
    button.press("Enter")
    assert column(page)[0] == best[-1]
    assert DIVERGED in column(page)[len(best) :]


def test_what_is_selected_is_exported(contents, page):
    drag(page, 0, (0.02, 0.02), (0.5, 0.98))
    waited(page, f"document.querySelector('{ROWS}[aria-selected=true]')")
    with page.expect_download() as download:
        page.click("#export")
    assert download.value.suggested_filename == "explorer.csv"
    rows = list(csv.DictReader(download.value.path().open(encoding="utf-8")))
    assert {row["model"] for row in rows} == selected(page)
    photos = values(contents, "photos")
    assert all(float(row["photos"]) == photos[row["model"]] for row in rows)
    assert [row["model"] for row in rows] == [name for name in column(page) if name in selected(page)]


def test_a_name_of_any_letters_survives_the_export(page):
    page.fill("#name", "bold")
    page.click("#several")
    with page.expect_download() as download:
        page.click("#export")
    (row,) = csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8")))
    assert (row["model"], row["imagenet"], row["depth"]) == (plain(HOSTILE), "73", "")


def test_all_of_it_goes_by_keyboard(page):
    page.focus("#export")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(f"document.activeElement.matches('{ROWS}')"):
            break
    names = column(page)
    page.keyboard.press("ArrowDown")
    assert page.inner_text("#model") == names[1]
    page.keyboard.press("Space")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    assert selected(page) == {names[1], names[-1]}
    page.keyboard.press("Home")
    assert page.inner_text("#model") == names[0]
    ring = page.evaluate("Bokeh.documents[0].get_model_by_name('current').data.y0[0]")
    drawn = page.evaluate("(({name, y0}) => [name, y0])(Bokeh.documents[0].get_model_by_name('models').data)")
    assert ring == drawn[1][drawn[0].index(names[0])]
    page.focus("#clear")
    page.keyboard.press("Enter")
    assert selected(page) == set()


def test_charts_follow_light_and_dark(page):
    seen = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        paper = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper')")
        waited(page, f"Bokeh.documents[0].get_model_by_name('panel0').background_fill_color === '{paper}'")
        seen.append(paper)
    page.emulate_media(color_scheme="light")
    assert len(set(seen)) == 2


def test_a_study_without_runs_or_sizes_shows_what_it_has(known, opened, tmp_path):
    page, _, faults, _ = opened
    plan = {task: known["plan"][task] | {"runs": {}} for task in ("leaves", "imagenet")}
    contents = read_contents("Scores", plan, [["imagenet", "leaves"]] * 2, known["scores"][2:])
    page.goto(written(contents, tmp_path).as_uri())
    page.wait_for_selector("body[data-ready]")
    page.focus(ROWS)
    assert page.inner_text("#model") == TUNED[2]
    assert not page.is_visible("#progress")
    assert page.locator("#stages svg, #sizes input").count() == 0
    assert column(page, 4)[0] == "72.00"
    assert page.inner_text("#rho0") == "ρ = 1.00, n = 3"
    assert faults == []
