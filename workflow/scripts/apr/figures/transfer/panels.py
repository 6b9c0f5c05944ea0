"""Scores on other data against ImageNet accuracy: a panel for each dataset, with lines, their bands and intervals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from apr.comparisons.transfer.slopes import flattened, slopes_basis
from apr.comparisons.transfer.targets import (
    FINE_TUNED,
    Scored,
    Transfer,
    intervals_of,
    models_without,
    rare_labels,
)
from apr.comparisons.wording import UNDEFINED, sentence, with_interval
from apr.figures.style import (
    BLUE,
    FAINT,
    GREEN,
    GREY,
    INK,
    ORANGE,
    Drawing,
    legend_below,
    panels,
    point_style,
    share_labels,
    shortened,
    styled,
)
from apr.statistics.transfer.slopes import Slope

POINTS = 60  # of a line
LINE = 9.5  # points of height of a line of text above a panel
MANY = 40  # models from which on they would hide lines
MARGIN = 0.05  # of an axis, around what is drawn
COLORS = {"all": GREEN, "above": BLUE}
MOST_COLUMNS = 3
GUESS_WITHIN = 0.5  # of the height of what is drawn: a guess's level that is further below would flatten it


@dataclass(frozen=True)
class Panel:
    """One panel: a target's models against one source of ImageNet accuracies, and other scores of the same dataset."""

    source: str
    target: str
    scored: Scored
    other: Scored | None
    lines: Mapping[str, Slope]
    other_lines: Mapping[str, Slope]
    points: pd.DataFrame


