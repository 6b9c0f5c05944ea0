"""What a task reports over the epochs of training, and over the epochs after a run is continued."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from apr.basics.problems import Problem
from apr.comparisons.testsets import footnote, marked, weak_tasks, words_of
from apr.comparisons.wording import UNDEFINED, number
from apr.figures.style import (
    FAINT,
    GREY,
    INK,
    ORANGE,
    RED,
    Drawing,
    legend_below,
    name_panel,
    panels,
    share_labels,
    styled,
)
from apr.runs.metrics import METRICS, Metric
from apr.runs.record import read_run
from apr.scores.tested import Counted, metric_of
from apr.statistics.ranks import spearman

COLUMNS = ["task", "rank", "model", "epoch", "value", "resumed_after"]
HIGHLIGHT = 5  # best and worst in (A), as many as are continued
CHECKED = 4  # epochs whose ranking the caption compares with the final one
# The groups differ by line style too, so that they can be told apart without colour.
LOOKS = {
    "best": {"color": ORANGE, "linestyle": "-", "linewidth": 0.8, "zorder": 3},
    "worst": {"color": RED, "linestyle": (0, (3, 1)), "linewidth": 0.8, "zorder": 3},
    "other": {"color": GREY, "linestyle": "-", "linewidth": 0.5, "zorder": 2},
}
DIVERGED = {"color": INK, "marker": "x", "markersize": 4, "linestyle": "", "zorder": 4}
RESUMED = {"color": FAINT, "linestyle": ":", "linewidth": 1.0, "zorder": 1}


def read_curves(paths: Iterable[str | Path], metrics: Mapping[str, str]) -> pd.DataFrame:
    """Read what a task reports after each epoch from the JSONs of runs: task, rank, model, epoch, value, resumed_after.

    A run that diverged has its last row at the epoch in which it did, without a value (NaN). `rank` (best1, worst1,
    …) and `resumed_after`, the source's last epoch, stand with continuations only.

    Args:
        paths: of runs.
        metrics: task -> the metric that it reports.

    Raises:
        Problem: a file is missing or is no run.
    """
    rows = []
    for path in paths:
        run = read_run(path)
        outcome = run["outcome"]
        metric = METRICS[metrics[run["task"]]]
        tested = {entry["epoch"]: entry["parts"]["test"] for entry in run["history"] if "test" in entry["parts"]}
        if len(tested) < len(run["history"]):
            raise Problem(
                f"{path}: was evaluated after {len(tested)} of {len(run['history'])} epochs, since no curve of "
                f"{run['task']} was drawn then; delete it to train it again, or leave {run['task']} out of "
                "comparisons.curves"
            )
        values = {epoch: metric.of(part) for epoch, part in tested.items()}
        if outcome["status"] == "diverged":
            values[outcome["epoch"]] = None
        about = {"task": run["task"], "rank": run.get("rank", ""), "model": run["model"]}
        about["resumed_after"] = run["protocol"]["initial"]["epochs"] if about["rank"] else None
        rows += [{**about, "epoch": epoch, "value": value} for epoch, value in values.items()]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"value": float, "resumed_after": float})


@styled
def draw_training_curves(
    curves: pd.DataFrame,
    continued: pd.DataFrame,
    zoom_from: int,
    titles: Mapping[str, str],
    counts: Counted | None = None,
) -> Drawing:
    """(A) Test score against epoch on one task, whole and zoomed; (B) runs that were continued, a panel a task.

    Args:
        curves: task, model, epoch, value (NaN in the epoch in which a run diverged).
        continued: task, rank (best1, worst1, …), model, epoch, value, resumed_after (epoch); may be empty.
        zoom_from: first epoch of the zoomed panel.
        titles: task -> the name that a reader sees.
        counts: what is known of each task's test images (`apr.scores.tested`); None: nothing.

    Raises:
        Problem: no curve, several tasks in `curves`, or no epoch after `zoom_from`.
    """
    if curves["task"].nunique() != 1 or curves["value"].isna().all():
        found = ", ".join(curves["task"].unique()) or "none"
        raise Problem(f"comparisons: curves: need runs of one task with finished epochs, found: {found}; name one task")
    task, last = curves["task"].iloc[0], int(curves["epoch"].max())
    if zoom_from >= last:
        raise Problem(f"comparisons: curves: zoom_from: {zoom_from}: the runs on {task} end at epoch {last}; lower it")
    finished = curves.pivot(index="model", columns="epoch", values="value").dropna()
    weak = _weak(task, finished[last], continued, counts)
    titles = marked(titles, weak)
    highlight = min(HIGHLIGHT, len(finished) // 4)
    first = curves.assign(
        panel="A", rank="", group=_groups(curves, metric_of(counts, task).loss(finished[last]), highlight)
    )
    second = continued.assign(panel="B", group=continued["rank"].str.rstrip("0123456789"))
    figure, axes = panels(2 + second["task"].nunique(), columns=2)
    _draw_curves(axes[0], first, "model")
    name_panel(axes[0], titles[task], f"all {last} epochs", letter="A")
    _draw_curves(axes[1], first[first["epoch"] >= zoom_from], "model")
    name_panel(axes[1], titles[task], f"from epoch {zoom_from}")
    for i, (name, rows) in enumerate(second.groupby("task", sort=False)):
        _draw_curves(axes[2 + i], rows, "rank")
        for epoch in rows["resumed_after"].unique():
            axes[2 + i].axvline(epoch, **RESUMED)
        name_panel(axes[2 + i], titles[name], _continued(rows), letter="" if i else "B")
    for ax, name in zip(axes, [task, task, *second["task"].unique()], strict=True):
        ax.set(xlabel="Epoch", ylabel=f"Test {metric_of(counts, name).label}")
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=2))
    share_labels(axes)
    data = pd.concat([first, second] if len(second) else [first], ignore_index=True)
    data = data.reindex(columns=["panel", *COLUMNS, "group"])
    diverged = data["value"].isna().any()
    legend_below(figure, *_legend(data, diverged))
    caption = _first_caption(titles[task], metric_of(counts, task), curves, finished, highlight, zoom_from)
    if len(second):
        caption += "\n\n" + _second_caption(second, titles, counts)
    if diverged:
        caption += "\n\nA cross marks the last epoch of a run that diverged."
    if weak:
        caption += "\n\n" + footnote(weak, titles).strip()
    return Drawing(figure, data, caption)


def _weak(task: str, final: pd.Series, continued: pd.DataFrame, counts: Counted | None) -> dict[str, str]:
    """The tasks whose models cannot be ranked by their last epoch."""
    ends = continued[continued["epoch"] == continued.groupby("task")["epoch"].transform("max")]
    values = {name: rows.set_index("rank")["value"] for name, rows in ends.groupby("task", sort=False)}
    return weak_tasks(pd.DataFrame({task: final} | values), counts, [task, *values])


def _groups(curves: pd.DataFrame, final: pd.Series, highlight: int) -> pd.Series:
    """Best, worst or other by the final loss; models that tie across the limit are other."""
    group = pd.Series("other", index=curves["model"].unique(), dtype=object)
    group[final.index[final.rank(method="max") <= highlight]] = "best"
    group[final.index[final.rank(method="max", ascending=False) <= highlight]] = "worst"
    return curves["model"].map(group)


def _draw_curves(ax: Axes, rows: pd.DataFrame, key: str) -> None:
    faint = {"alpha": max(0.15, min(1, 30 / rows[key].nunique()))}
    for name, run in rows.groupby(key, sort=False):
        group = run["group"].iloc[0]
        look = LOOKS[group] | (faint if group == "other" else {})
        known = run.dropna(subset="value")
        ax.plot(known["epoch"], known["value"], gid=name, clip_on=False, **look)
        if run["value"].isna().any() and len(known):
            ax.plot(*known[["epoch", "value"]].iloc[-1], gid=f"{name} diverged", clip_on=False, **DIVERGED)
    ax.set_xlim(rows["epoch"].min(), rows["epoch"].max())


def _continued(rows: pd.DataFrame) -> str:
    resumed = ", ".join(f"{epoch:g}" for epoch in rows["resumed_after"].unique())
    return f"continued after epoch {resumed}"


def _legend(data: pd.DataFrame, diverged: bool) -> tuple[list[Line2D], list[str]]:
    looks = {group: look for group, look in LOOKS.items() if group in set(data["group"])}
    looks |= {"continued from here": RESUMED} if "B" in set(data["panel"]) else {}
    looks |= {"diverged": DIVERGED} if diverged else {}
    return [Line2D([], [], **look) for look in looks.values()], list(looks)


def _first_caption(
    title: str, metric: Metric, curves: pd.DataFrame, finished: pd.DataFrame, highlight: int, zoom_from: int
) -> str:
    last = finished.columns[-1]
    total, pairs = curves["model"].nunique(), len(finished) * (len(finished) - 1) // 2
    several = f"the {highlight} " if highlight > 1 else "the "
    marks = (
        f"Orange, solid: {several}best at the last epoch; red, dashed: {several}worst; grey: the others. "
        if highlight
        else ""
    )
    clauses = []
    between = finished.loc[:, zoom_from:]
    for position in sorted({i * (between.shape[1] - 1) // CHECKED for i in range(CHECKED)}):
        epoch = between.columns[position]
        early, late = (np.subtract.outer(values, values) for values in finished[[epoch, last]].to_numpy().T)
        swapped = np.count_nonzero(early * late < 0) // 2
        clauses.append(
            f"- epoch {epoch}: {_rho(finished[epoch], finished[last])}; {swapped:,} of {pairs:,} pairs of models have "
            "changed places by the end"
        )
    return (
        f"(A) Test {metric.word} on {title} after each epoch of {total} models, over all {last} epochs (left) and "
        "from epoch "
        f"{zoom_from} on (right). {marks}Does the ranking hold while training goes on? Spearman's ρ between the "
        f"{metric.words} at an epoch and at the last one, over the {len(finished)} of {total} models that reached "
        "it:\n\n" + "\n".join(clauses)
    )


def _second_caption(second: pd.DataFrame, titles: Mapping[str, str], counts: Counted | None) -> str:
    clauses = []
    for task, rows in second.groupby("task", sort=False):
        final = rows[rows["epoch"] == rows["epoch"].max()].dropna(subset="value").set_index("rank")
        before = rows[rows["epoch"] == rows["resumed_after"]].set_index("rank")["value"].loc[final.index]
        loss = metric_of(counts, task).loss(final["value"])
        best, worst = (loss[final["group"] == group].to_numpy() for group in ("best", "worst"))
        kept = int((best[:, None] < worst).sum())
        clauses.append(
            f"- {titles[task]}, {_continued(rows)} to {rows['epoch'].max()}, {len(final)} models: "
            f"{_rho(before, final['value'])}; {kept} of {best.size * worst.size} pairs of a best and a worst one keep "
            "their order"
        )
    return (
        "(B) Runs that were continued beyond their last epoch (dotted line): those of the models that were best there "
        "(orange, solid) and of the worst (red, dashed). Spearman's ρ between the "
        f"{words_of(counts, second['task'].unique())} then and at the end is large "
        "where models were picked from both ends, so their order across the two groups is counted too:\n\n"
        + "\n".join(clauses)
    )


def _rho(before: pd.Series, after: pd.Series) -> str:
    result = spearman(before, after, resamples=0, seed=0)
    return f"ρ = {number(result.rho, 2)}" if not result.reason else f"ρ {UNDEFINED}, {result.reason}"
