"""What augmentation gains, model by model, beside what the architecture gains."""

import pandas as pd
from matplotlib.axes import Axes

from apr.comparisons.transfer.captions import how_trained, intervals_of, models_below, models_without
from apr.comparisons.transfer.gains import ARCHITECTURE, AUGMENTATION, Ahead, augmentation_ahead, base_model, gains_of
from apr.comparisons.transfer.targets import Transfer
from apr.comparisons.wording import number, with_interval
from apr.figures.style import BLUE, FAINT, ORANGE, Drawing, legend_below, name_panel, styled
from apr.figures.transfer.rows import rows_of

LOOKS = {AUGMENTATION: ("o", ORANGE, 0.16), ARCHITECTURE: ("D", BLUE, -0.16)}


@styled
def draw_gains(transfer: Transfer) -> Drawing:
    """A panel for each dataset, a row for each model: its gain by augmentation, and its own over the base model."""
    tasks = list(transfer.others["augmentation"])
    found = pd.concat([gains_of(transfer, task) for task in tasks], ignore_index=True)
    models = transfer.ranked(found["model"])
    figure, axes = rows_of(models, len(tasks))
    handles = []
    for ax, task in zip(axes, tasks, strict=True):
        rows = found[found["target"] == task]
        handles = [_draw(ax, rows[rows["gain"] == gain], models, gain) for gain in LOOKS]
        ax.axvline(0, color=FAINT, linewidth=0.6, zorder=1)
        ahead = augmentation_ahead(transfer, task)
        name_panel(ax, transfer.targets[task].title, f"ahead {_ahead(ahead, 1)}")
        ax.set_xlabel(f"Gain ({transfer.targets[task].metric.points})")
    legend_below(figure, handles, ["by augmentation", "by the architecture, over the base model"])
    return Drawing(figure, found, _caption(transfer, tasks))


def _draw(ax: Axes, rows: pd.DataFrame, models: list[str], gain: str) -> object:
    marker, color, aside = LOOKS[gain]
    y = [models.index(model) + aside for model in rows["model"]]
    ax.hlines(y, rows["low"], rows["high"], color=color, linewidth=0.6, alpha=0.7, zorder=2)
    return ax.scatter(rows["value"], y, marker=marker, s=11, color=color, linewidths=0, zorder=3)


def _ahead(ahead: Ahead | None, digits: int) -> str:
    if ahead is None:
        return "not known"
    if pd.isna(ahead.low):
        return number(ahead.value, digits)
    return with_interval(ahead.value, ahead.low, ahead.high, digits)


def _caption(transfer: Transfer, tasks: list[str]) -> str:
    targets = [transfer.targets[task] for task in tasks]
    clauses = []
    for task, scored in zip(tasks, targets, strict=True):
        models = transfer.common(scored, transfer.others["augmentation"][task])
        ahead = augmentation_ahead(transfer, task)
        clauses.append(
            f"- {scored.title}: {_ahead(ahead, 2)} {scored.metric.points}; base model {base_model(transfer, models)}, "
            f"best on ImageNet {models[-1]}"
            if ahead
            else f"- {scored.title}: {_ahead(ahead, 2)}, since no model has an ImageNet accuracy"
        )
    listed = "\n".join(clauses)
    unknown = models_below(transfer, targets)
    every = [*targets, *(transfer.others["augmentation"][task] for task in tasks)]
    return (
        f"What models gain on each dataset, the most accurate on ImageNet at the top{unknown}, in points of the "
        "metric, better being to the right. Orange: by augmentation, over the same model trained without; blue: by the "
        "architecture, over the base model, both trained with augmentation. Bars: "
        f"{intervals_of(targets, transfer.settings['resamples'])}; both sides of a difference are "
        "scored on the same images. Ahead: the mean gain of augmentation over all models, less what the architecture "
        f"that is best on ImageNet gains over the base model:\n\n{listed}"
        f"\n\n{(how_trained(every) + models_without(transfer, left_out=False)).strip()}".rstrip()
    )
