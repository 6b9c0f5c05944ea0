"""Snakemake's report, made so that no text in it is code: titles and names come from users and publishers.

Snakemake renders captions as templates and then as reStructuredText, and puts all it knows of a result, parameters
included, as JSON into the page's scripts.
"""

import json
import os
from pathlib import Path

from jinja2.defaults import DEFAULT_FILTERS
from snakemake.report.html_reporter import Reporter

from apr.escaping import in_script, rst

SETTINGS = Path(__file__).parent / "report" / "docutils.conf"


def secure_report() -> None:
    """Secure every report that this process makes.

    reStructuredText takes in no file and no HTML (SETTINGS); captions get text by the filters `rst`, which escapes it,
    and `contents`, which reads a caption that the library wrote; and no JSON can end the script that it stands in.
    """
    os.environ["DOCUTILSCONFIG"] = str(SETTINGS)
    DEFAULT_FILTERS.update(rst=rst, contents=_contents)
    if Reporter.render.__module__ != __name__:
        Reporter.render = _secured(Reporter.render)


def _contents(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def _secured(render):  # noqa: ANN202 - a method of Snakemake's
    def secured(reporter: Reporter) -> None:
        plain = json.dumps
        json.dumps = lambda *value, **options: in_script(plain(*value, **options))
        try:
            render(reporter)
        finally:
            json.dumps = plain

    return secured