@styled
def draw_transfer(transfer: Transfer, kind: str) -> Drawing:
    """A panel for each dataset: the metric against ImageNet top-1 accuracy, points with intervals, lines with bands.

    Green is the line through all models, blue that through those above the limit. Hollow are the same models in another
    way: as fixed features, or from scratch.

    Args:
        transfer: of `read_transfer`.
        kind: of `targets.KINDS`, which others are drawn as well; those from scratch with a line of their own, in
            place of that above the limit.
    """
    other_line = kind == "scratch"
    made = list(_panels(transfer, kind))
    figure, axes = panels(len(made), min(MOST_COLUMNS, len(transfer.targets)))
    handles: dict[str, tuple[Artist, ...] | Artist] = {}
    for place, (ax, panel) in enumerate(zip(axes, made, strict=True)):
        handles |= _draw(ax, panel, other_line)
        first = place % len(transfer.targets) == 0 and len(transfer.sources) > 1
        letter = "AB"[place // len(transfer.targets)] if first else ""
        name_lines(ax, panel.scored.title, _results(panel, other_line), letter)
        ax.set_xlabel(f"{transfer.titles[panel.source]} top-1 accuracy (%)")
        ax.set_ylabel(metric_label(panel.scored))
    _share_below(axes, made)
    legend_below(figure, *zip(*_legend(transfer, handles, kind), strict=True))
    data = pd.concat([frame for panel in made for frame in _numbers(panel, other_line)], ignore_index=True)
    return Drawing(figure, data, _caption(transfer, made, kind, other_line))


def metric_label(scored: Scored) -> str:
    """What an axis of scores says: "Top-1 accuracy (%)"."""
    unit = f" ({scored.metric.unit})" if scored.metric.unit else ""
    return f"{sentence(scored.metric.name)}{unit}"


def name_lines(ax: Axes, name: str, results: Sequence[tuple[str, str]], letter: str = "") -> None:
    """Above a panel its name in bold, and below that a result a line, each a text and its colour."""
    place = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "baseline"}
    for i, (text, color) in enumerate(reversed(results)):
        ax.annotate(text, (0, 1), (0, 4 + LINE * i), color=color, **place)
    above = 5 + LINE * len(results)
    columns = ax.get_subplotspec().get_gridspec().ncols
    ax.annotate(shortened(name, 100 // columns), (0, 1), (0, above), weight="bold", **place)
    if letter:
        ax.annotate(letter, (0, 1), (-20, above), size=10, weight="bold", **place)


def points_of(transfer: Transfer, scored: Scored, source: str) -> pd.DataFrame:
    """The points of a panel: model, imagenet, value, low, high, above (the limit, on the reference)."""
    models = transfer.common(scored, source=source)
    own = scored.of(models)
    limit = transfer.settings["above"]
    columns = {"imagenet": transfer.sources[source][models], "value": own.values, "low": own.low, "high": own.high}
    points = pd.DataFrame({name: column.to_numpy(dtype=float) for name, column in columns.items()})
    points.insert(0, "model", models)
    return points.assign(above=limit is not None and (transfer.imagenet[models] > limit).to_numpy())


def draw_points(ax: Axes, points: pd.DataFrame, color: str | None = None, hollow: bool = False) -> Artist:
    """Models with the intervals of their scores; those above the limit are blue, or all of one colour."""
    colors = np.where(points["above"], BLUE, INK) if color is None else np.full(len(points), color)
    bars = np.abs(points[["low", "high"]].sub(points["value"], axis=0)).T.to_numpy()
    look: dict[str, Any] = {"fmt": "none", "elinewidth": 0.6, "alpha": 0.6, "zorder": 3}
    if np.isfinite(bars).any():
        ax.errorbar(points["imagenet"], points["value"], yerr=bars, ecolor=colors, **look)
    many = len(points) > MANY
    marks: dict[str, Any] = {"s": 13, "linewidths": 0.8 if hollow else 0.4} | (point_style(len(points)) if many else {})
    marks |= {"facecolors": "white" if hollow else colors, "edgecolors": colors if hollow else "white"}
    return ax.scatter(points["imagenet"], points["value"], zorder=2.2 if many else 4, **marks)


def guess_line(ax: Axes, guess: float | None, points: pd.DataFrame) -> Artist | None:
    """A line at the level of a guess, where that is in range of what is drawn, or near it."""
    values = points[["value", "low", "high"]].to_numpy()
    low, high = np.nanmin(values), np.nanmax(values)
    if guess is None or not low - GUESS_WITHIN * max(high - low, 1) <= guess <= high + GUESS_WITHIN * max(
        high - low, 1
    ):
        return None
    return ax.axhline(guess, color=FAINT, linewidth=0.6, linestyle=(0, (1, 2)), zorder=1)


def _panels(transfer: Transfer, kind: str) -> Iterator[Panel]:
    for source in transfer.sources:
        for target, scored in transfer.targets.items():
            other = transfer.others[kind].get(target)
            points = [points_of(transfer, scored, source).assign(trained=FINE_TUNED)]
            if other:
                points.append(points_of(transfer, other, source).assign(trained=other_word(kind)))
            lines = [transfer.lines(one, source) if one else {} for one in (scored, other)]
            drawn = ["all"] if kind == "scratch" else list(COLORS)
            kept = [{name: own[name] for name in drawn if name in own} for own in lines]
            every = pd.concat(points, ignore_index=True)
            yield Panel(source, target, scored, other, *kept, every.assign(above=every["above"] & ("above" in kept[0])))


def other_word(kind: str) -> str:
    """What the hollow models are."""
    return {"probes": "fixed features", "scratch": "from scratch"}[kind]


def _draw(ax: Axes, panel: Panel, other_line: bool) -> dict[str, Any]:
    """Draw a panel; returns what the legend explains."""
    handles: dict[str, Any] = {}
    points = panel.points
    for name, line in panel.lines.items():
        inside = points[points["above"]] if name == "above" else points
        drawn = _draw_line(ax, line, inside["imagenet"], COLORS[name])
        handles |= {name: drawn} if drawn else {}
    if other_line and panel.other_lines:
        drawn = _draw_line(ax, panel.other_lines["all"], points["imagenet"], ORANGE)
        handles |= {"other_line": drawn} if drawn else {}
    own = points["trained"] == FINE_TUNED
    limits = points[["value", "low", "high"]].to_numpy()
    handles["points"] = draw_points(ax, points[own])
    if panel.other:
        handles["other"] = draw_points(ax, points[~own], ORANGE if other_line else GREY, hollow=True)
    guess = guess_line(ax, panel.scored.guess, points)
    if guess:
        handles["guess"] = guess
        limits = np.append(limits, panel.scored.guess)
    scale(ax, points["imagenet"].to_numpy(), limits)
    return handles


def scale(ax: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Limits around the points; bands may leave them."""
    for values, set_limits in ((x, ax.set_xlim), (y, ax.set_ylim)):
        low, high = np.nanmin(values), np.nanmax(values)
        margin = max(MARGIN * (high - low), 0.5)
        set_limits(low - margin, high + margin)


def _draw_line(ax: Axes, line: Slope, x: pd.Series, color: str) -> tuple[Artist, Artist] | Artist | None:
    if np.isnan(line.slope):
        return None
    grid = np.linspace(x.min(), x.max(), POINTS)
    (stroke,) = ax.plot(grid, line.at(grid), color=color, linewidth=1.0, zorder=2.5)
    low, high = line.band(grid)
    if np.isnan(low).all():
        return stroke
    return ax.fill_between(grid, low, high, color=color, alpha=0.13, linewidth=0, zorder=1), stroke


def _results(panel: Panel, other_line: bool) -> list[tuple[str, str]]:
    """The slope of each line, in its colour."""
    lines = [(f"slope {_slope(line, 2)}", COLORS[name]) for name, line in panel.lines.items()]
    if other_line and panel.other_lines:
        lines.append((f"slope {_slope(panel.other_lines['all'], 2)}", ORANGE))
    return lines if len(lines) > 1 else [(text, INK) for text, _ in lines]


def _slope(line: Slope, digits: int) -> str:
    return UNDEFINED if np.isnan(line.slope) else with_interval(line.slope, *line.bounds, digits)


def _share_below(axes: Sequence[Axes], made: Sequence[Panel]) -> None:
    if len({panel.source for panel in made}) == 1:
        share_labels(list(axes))


def _legend(transfer: Transfer, handles: Mapping[str, Any], kind: str) -> list[tuple[Any, str]]:
    titles = transfer.fit_titles()
    names = {
        "points": FINE_TUNED if "other" in handles else "model",
        "other": other_word(kind),
        "all": f"line, {titles['all']}",
        "above": f"line, {titles.get('above', '')}",
        "other_line": f"line, {other_word(kind)}",
        "guess": "a guess",
    }
    return [(handles[key], name) for key, name in names.items() if key in handles]


def _numbers(panel: Panel, other_line: bool) -> Iterator[pd.DataFrame]:
    about = {"target": panel.target, "imagenet_task": panel.source}
    yield panel.points.assign(**about, kind="model")
    others = {"all": panel.other_lines["all"]} if other_line and panel.other_lines else {}
    for lines, trained in ((panel.lines, FINE_TUNED), (others, panel.points["trained"].iloc[-1])):
        for name, line in lines.items():
            inside = panel.points[panel.points["above"]] if name == "above" else panel.points
            if not np.isnan(line.slope) and len(inside):
                grid = np.linspace(inside["imagenet"].min(), inside["imagenet"].max(), POINTS)
                low, high = line.band(grid)
                columns = {"imagenet": grid, "value": line.at(grid), "low": low, "high": high}
                yield pd.DataFrame(columns).assign(**about, kind=f"line, {name}", trained=trained)


def _caption(transfer: Transfer, made: Sequence[Panel], kind: str, other_line: bool) -> str:
    targets = list(transfer.targets.values())
    metrics = "; ".join(f"{one.title}: {one.metric.title}" for one in targets)
    limit = transfer.settings["above"]
    drawn = any("above" in panel.lines for panel in made)
    above = f" Blue: the models above {limit:g} % on ImageNet, and the line through these." if drawn else ""
    hollow = ""
    if any(panel.other for panel in made):
        words = {
            "probes": "the same models as fixed features, with a classifier on top",
            "scratch": "the same models trained from scratch",
        }
        hollow = f" Hollow: {words[kind]}{', with their line in orange' if other_line else ''}."
    both = (
        " A and B: the same scores against ImageNet accuracy from two sources "
        f"({'; '.join(transfer.titles[name] for name in transfer.sources)})."
        if len(transfer.sources) > 1
        else ""
    )
    guesses = (
        " Dotted: the level of a guess, where it is near." if any(p.scored.guess is not None for p in made) else ""
    )
    clauses = "\n".join(f"- {_clause(transfer, panel)}" for panel in made)
    return (
        f"Scores of models against their ImageNet top-1 accuracy ({metrics}). Bars: "
        f"{intervals_of(targets, transfer.settings['resamples'])}. Green: the least-squares line through all models, "
        f"with its 95 % band.{above}{hollow}{guesses}{both} Slopes, in points of the metric for each point on "
        f"ImageNet, and bands have {slopes_basis(transfer)}:\n\n{clauses}\n\n{flattened(transfer)}"
        f"{rare_labels(targets)}{models_without(transfer)}"
    )


def _clause(transfer: Transfer, panel: Panel) -> str:
    titles = transfer.fit_titles()
    parts = []
    for name, line in panel.lines.items():
        value = f"no line ({line.reason})" if np.isnan(line.slope) else with_interval(line.slope, *line.bounds, 3)
        parts.append(f"{titles[name]} {value}, n = {line.n}")
    if panel.other_lines:
        line = panel.other_lines["all"]
        value = "no line" if np.isnan(line.slope) else with_interval(line.slope, *line.bounds, 3)
        parts.append(f"{panel.points['trained'].iloc[-1]} {value}, n = {line.n}")
    where = f", {transfer.titles[panel.source]}" if len(transfer.sources) > 1 else ""
    return f"{panel.scored.title}{where}: {'; '.join(parts)}"
