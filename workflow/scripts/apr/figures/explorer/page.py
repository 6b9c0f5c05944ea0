"""The explorer's page: one file that asks for nothing, with the numbers, Bokeh's runtime, and what ties them."""

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from bokeh.core.json_encoder import serialize_json
from bokeh.document import Document
from bokeh.models import (
    BooleanFilter,
    BoxSelectTool,
    CDSView,
    ColumnDataSource,
    HoverTool,
    LassoSelectTool,
    Range1d,
    TapTool,
)
from bokeh.plotting import figure
from bokeh.resources import Resources

from apr.basics.escaping import in_script
from apr.figures.style import ORANGE

PARTS = Path(__file__).parent
SCRIPTS = ("panels.js", "card.js", "table.js", "page.js")  # one module of the page, in this order
PANELS = 2
CURVES = "curves"


def explorer_page(contents: Mapping[str, Any]) -> str:
    """The page as HTML.

    Nothing in the contents is code: they stand in the page as JSON, and reach the reader as text. The page's policy
    lets no script run but its own two, told by their digests, and nothing be fetched.

    Args:
        contents: of `apr.figures.explorer.contents.read_contents`.
    """
    document, places = _charts()
    runtime = "\n".join(Resources(mode="inline", components=["bokeh"]).js_raw)
    own = "\n".join((PARTS / name).read_text(encoding="utf-8") for name in SCRIPTS)
    values = {"contents": contents, "document": document, "places": places}
    return Template((PARTS / "page.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(contents["title"]),
        scripts=" ".join(f"'sha256-{_digest(script)}'" for script in (runtime, own)),
        style=(PARTS / "page.css").read_text(encoding="utf-8"),
        values=in_script(json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))),
        runtime=runtime,
        own=own,
    )


def _charts() -> tuple[dict[str, Any], dict[str, str]]:
    """Bokeh's document without the numbers, and the element of the page that each of its charts goes into.

    Both panels draw one source, so that a selection in one is a selection in the other; the page's script fills it, and
    gives all but the selected points the colours of light or dark.
    """
    document, places = Document(), {}
    columns = {name: [] for i in range(PANELS) for name in (f"x{i}", f"y{i}")}
    models = ColumnDataSource({"name": []} | columns, name="models")
    current = ColumnDataSource(dict(columns), name="current")
    view = CDSView(filter=BooleanFilter(booleans=[], name="shown"))
    for i in range(PANELS):
        chart = _chart(f"panel{i}", "pan,wheel_zoom,reset", 340)
        look = {"size": 8, "line_width": 0.5, "fill_alpha": 0.75, "name": f"points{i}"}
        look |= {"nonselection_fill_alpha": 0.18, "nonselection_line_alpha": 0.2}
        look |= {"selection_fill_color": ORANGE, "selection_fill_alpha": 1}
        points = chart.scatter(f"x{i}", f"y{i}", source=models, view=view, **look)
        ring = {"size": 16, "fill_alpha": 0, "line_width": 2.5, "name": f"ring{i}"}
        chart.scatter(f"x{i}", f"y{i}", source=current, **ring)
        box = BoxSelectTool(renderers=[points])
        hover = HoverTool(renderers=[points], tooltips=[("model", "@name")], point_policy="follow_mouse")
        chart.add_tools(box, LassoSelectTool(renderers=[points]), TapTool(renderers=[points]), hover)
        chart.toolbar.active_drag = box
        document.add_root(chart)
        places[chart.id] = f"panel{i}"
    curves = _chart(CURVES, "reset", 190)
    curves.multi_line("epochs", "values", source=_lines("others"), line_alpha=0.35, line_width=1, name="other_lines")
    curves.multi_line("epochs", "values", source=_lines("own"), line_width=2.5, name="own_lines")
    document.add_root(curves)
    places[curves.id] = CURVES
    return json.loads(serialize_json(document.to_json())), places


def _lines(name: str) -> ColumnDataSource:
    return ColumnDataSource({"epochs": [], "values": []}, name=name)


def _chart(name: str, tools: str, height: int) -> figure:
    ranges = {"x_range": Range1d(0, 1), "y_range": Range1d(0, 1)}
    chart = figure(name=name, height=height, sizing_mode="stretch_width", tools=tools, **ranges)
    chart.toolbar.logo = None  # a link
    chart.toolbar.autohide = False
    return chart


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
