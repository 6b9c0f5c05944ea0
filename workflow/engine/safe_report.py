"""Snakemake's report, made so that no text in it is code: titles and names come from users and publishers.

Snakemake renders captions as templates and then as reStructuredText, and puts all it knows of a result, parameters
included, as JSON into the page's scripts.
"""

import json
import os
import re
from functools import partial
from pathlib import Path

import snakemake.report
from docutils import nodes
from docutils.readers.standalone import Reader
from docutils.transforms import Transform
from jinja2.defaults import DEFAULT_FILTERS
from snakemake.report.html_reporter import Reporter

from apr.basics.escaping import in_script, rst

REPORT = Path(__file__).parents[1] / "report"
SETTINGS, STYLE = REPORT / "docutils.conf", REPORT / "report.css"
WEB = re.compile(r"https?://", re.IGNORECASE)


def secure_report() -> None:
    """Secure every report that this process makes.

    reStructuredText takes in no file and no HTML (SETTINGS), no picture, and no link but to the web; captions get
    text by the filters `rst`, which escapes it, and `contents`, which reads a caption that the library wrote (that of
    a study's answer may not be there: `contents_if_made`); and no JSON can end the script that it stands in. Reports
    have the project's style, unless they are asked for with another.
    """
    os.environ["DOCUTILSCONFIG"] = str(SETTINGS)
    DEFAULT_FILTERS.update(rst=rst, contents=_contents, contents_if_made=_contents_if_made)
    if Reporter.render.__module__ != __name__:
        Reporter.render = _secured(Reporter.render)
        snakemake.report.publish_parts = partial(snakemake.report.publish_parts, reader=_TextReader())


class _TextAlone(Transform):
    """Pictures, which a page loads as it opens, become their description, and links to all but the web their text."""

    default_priority = 990  # after all that resolves links, or puts in what stands elsewhere

    def apply(self) -> None:
        for node in list(self.document.findall(nodes.image)):
            text = nodes.Text(f"[picture {node.get('alt') or node.get('uri', '')} left out]")
            within = isinstance(node.parent, nodes.TextElement)
            node.replace_self(text if within else nodes.paragraph("", "", text))
        for node in list(self.document.findall(nodes.Element)):
            if "refuri" in node and not WEB.match(node["refuri"]):
                del node["refuri"]
                if isinstance(node, nodes.reference):
                    node.replace_self(nodes.inline("", "", *node.children))


class _TextReader(Reader):
    def get_transforms(self) -> list:
        return [*super().get_transforms(), _TextAlone]


def _contents(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def _contents_if_made(path: str) -> str:
    return _contents(path) if Path(path).exists() else ""


def _secured(render):  # noqa: ANN202 - a method of Snakemake's
    def secured(reporter: Reporter) -> None:
        reporter.custom_stylesheet = reporter.custom_stylesheet or STYLE.read_text(encoding="utf-8")
        plain = json.dumps
        json.dumps = lambda *value, **options: in_script(plain(*value, **options))
        try:
            render(reporter)
        finally:
            json.dumps = plain

    return secured
