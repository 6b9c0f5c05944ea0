"""Panels with a row for each model, the most accurate on ImageNet at the top, whose names stand at the left alone."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from apr.comparisons.transfer.targets import short_names
from apr.figures.style import COLUMN, FAINT, MM, TEXT, shortened

ROW, AROUND = 3.4, 14.0  # mm of height: of a model, of what stands around the rows of a panel
LETTERS = 26  # of a model's name


def rows_of(models: Sequence[str], count: int, most_columns: int = 3) -> tuple[Figure, list[Axes]]:
    """A figure of `count` panels with a row for each model, the first of them at the bottom.

    Args:
        models: full names.
        count: of panels.
        most_columns: panels beside each other.
    """
    columns = min(count, most_columns)
    lines = -(-count // columns)
    width = COLUMN if columns == 1 else 130 * MM if columns == 2 else TEXT
    figure = Figure(figsize=(width, lines * (ROW * len(models) + AROUND) * MM), layout="constrained")
    figure.get_layout_engine().set(w_pad=1.2 * MM, h_pad=1.6 * MM)
    names = [shortened(name, LETTERS) for name in short_names(models).values()]
    axes: list[Axes] = []
    for place in range(count):
        ax = figure.add_subplot(lines, columns, place + 1)
        ax.set_ylim(-0.6, len(models) - 0.4)
        first = place % columns == 0
        ax.set_yticks(range(len(models)), names if first else [""] * len(models))
        ax.tick_params(axis="y", length=0)
        ax.locator_params(axis="x", nbins=5)
        for row in range(len(models)):
            ax.axhline(row, color=FAINT, linewidth=0.25, alpha=0.5, zorder=0)
        axes.append(ax)
    return figure, axes
