"""Figures and tables as text, to compare with what they were when somebody looked at them.

Where a change is meant, `APRBENCH_RENEW=1 pytest FILE` writes them again; git shows what has changed.
"""

import os
from collections.abc import Callable, Iterable
from itertools import zip_longest
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from apr.figures.style import STYLE

GOLDEN = Path(__file__).parents[1] / "golden"
COLORS = ("color", "facecolor", "edgecolor", "markerfacecolor")
VALUES = (
    *("gid", "text", "linewidth", "linestyle", "marker", "markersize", "markeredgewidth", "drawstyle", "alpha"),
    *("zorder", "fontsize", "fontweight", "fontstyle", "ha", "va", "rotation", "clip_on", "visible", "hatch"),
)
NUMBERS = ("xydata", "offsets", "sizes", "segments", "xy", "width", "height", "position", "array", "extent")
PAD = 3.5  # points between a tick and its number, where nothing else is said
LISTED = 24  # numbers; of more, some sums stand for all


def checked(name: str, text: str) -> None:
    """Compare with the file of that name."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("APRBENCH_RENEW"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    kept = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    pairs = zip_longest(text.splitlines(), kept)
    differing = [
        f"line {at}: {one!r}, and kept is {other!r}" for at, (one, other) in enumerate(pairs, 1) if one != other
    ]
    assert not differing, f"{name}.txt, {differing[0]}; if the change is meant, run this file with APRBENCH_RENEW=1"


def checked_rows(name: str, rows: Iterable[object], folder: object = None) -> None:
    """Compare values, a line each, with the file of that name; paths begin below `folder`."""
    lines = (f"{row!r}\n" for row in rows)
    checked(name, "".join(line.replace(str(folder), "") if folder else line for line in lines))


def told_by(*errors: type[Exception]) -> Callable:
    """A function that calls another: it returns what that returns, or how it refuses, by one of these errors."""

    def said(function, *arguments, **named):
        try:
            return function(*arguments, **named)
        except errors as error:
            return f"{type(error).__name__}: {error}"

    return said


def number(value) -> str:
    """Four digits, which do not depend on the machine; nothing is what rounding leaves."""
    return f"{0.0 if abs(value) < 1e-9 else float(value):.4g}"


def numbers(values) -> str:
    """All of a few numbers, or what tells many of them from others."""
    values = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)
    flat = values.ravel()
    if flat.size <= LISTED:
        return f"{list(values.shape)} {' '.join(map(number, flat))}"
    flat = flat[np.isfinite(flat)]
    weights = np.arange(flat.size) / flat.size
    sums = flat.min(), flat.mean(), flat.max(), flat.std(), (flat * weights).mean()
    return f"{list(values.shape)} sums {' '.join(map(number, sums))}"


def plain(value) -> str:
    """A property in words."""
    if isinstance(value, float | np.floating) and not isinstance(value, bool):
        return number(value)
    if isinstance(value, list | tuple | np.ndarray):
        return f"({', '.join(map(plain, value))})"
    return str(value)


def color(value) -> str:
    """Colours as #rrggbbaa."""
    if isinstance(value, str) or (len(np.shape(value)) == 1 and np.size(value) in (3, 4)):
        return "none" if isinstance(value, str) and value == "none" else to_hex(value, keep_alpha=True)
    found = list(dict.fromkeys(color(one) for one in value))
    return " ".join(found[:6])


def artist_text(artist: Artist) -> str:
    """One line a drawn thing."""
    words = [type(artist).__name__]
    for names, written in ((COLORS, color), (VALUES, plain), (NUMBERS, numbers)):
        for name in names:
            value = getattr(artist, f"get_{name}", lambda: None)()
            if value is not None and not (isinstance(value, str) and value in ("", "None")) and np.size(value):
                words.append(f"{name}={written(value)}")
    if hasattr(artist, "get_paths"):
        words += [f"path={numbers(path.vertices)}" for path in artist.get_paths()[:2]]
    if isinstance(artist, Patch):
        words.append(f"outline={numbers(artist.get_path().transformed(artist.get_patch_transform()).vertices)}")
    if isinstance(artist, Line2D):
        words.append(f"dashes={plain(artist._dash_pattern)}")
        words += ["butt"] * (artist.get_solid_capstyle() == "butt")
    if isinstance(artist, Text):
        words.append(f"spacing={plain(artist._linespacing)}")
        words += ["formula"] * (artist.get_parse_math() and "$" in artist.get_text())
    if getattr(artist, "arrow_patch", None):
        arrow = artist.arrow_patch
        words.append(f"arrow={type(arrow.get_arrowstyle()).__name__} {vars(arrow.get_arrowstyle())} {arrow.shrinkA}")
        words.append(f"{arrow.shrinkB} {number(arrow.get_linewidth())} {color(arrow.get_edgecolor())}")
        words.append(f"scale={number(arrow.get_mutation_scale())}")
    if hasattr(artist, "xyann"):
        words.append(f"at={numbers(artist.xy)} {artist.xycoords} {artist.anncoords} {numbers(artist.xyann)}")
    return " ".join(words)


