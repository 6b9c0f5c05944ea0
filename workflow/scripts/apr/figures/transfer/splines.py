"""Scores on other data against ImageNet accuracy, with a spline: does the gain level off?"""

import numpy as np
import pandas as pd

from apr.comparisons.transfer.captions import far_below, how_trained, intervals_of, models_without, rare_labels
from apr.comparisons.transfer.slopes import flattened
from apr.comparisons.transfer.targets import Scored, Transfer
from apr.figures.style import PURPLE, Drawing, legend_below, panels, share_labels, styled
from apr.figures.transfer.panels import MOST_COLUMNS, POINTS
from apr.figures.transfer.points import (
    guess_line,
    metric_label,
    name_lines,
    place_points,
    points_of,
    say_nothing,
    scale,
)
from apr.statistics.transfer.splines import FEWEST, KNOTS, fit_spline, spline_band

NO_CURVE = pd.DataFrame(columns=["imagenet", "value", "low", "high"], dtype=float)


@styled
def draw_splines(transfer: Transfer) -> Drawing:
    """A panel for each dataset: the models with the intervals of their scores, and a spline with its bootstrap band."""
    figure, axes = panels(len(transfer.targets), min(MOST_COLUMNS, len(transfer.targets)))
    frames, handles = [], {}
    source = transfer.settings["reference"]
    for ax, scored in zip(axes, transfer.targets.values(), strict=True):
        points = points_of(transfer, scored, source).assign(above=False)
        name_lines(ax, scored.title, [])
        ax.set(xlabel=f"{transfer.titles[source]} top-1 accuracy (%)", ylabel=metric_label(scored))
        if points.empty:
            say_nothing(ax)
            frames += [points.assign(kind="model", target=scored.task), NO_CURVE]
            continue
        curve = _curve(transfer, scored, points)
        if curve["value"].notna().any():
            look = {"color": PURPLE, "zorder": 2.5}
            area = ax.fill_between(curve["imagenet"], curve["low"], curve["high"], alpha=0.2, linewidth=0, **look)
            (stroke,) = ax.plot(curve["imagenet"], curve["value"], linewidth=1.0, **look)
            handles["spline"] = (area, stroke)
        handles["points"] = place_points(ax, points)
        guess = guess_line(ax, scored.guess, points)
        limits = points[["value", "low", "high"]].to_numpy()
        if guess:
            handles["guess"], limits = guess, np.append(limits, scored.guess)
        scale(ax, points["imagenet"].to_numpy(), limits)
        frames += [points.assign(kind="model", target=scored.task), curve.assign(kind="spline", target=scored.task)]
    share_labels(axes)
    names = {"points": "model", "spline": "natural cubic spline, 95 % band", "guess": "a guess"}
    shown = [name for name in names if name in handles]
    if shown:
        legend_below(figure, [handles[name] for name in shown], [names[name] for name in shown])
    return Drawing(figure, pd.concat(frames, ignore_index=True), _caption(transfer, frames))


def _curve(transfer: Transfer, scored: Scored, points: pd.DataFrame) -> pd.DataFrame:
    x, y = points["imagenet"].to_numpy(), points["value"].to_numpy()
    at = np.linspace(x.min(), x.max(), POINTS)
    images = scored.of(points["model"]).draws
    low, high = spline_band(x, y, images, at, transfer.settings["resamples"], transfer.seed)
    return pd.DataFrame({"imagenet": at, "value": fit_spline(x, y, at), "low": low, "high": high})


def _caption(transfer: Transfer, frames: list[pd.DataFrame]) -> str:
    targets = list(transfer.targets.values())
    without = [one.title for one, curve in zip(targets, frames[1::2], strict=True) if curve["value"].isna().all()]
    lacking = f" {', '.join(without)}: fewer than {FEWEST} models, or equal ones, have no spline." if without else ""
    first, middle, last = KNOTS
    metrics = "; ".join(f"{one.title}: {one.metric.title}" for one in targets)
    return (
        f"Scores of models against their ImageNet top-1 accuracy ({metrics}). Bars: "
        f"{intervals_of(targets, transfer.settings['resamples'])}. Curve: a natural cubic spline by least squares "
        f"with three knots, at the {first}th, {middle}th and {last}th percentile of the ImageNet accuracies, so that "
        f"it bends once and is straight beyond; shaded: the middle 95 % of {transfer.settings['resamples']:,} "
        "bootstrap resamples of models and of test images, which is rather too wide. Which spline the paper draws is "
        f"not known: this one is our choice.{lacking} "
        f"{flattened(transfer)}{how_trained(targets)}{far_below(targets)}{rare_labels(targets)}{models_without(transfer)}"
    )
