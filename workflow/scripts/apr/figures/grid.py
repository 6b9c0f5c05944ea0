"""Many small panels on a page: a grid whose panels are all of one size, whatever is written around them."""

import textwrap
from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from apr.figures.style import COLUMN, INK, MM, RED, TEXT

BOLD, LETTER = 0.22, 0.17  # mm of width for each point of type size, of a bold letter and of another
LABELS, NUMBERS, GAP = 5.0, 7.5, 2.0  # mm: beside and below all panels, beside each, between them
LINE, LEGEND, TICKS = 3.2, 5.0, 4.0  # mm of height: of a line above a panel, of the legend, of numbers below a panel
TALLEST, FLATTEST = 232.0, 8.0  # mm: of a page, of a panel


class Grid:
    """A grid of panels for a journal's column or page, row by row; all lengths are in mm.

    Args:
        names: of the panels, which are written above them, in as many lines as the longest takes.
        same_x: whether all panels share a horizontal axis, whose numbers and label then stand below the lowest alone.
        legend: whether there is one.
    """

    def __init__(self, names: Sequence[str], same_x: bool, legend: bool) -> None:
        self.count, self.same_x = len(names), same_x
        self.columns = _columns(self.count)
        self.rows = -(-self.count // self.columns)
        self.width = {1: COLUMN, 2: 120 * MM}.get(self.columns, TEXT) / MM
        self.type = 7 if self.columns <= 4 else 6
        self.cell = (self.width - LABELS) / self.columns
        self.panel = self.cell - NUMBERS - GAP
        most = max(8, int((self.panel + GAP) / BOLD / self.type))
        self.names = {name: textwrap.wrap(name, most, max_lines=3, placeholder=" …") or [""] for name in names}
        self.above = LINE * (1 + max(map(len, self.names.values()))) + 1
        self.below = GAP if same_x else TICKS + LINE + GAP
        self.foot = (TICKS + LABELS if same_x else 0) + LEGEND * legend
        room = (TALLEST - self.foot) / self.rows - self.above - self.below
        self.tall = max(FLATTEST, min(0.8 * self.panel, room))
        self.height = self.rows * (self.above + self.tall + self.below) + self.foot

    @property
    def letters(self) -> int:
        """So many letters have their place in a line above a panel."""
        return int(self.panel / LETTER / self.type)

    @property
    def row(self) -> int:
        """So many letters have their place below all panels."""
        return int(self.width / LETTER / 8)

    def drawn(self) -> tuple[Figure, list[Axes]]:
        """The figure and its empty panels."""
        figure = Figure(figsize=(self.width * MM, self.height * MM))
        axes = []
        for i in range(self.count):
            row, column = divmod(i, self.columns)
            left = LABELS + column * self.cell + NUMBERS
            bottom = self.height - row * (self.above + self.tall + self.below) - self.above - self.tall
            place = left / self.width, bottom / self.height, self.panel / self.width, self.tall / self.height
            axes.append(figure.add_axes(place))
            axes[-1].tick_params(labelsize=self.type - 0.5)
        return figure, axes

    def name(self, ax: Axes, name: str, result: str, accent: str = "") -> None:
        """Above a panel write its name in bold, below that its result, and to the right of it another in the accent."""
        place = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "baseline", "size": self.type}
        for text, x, color in ((result, 0, INK), (accent, 1, RED)):
            ax.annotate(text, (x, 1), (0, 1.4 * MM * 72), ha="right" if x else "left", color=color, **place)
        lines = "\n".join(self.names[name])
        ax.annotate(lines, (0, 1), (0, (1.4 + LINE) * MM * 72), weight="bold", linespacing=1.1, **place)

    def label(self, figure: Figure, axes: Sequence[Axes]) -> None:
        """Write what the vertical axes have in common once; so too of the horizontal ones, if they are shared."""
        if len({ax.get_ylabel() for ax in axes}) == 1:
            middle = self.foot + (self.height - self.foot - self.above) / 2
            figure.text(1 / self.width, middle / self.height, axes[0].get_ylabel(), ha="left", va="center", rotation=90)
            for ax in axes:
                ax.set_ylabel("")
        else:
            for ax in axes:
                ax.yaxis.labelpad = 1
                ax.yaxis.label.set_size(self.type - 0.5)
        if not self.same_x:
            for ax in axes:
                ax.xaxis.label.set_size(self.type - 0.5)
        else:
            middle = (LABELS + NUMBERS + self.width - GAP) / 2
            foot = (self.foot - TICKS - LABELS + 1) / self.height
            figure.text(middle / self.width, foot, axes[0].get_xlabel(), ha="center", va="bottom")
            for i, ax in enumerate(axes):
                ax.set_xlabel("")
                ax.tick_params(labelbottom=i >= self.count - self.columns)

    def legend(self, figure: Figure, handles: Sequence[Artist], names: Sequence[str]) -> None:
        """Below all, in one row; its markers are seen even where points are faint."""
        legend = figure.legend(handles, names, loc="lower center", ncols=len(names), borderaxespad=0.2)
        for handle in legend.legend_handles:
            handle.set(alpha=1, sizes=[16])


def _columns(count: int) -> int:
    """Panels in a row: six of very many, else up to five, and so many that few gaps are left."""
    if count > 20:
        return 6
    return count if count <= 4 else min((5, 4, 3), key=lambda columns: -count % columns)
