"""The report in a real browser: figures are visible, captions have numbers, and no request leaves the page."""

import re
import shutil

import pytest
from waits import LONGEST, wait_for

from .conftest import snakemake

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def report(finished):
    snakemake("--report", "report.html", directory=finished)
    return finished / "report.html"


@pytest.fixture(scope="module")
def page(report):
    """The opened report and the addresses that it asked for."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium, which is not installed (on Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    asked = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"], timeout=LONGEST * 1000
        )
        opened = browser.new_page(viewport={"width": 1400, "height": 900})
        opened.set_default_timeout(LONGEST * 1000)
        opened.on("request", lambda request: asked.append(request.url))
        opened.goto(report.as_uri())
        opened.wait_for_load_state("networkidle")
        yield opened, asked
        browser.close()


def test_no_request_leaves_the_page(page, report):
    _, asked = page
    assert [url for url in asked if not url.startswith(("data:", "blob:")) and url != report.as_uri()] == []


def test_figures_are_shown_with_their_captions(page):
    opened, _ = page
    opened.get_by_text("Figures", exact=True).first.click()
    wait_for(lambda: all(figure in opened.inner_text("body") for figure in ("Figure 3", "Figure 7")), what="figures")
    row = opened.locator("tr", has_text="Figure 3").filter(has_text="PNG").first
    row.locator("a").first.click()
    picture = opened.locator("img[src^='data:image/png'], img[src^='blob:']").last
    picture.wait_for(state="visible")
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 500


def test_the_report_holds_every_figure_table_and_computed_captions(report, finished):
    text = report.read_text(encoding="utf-8")
    for name in ("imagenet_vs_targets.png", "closest_vs_targets.png", "correlations.csv", "run_config.yaml"):
        assert name in text
    caption = (finished / "results/figures/imagenet_vs_targets.rst").read_text()
    (rho, *_) = re.findall(r"ρ = ([−\d.]+)", caption) or re.findall(r"ρ (undefined)", caption)
    assert rho in text
