"""A report in a real browser."""

import shutil
from contextlib import contextmanager

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ("no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking")
QUIET += ("disable-component-update", "disable-sync")
LONGEST = 1_800_000  # ms


@contextmanager
def browsed(report):
    """The opened report, the addresses that it asks for, and what it complains of."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium, which is not installed (on Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    asked, faults = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[f"--{option}" for option in QUIET])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(LONGEST)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("dialog", lambda dialog: faults.append(dialog.message) or dialog.dismiss())
        page.goto(report.as_uri())
        page.wait_for_load_state("networkidle")
        yield page, asked, faults
        browser.close()


def left(asked, report):
    """The addresses that are no part of the page."""
    return [url for url in asked if not url.startswith(("data:", "blob:")) and url != report.as_uri()]


SHOW_ALL = """async () => {
    const seen = [document.body.innerText];
    for (const path of Object.keys(results)) {
        app.showResultInfo(path);
        await new Promise(done => setTimeout(done, 0));
        seen.push(document.body.innerText);
    }
    return seen.join("\\n");
}"""
MORE_THAN_TEXT = """() => {
    const inert = document.implementation.createHTMLDocument("");
    const kinds = "script, style, img, iframe, object, embed, form, input, a[href], .system-message";
    return [workflow_desc, ...Object.values(results).map(result => result.caption)].map(caption => {
        inert.body.innerHTML = caption;
        return [...inert.body.querySelectorAll(kinds)].map(element => element.outerHTML);
    }).flat();
}"""


def shown(page):
    """All that the page shows of its results, one after the other, as text."""
    return page.evaluate(SHOW_ALL)


def more_than_text(page):
    """What its captions hold besides text: links, pictures, scripts, complaints of docutils."""
    return page.evaluate(MORE_THAN_TEXT)
