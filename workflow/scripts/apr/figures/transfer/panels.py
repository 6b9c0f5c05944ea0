"""Scores on other data against ImageNet accuracy: a panel for each dataset, with lines, their bands and intervals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from apr.comparisons.transfer.captions import far_below, how_trained, intervals_of, models_without, rare_labels
from apr.comparisons.transfer.slopes import flattened, scored_ways, slopes_basis
from apr.comparisons.transfer.targets import KINDS, Scored, Transfer
from apr.comparisons.wording import UNDEFINED, counted, with_interval
from apr.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    Drawing,
    legend_below,
    panels,
    share_labels,
    styled,
)
from apr.figures.transfer.points import (
    guess_line,
    metric_label,
    name_lines,
    place_points,
    points_of,
    say_nothing,
    scale,
)
from apr.statistics.transfer.slopes import Slope

POINTS = 60  # of a line
COLORS = {"all": GREEN, "above": BLUE}
MOST_COLUMNS = 3
FEWEST_OF_LINE = 5  # models; a line through fewer shows little but where they lie


@dataclass(frozen=True)
class Panel:
    """One panel: a target's models against one source of ImageNet accuracies, and the `other` scores of its dataset.

    `words` say how the models of the target and of these came by their scores.
    """

    source: str
    target: str
    scored: Scored
    other: Scored | None
    lines: Mapping[str, Slope]
    other_lines: Mapping[str, Slope]
    words: tuple[str, str]
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
    if handles:
        legend_below(figure, *zip(*_legend(transfer, handles, made), strict=True))
    data = pd.concat([frame for panel in made for frame in _numbers(panel, other_line)], ignore_index=True)
    return Drawing(figure, data, _caption(transfer, made, kind, other_line))


def _panels(transfer: Transfer, kind: str) -> Iterator[Panel]:
    for source in transfer.sources:
        for target, scored in transfer.targets.items():
            other = transfer.others[kind].get(target)
            words = next((name for name, one in scored_ways(transfer, target).items() if one is other), KINDS[kind])
            words = (scored.word, words)
            each = zip(words, (scored, other), strict=True)
            points = [points_of(transfer, one, source).assign(trained=word) for word, one in each if one]
            lines = [transfer.lines(one, source) if one else {} for one in (scored, other)]
            drawn = ["all"] if kind == "scratch" else list(COLORS)
            kept = [{name: own[name] for name in drawn if _enough(own.get(name))} for own in lines]
            every = pd.concat(points, ignore_index=True)
            every["above"] &= "above" in kept[0]
            yield Panel(source, target, scored, other, *kept, words, every)


def _enough(line: Slope | None) -> bool:
    return line is not None and line.n >= FEWEST_OF_LINE


def _draw(ax: Axes, panel: Panel, other_line: bool) -> dict[str, Any]:
    """Draw a panel; returns what the legend explains."""
    handles: dict[str, Any] = {}
    points = panel.points
    if points.empty:
        say_nothing(ax)
        return handles
    for name, line in panel.lines.items():
        inside = points[points["above"]] if name == "above" else points
        drawn = _draw_line(ax, line, inside["imagenet"], COLORS[name])
        handles |= {name: drawn} if drawn else {}
    if other_line and panel.other_lines:
        drawn = _draw_line(ax, panel.other_lines["all"], points["imagenet"], ORANGE)
        handles |= {"other_line": drawn} if drawn else {}
    own = points["trained"] == panel.words[0]
    limits = points[["value", "low", "high"]].to_numpy()
    if own.any():
        handles["points"] = place_points(ax, points[own])
    if not own.all():
        handles["other"] = place_points(ax, points[~own], ORANGE if other_line else GREY, hollow=True)
    guess = guess_line(ax, panel.scored.guess, points)
    if guess:
        handles["guess"] = guess
        limits = np.append(limits, panel.scored.guess)
    scale(ax, points["imagenet"].to_numpy(), limits)
    return handles


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
    if panel.points.empty:
        return []
    lines = [(f"slope {_slope(line, 2)}", COLORS[name]) for name, line in panel.lines.items()]
    if other_line and panel.other_lines:
        lines.append((f"slope {_slope(panel.other_lines['all'], 2)}", ORANGE))
    return lines if len(lines) > 1 else [(text, INK) for text, _ in lines]


def _slope(line: Slope, digits: int) -> str:
    return UNDEFINED if np.isnan(line.slope) else with_interval(line.slope, *line.bounds, digits)


def _share_below(axes: Sequence[Axes], made: Sequence[Panel]) -> None:
    if len({panel.source for panel in made}) == 1:
        share_labels(list(axes))


def _words(made: Sequence[Panel]) -> tuple[str, str]:
    """What the filled and the hollow models are, of all panels."""
    filled, hollow = (list(dict.fromkeys(panel.words[place] for panel in made)) for place in (0, 1))
    return " or ".join(filled), " or ".join(hollow)


def _legend(transfer: Transfer, handles: Mapping[str, Any], made: Sequence[Panel]) -> list[tuple[Any, str]]:
    titles, (filled, hollow) = transfer.fit_titles(), _words(made)
    names = {
        "points": filled if "other" in handles else "model",
        "other": hollow,
        "all": f"line, {titles['all']}",
        "above": f"line, {titles.get('above', '')}",
        "other_line": f"line, {hollow}",
        "guess": "a guess",
    }
    return [(handles[key], name) for key, name in names.items() if key in handles]


def _numbers(panel: Panel, other_line: bool) -> Iterator[pd.DataFrame]:
    about = {"target": panel.target, "imagenet_task": panel.source}
    yield panel.points.assign(**about, kind="model")
    others = {"all": panel.other_lines["all"]} if other_line and panel.other_lines else {}
    for lines, trained in ((panel.lines, panel.words[0]), (others, panel.words[1])):
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
    few = f", where they are {FEWEST_OF_LINE} or more"
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
        f"{intervals_of(targets, transfer.settings['resamples'])}. Green: the least-squares line through all "
        f"models{f' that are {_words(made)[0]}' if hollow else ''}, with its 95 % band{few}."
        f"{above}{hollow}{guesses}{both} "
        f"Slopes, in points of the metric for each point on ImageNet, and bands have {slopes_basis(transfer)}:\n\n"
        f"{clauses}\n\n{flattened(transfer)}{_how(made)}{rare_labels(targets)}{models_without(transfer)}"
    )


def _how(made: Sequence[Panel]) -> str:
    every = {one.task: one for panel in made for one in (panel.scored, panel.other) if one}.values()
    return f"{how_trained(every)}{far_below(every)}"


def _clause(transfer: Transfer, panel: Panel) -> str:
    titles = transfer.fit_titles()
    parts = []
    for name, line in panel.lines.items():
        value = f"no line ({line.reason})" if np.isnan(line.slope) else with_interval(line.slope, *line.bounds, 3)
        parts.append(f"{titles[name]} {value}, n = {line.n}")
    if panel.other_lines:
        line = panel.other_lines["all"]
        value = "no line" if np.isnan(line.slope) else with_interval(line.slope, *line.bounds, 3)
        parts.append(f"{panel.words[1]} {value}, n = {line.n}")
    if "all" not in panel.lines:
        models = counted(int((panel.points["trained"] == panel.words[0]).sum()), "model")
        parts.insert(0, f"no line, of {models}")
    where = f", {transfer.titles[panel.source]}" if len(transfer.sources) > 1 else ""
    return f"{panel.scored.title}{where}: {'; '.join(parts)}"
