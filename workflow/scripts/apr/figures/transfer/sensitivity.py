"""How much of a score is the choice of hyperparameters: best, median and worst cell of the grid, and the chosen "
"ones."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from apr.comparisons.transfer.captions import how_trained, models_below, models_without
from apr.comparisons.transfer.targets import Transfer
from apr.comparisons.wording import number, with_interval
from apr.figures.style import BLUE, FAINT, INK, ORANGE, Drawing, legend_below, name_panel, styled
from apr.figures.transfer.points import metric_label
from apr.figures.transfer.rows import rows_of
from apr.scores.table import CELL
from apr.statistics.bootstrap import interval
from apr.statistics.lines import bootstrap_means
from apr.statistics.ranks import FEWEST


@styled
def draw_sensitivity(transfer: Transfer, cells: Mapping[str, pd.DataFrame]) -> Drawing:
    """A panel for each dataset, a row for each model: from the worst to the best cell, the median, and the two choices.

    Args:
        transfer: of `read_transfer`.
        cells: target -> `apr.comparisons.transfer.scores.cells_of`.
    """
    targets = {task: transfer.targets[task] for task in cells if task in transfer.targets}
    found = pd.concat([table.assign(target=task) for task, table in cells.items()], ignore_index=True)
    models = transfer.ranked(found["model"])
    figure, axes = rows_of(models, len(targets))
    handles = []
    for ax, (task, scored) in zip(axes, targets.items(), strict=True):
        rows = found[(found["target"] == task) & found["model"].isin(models)]
        y = [models.index(model) for model in rows["model"]]
        span = ax.hlines(y, rows["worst"], rows["best"], color=FAINT, linewidth=1.2, zorder=1)
        median = ax.scatter(rows["median"], y, marker="|", s=22, color=INK, linewidths=0.9, zorder=2)
        test = ax.scatter(
            rows["chosen_by_test"], y, s=20, facecolors="white", edgecolors=ORANGE, linewidths=0.9, zorder=3
        )
        chosen = ax.scatter(rows["chosen"], y, s=8, color=BLUE, linewidths=0, zorder=4)
        name_panel(ax, scored.title, f"optimism {_optimism(rows['optimism'], transfer, 1)}")
        ax.set_xlabel(metric_label(scored))
        handles = [chosen, test, span, median]
    names = ["chosen by validation", "chosen by test", "worst to best cell", "median cell"]
    legend_below(figure, handles, names)
    clauses = "\n".join(f"- {_clause(transfer, task, cells[task])}" for task in targets)
    below = models_below(transfer, targets.values())
    caption = (
        "Scores on the test part of all cells of the grid that completed, means over seeds, for each model, the most "
        f"accurate on ImageNet at the top{below}: from the worst to the best cell, and the median one. Blue: the cell "
        "that is best on the validation part, whose score counts everywhere else; orange: the one that is best on the "
        "test part itself. Optimism: how much better the latter looks, in points, its mean over models with the 95 % "
        f"interval of {transfer.settings['resamples']:,} bootstrap resamples of the models (none of fewer than "
        f"{FEWEST}):\n\n{clauses}"
        f"\n\n{(how_trained(targets.values()) + models_without(transfer, left_out=False)).strip()}".rstrip()
    )
    return Drawing(figure, found[[name for name in found if not name.startswith(CELL)]], caption)


def _optimism(values: pd.Series, transfer: Transfer, digits: int) -> str:
    known = values.dropna().to_numpy(dtype=float)
    if not len(known):
        return "not known"
    if len(known) < FEWEST:
        return number(float(known.mean()), digits)
    low, high = interval(bootstrap_means(known, transfer.settings["resamples"], transfer.seed))
    return with_interval(float(known.mean()), low, high, digits)


def _clause(transfer: Transfer, task: str, cells: pd.DataFrame) -> str:
    scored = transfer.targets[task]
    fewest, most = cells["cells"].min(), cells["cells"].max()
    count = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    dropped = int(cells["dropped"].sum())
    unknown = f" ({dropped:,} more were dropped by the search, of all models together)" if dropped else ""
    spread = float(np.mean(np.abs(cells["best"] - cells["median"])))
    return (
        f"{scored.title}: {count} cells a model{unknown}; optimism {_optimism(cells['optimism'], transfer, 2)} "
        f"{scored.metric.points}; the best cell is {number(spread, 1)} ahead of the median one, on average"
    )