def axes_text(ax) -> list[str]:
    """Its place, scales, words, and all that is drawn in it."""
    spec = ax.get_subplotspec()
    place = spec.get_geometry() if spec else numbers(ax.get_position(original=True).bounds)
    shown = [f"{side} {number(one.get_linewidth())}" for side, one in ax.spines.items() if one.get_visible()]
    lines = [f"axes {place} aspect={ax.get_aspect()} on={ax.axison} spines={','.join(shown)}"]
    for axis in (ax.xaxis, ax.yaxis):
        low, high = sorted(axis.get_view_interval())
        ticks = [tick for tick in axis.get_majorticklocs() if low <= tick <= high]
        labels = axis.get_major_formatter().format_ticks(ticks)
        minor = [tick for tick in axis.get_minorticklocs() if low <= tick <= high]
        tick = axis.get_major_ticks(1)[0]
        lines.append(
            f"{axis.axis_name} {axis.get_scale()} {numbers(axis.get_view_interval())} label={axis.label.get_text()!r} "
            f"ticks={numbers(ticks)} {labels} minor={len(minor)} inverted={axis.get_inverted()} "
            f"size={number(tick.tick1line.get_markersize())} width={number(tick.tick1line.get_markeredgewidth())} "
            f"font={number(tick.label1.get_fontsize())} {number(axis.label.get_fontsize())} "
            f"colors={' '.join(color(one.get_color()) for one in (tick.tick1line, tick.label1, axis.label))}"
            + (f" pad={number(tick.get_pad())}" if tick.get_pad() != PAD else "")
        )
    lines += [f"title {loc} {ax.get_title(loc)!r}" for loc in ("left", "center", "right") if ax.get_title(loc)]
    drawn = [*ax.lines, *ax.collections, *ax.patches, *ax.texts, *ax.images, *ax.artists]
    lines += [f"  {artist_text(artist)}" for artist in drawn]
    lines += legend_text(ax.get_legend()) if ax.get_legend() else []
    for child in ax.child_axes:
        lines += axes_text(child)
    return lines


def legend_text(legend) -> list[str]:
    """Its columns and words, each with the handle beside it."""
    lines = [f"legend columns={legend._ncols} title={legend.get_title().get_text()!r} place={legend._loc}"]
    lines[0] += f" frame={legend.get_frame_on()} font={number(legend._fontsize)} "
    lines[0] += numbers([legend.handletextpad, legend.columnspacing, legend.labelspacing, legend.handlelength])
    for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
        lines.append(f"  {text.get_text()!r} {artist_text(handle)}")
    return lines


def frame_text(data) -> list[str]:
    """A table's numbers, one line a row."""
    lines = [", ".join(map(str, data.columns))]
    for row in data.itertuples(index=False):
        lines.append(", ".join(map(plain, row)))
    return lines


def figure_text(drawn) -> str:
    """A drawing: size, panels, legends, numbers and caption."""
    with mpl.rc_context(STYLE):  # as it is saved: ticks are made late
        return _figure_text(drawn)


def _figure_text(drawn) -> str:
    figure = drawn.figure
    lines = [f"figure {numbers(figure.get_size_inches() * 25.4)} mm", *drawn.caption.splitlines()]
    if figure.get_layout_engine():
        lines.append(f"layout {sorted(figure.get_layout_engine().get().items())}")
    for ax in figure.axes:
        lines += axes_text(ax)
    for legend in figure.legends:
        lines += legend_text(legend)
    lines += [f"  {artist_text(artist)}" for artist in [*figure.texts, *figure.lines, *figure.patches]]
    data = frame_text(drawn.data)
    lines += data if len(data) < 30 else [data[0], *(f"{one}: {summed(drawn.data[one])}" for one in drawn.data)]
    return "\n".join(lines) + "\n"


def summed(column) -> str:
    """A long column in a line."""
    try:
        return numbers(column.astype(float))
    except ValueError:
        return ", ".join(f"{value} ×{count}" for value, count in sorted(column.astype(str).value_counts().items())[:12])


def table_text(table) -> str:
    """A table: numbers, what readers see, and the caption."""
    shown = [" | ".join(map(str, row)) for row in table.shown.itertuples(index=False)]
    return "\n".join([*frame_text(table.data), " | ".join(map(str, table.shown.columns)), *shown, table.caption]) + "\n"
