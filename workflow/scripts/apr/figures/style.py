"""What all figures share: style, layout, and how they are saved."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from apr.basics.escaping import plain, rst_caption
from apr.basics.files import atomic_path, write_text
from apr.comparisons.table import write_csv

MM = 1 / 25.4  # inches
COLUMN, TEXT = 83 * MM, 174 * MM  # a journal's single and double column
DPI = 200

# Okabe and Ito's colours, told apart with any colour vision; groups differ by marker as well.
BLUE, ORANGE, RED, GREEN, GREY = "#0072B2", "#E69F00", "#B2182B", "#009E73", "#7F8C98"
PURPLE = "#CC79A7"
INK, FAINT = "#222222", "#666666"

STYLE = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same picture on every machine
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "figure.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handletextpad": 0.4,
    "legend.columnspacing": 1.5,
    "legend.labelspacing": 0.3,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.5,
    "axes.ymargin": 0.09,  # the best and the worst model keep off title and axis
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "axes.unicode_minus": True,
    "text.parse_math": False,  # dollars in a title are dollars; a formula asks for it
    "pdf.fonttype": 42,  # TrueType: text stays text
    "savefig.dpi": DPI,
}

P = ParamSpec("P")


@dataclass(frozen=True)
class Drawing:
    """A figure, the numbers that it draws, and its caption in plain text."""

    figure: Figure
    data: pd.DataFrame
    caption: str


def styled(draw: Callable[P, Drawing]) -> Callable[P, Drawing]:
    """Run a draw function in the style of the study, leaving matplotlib's settings as they were.

    Titles come to it as one line each.
    """

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Drawing:
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(STYLE)
            return draw(*map(_with_plain_titles, args), **_with_plain_titles(kwargs))

    return drawn


def _with_plain_titles(value: Any) -> Any:
    """The same with the texts of its mappings each on one line."""
    if isinstance(value, Mapping):
        return {
            key: plain(entry) if isinstance(entry, str) else _with_plain_titles(entry) for key, entry in value.items()
        }
    if isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        return [_with_plain_titles(entry) for entry in value]
    return value


def save_drawing(drawing: Drawing, pdf: str | Path, png: str | Path, csv: str | Path, caption: str | Path) -> None:
    """Write the four files of a figure, each atomically; equal drawings give equal bytes."""
    with mpl.rc_context(STYLE):
        for path, metadata in ((pdf, {"CreationDate": None}), (png, {})):
            with atomic_path(path) as part:
                drawing.figure.savefig(part, metadata=metadata)
    write_csv(csv, drawing.data)
    write_text(caption, rst_caption(drawing.caption) + "\n")


def grid_columns(count: int) -> int:
    """Panels in a row: up to four, and fewer where that leaves fewer gaps."""
    return count if count <= 4 else min((4, 3), key=lambda columns: -count % columns)


def panels(count: int, columns: int | None = None) -> tuple[Figure, list[Axes]]:
    """A figure of `count` panels in a grid that fits a journal's column, row by row.

    Args:
        count: number of panels.
        columns: panels in a row, where the order of the panels has a meaning.
    """
    columns = columns or grid_columns(count)
    rows = -(-count // columns)
    width = {1: COLUMN, 2: 120 * MM}.get(columns, TEXT)
    # Titles and tick labels take the same height, however wide a panel is.
    height = rows * (0.8 * width / columns + 7 * MM)
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=1.5 * MM, h_pad=1.6 * MM)
    axes = [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
    for ax in axes:
        ax.locator_params(nbins=5, min_n_ticks=3)
    return figure, axes


def shortened(text: str, letters: int) -> str:
    """The text, or as much of it as so many letters can show, with an ellipsis."""
    return text if len(text) <= letters else f"{text[: max(1, letters - 1)]}…"


def name_panel(ax: Axes, name: str, result: str = "", letter: str = "") -> None:
    """Above the panel write its name in bold, its result below that, and a letter that opens a block of panels."""
    columns = ax.get_subplotspec().get_gridspec().ncols
    letters = int(ax.figure.get_figwidth() / columns / MM * 0.6)  # bold 7 pt takes about 1.4 mm a letter
    ax.set_title(result, loc="left", pad=3)
    ax.annotate(
        "\n".join(textwrap.wrap(name, letters)),
        xy=(0, 1),
        xycoords="axes fraction",
        xytext=(0, 3 + 9 * len(result.splitlines())),
        textcoords="offset points",
        va="bottom",
        weight="bold",
    )
    if letter:
        ax.annotate(
            letter,
            xy=(0, 1),
            xycoords="axes fraction",
            xytext=(-20, 11),
            textcoords="offset points",
            size=10,
            weight="bold",
        )


def share_labels(axes: list[Axes]) -> None:
    """Keep a label that all panels have in common at the left column and below the lowest panels only."""
    columns = axes[0].get_subplotspec().get_gridspec().ncols
    if len({ax.get_xlabel() for ax in axes}) == 1:
        for ax in axes[:-columns]:
            ax.set_xlabel("")
    if len({ax.get_ylabel() for ax in axes}) == 1:
        for i, ax in enumerate(axes):
            if i % columns:
                ax.set_ylabel("")


def legend_below(figure: Figure, handles: Sequence[Artist], names: Sequence[str]) -> None:
    """Add a legend below the panels, in one row if it fits, whose markers are seen even where points are faint."""
    row = sum(1.4 * len(name) + 9 for name in names) * MM  # 7 pt takes at most about 1.4 mm a letter
    columns = len(names) if row <= figure.get_figwidth() else 1
    figure.set_figheight(figure.get_figheight() + (4 + 3.5 * len(names) / columns) * MM)
    legend = figure.legend(handles, names, loc="outside lower center", ncols=columns)
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set(alpha=1, sizes=[16])


def value_limits(ax: Axes, values: pd.Series) -> None:
    """Where all values are equal, show them on a scale of one point, not of matplotlib's tiny one."""
    if values.min() == values.max():
        ax.set_ylim(_around(values.min()))


def value_scale(values: pd.Series | pd.DataFrame) -> tuple[float, float]:
    """Limits of an axis that holds all values, also where they are equal."""
    low, high = np.nanmin(values), np.nanmax(values)
    if low == high:
        return _around(low)
    margin = 0.07 * (high - low)
    return low - margin, high + margin


def _around(value: float) -> tuple[float, float]:
    return max(value - 1, -0.05), value + 1


def point_style(n: int) -> dict[str, float]:
    """Size (points squared) and opacity of a marker, for few models or many."""
    return {"s": min(22.0, max(4.0, 500 / n)), "alpha": min(0.9, max(0.5, 20 / n)), "linewidths": 0}
