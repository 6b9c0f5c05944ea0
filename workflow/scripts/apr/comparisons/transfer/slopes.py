"""How much a point of ImageNet accuracy is worth on other data, as a table."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from apr.comparisons.table import Table
from apr.comparisons.transfer.captions import how_trained, models_without, rare_labels
from apr.comparisons.transfer.targets import KINDS, Scored, Transfer
from apr.comparisons.wording import number, with_interval
from apr.statistics.bootstrap import interval
from apr.statistics.transfer.slopes import FEWEST, POWER, Slope

NAN = float("nan")
DIGITS = 3
Paper = Mapping[str, Mapping[str, str]]  # target -> line -> what the paper reports of its slope


def slopes_table(transfer: Transfer, paper: Paper | None = None) -> Table:
    """Slopes over all models, those above the limit, and those better than one model, with what they can tell.

    Args:
        transfer: of `read_transfer`.
        paper: what the paper reports, for targets that are its own.
    """
    rows = list(_rows(transfer, paper or {}))
    data = pd.DataFrame(rows)
    several, ways = len(transfer.sources) > 1, data["trained"].nunique() > 1
    shown = pd.DataFrame([_shown(row, transfer, several, ways, bool(paper)) for row in rows])
    return Table(data, shown, _caption(transfer, data, bool(paper)))


def _rows(transfer: Transfer, paper: Paper) -> Iterator[dict[str, Any]]:
    for target in transfer.targets:
        for trained, scored in scored_ways(transfer, target).items():
            itself = scored is transfer.targets[target]
            for source in transfer.sources:
                lines = transfer.lines(scored, source)
                for name, line in lines.items():
                    said = paper.get(target, {}).get(name, "") if itself else ""
                    yield _row(scored, target, trained, source, name, line, lines["all"]) | {"paper_value": said}


def scored_ways(transfer: Transfer, target: str) -> dict[str, Scored]:
    """A target's models by how they were trained: as the target itself says, and as fixed features or from scratch."""
    found = {transfer.targets[target].word: transfer.targets[target]}
    for kind in ("probes", "scratch"):
        if other := transfer.others[kind].get(target):
            found[KINDS[kind] if KINDS[kind] not in found else f"{KINDS[kind]} ({other.title})"] = other
    return found


def _row(
    scored: Scored, target: str, trained: str, source: str, name: str, line: Slope, whole: Slope
) -> dict[str, Any]:
    row = {"target": target, "task": scored.task, "metric": scored.metric.name, "trained": trained, "imagenet": source}
    row |= {"line": name, "n": line.n, "slope": line.slope}
    row |= dict(zip(("low", "high"), line.bounds, strict=True)) | {"error": line.error, "tells": line.tells}
    differs = name != "all" and len(line.slopes) and len(whole.slopes)
    difference = line.slope - whole.slope if name != "all" else NAN
    low, high = interval(line.slopes - whole.slopes) if differs else (NAN, NAN)
    row |= {"difference": difference, "difference_low": low, "difference_high": high}
    return row | {"reason": line.reason or NAN}


def _shown(
    row: Mapping[str, Any], transfer: Transfer, several: bool, ways: bool, with_paper: bool
) -> dict[str, str | int]:
    scored = transfer.targets[row["target"]]
    shown: dict[str, str | int] = {"Dataset": f"{scored.title} ({scored.metric.title})"}
    if ways:
        shown["Trained"] = row["trained"]
    if several:
        shown["ImageNet accuracy"] = transfer.titles[row["imagenet"]]
    shown |= {"Models": transfer.fit_titles()[row["line"]], "n": row["n"]}
    shown["Slope"] = with_interval(row["slope"], row["low"], row["high"], DIGITS)
    if with_paper:
        shown["Paper"] = row["paper_value"]
    shown["Smallest that it tells"] = "" if np.isnan(row["tells"]) else number(row["tells"], DIGITS)
    bounds = row["difference"], row["difference_low"], row["difference_high"]
    return shown | {"Difference": "" if np.isnan(row["difference"]) else with_interval(*bounds, DIGITS)}


def _every(transfer: Transfer) -> list[Scored]:
    return [one for target in transfer.targets for one in scored_ways(transfer, target).values()]


def flattened(transfer: Transfer) -> str:
    """A sentence on the noise of the ImageNet accuracies themselves, of the models that lines go through."""
    texts = []
    for name, known in transfer.sources.items():
        images = transfer.images[name]
        accuracies = known[known.index.isin([model for one in transfer.targets.values() for model in one.values.index])]
        if images and len(accuracies) > 1 and accuracies.var() > 0:
            noise = float((accuracies * (100 - accuracies)).mean() / images)
            share = 100 * min(1.0, noise / float(accuracies.var()))
            of = f"those of {transfer.titles[name]}, of {images:,} images"
            texts.append(f"{of}, by at most {'0.1' if share < 0.1 else f'{share:.1f}'} %")
    if not texts:
        return "ImageNet accuracies are taken as known."
    return f"ImageNet accuracies are taken as known; their own noise flattens a slope: {'; '.join(texts)}."


def slopes_basis(transfer: Transfer) -> str:
    """What the intervals of lines are of, for a caption."""
    known = [one for one in transfer.targets.values() if one.draws is not None]
    images = (
        ", and of what the test images do to all models alike, by resampling them"
        if known
        else "; what the test images do to all models alike is not known"
    )
    return (
        "95 % intervals for other models, test images and seeds, by Student's t with n − 2 degrees of freedom: the "
        "standard error is that of the models' scatter, be it even or not (HC3), which holds what images and seeds do "
        f"to each model apart{images}; fewer than {FEWEST} models have none"
    )


def _caption(transfer: Transfer, data: pd.DataFrame, with_paper: bool) -> str:
    above, after, wanted = transfer.settings["above"], transfer.after, transfer.settings["after"]
    lines = ["all models"]
    if above is not None:
        lines.append(f"those above {above:g} % on {transfer.titles[transfer.settings['reference']]}")
    if after is not None:
        lines.append(f"those more accurate there than {after}")
    lacking = f" No line of models better than {wanted}, which has no accuracy there." if wanted != after else ""
    paper = " Paper: what the paper reports of that line, for its own models and datasets." if with_paper else ""
    undefined = data.dropna(subset="reason")
    without = "; ".join(f"{row.task}, {row.line}: {row.reason}" for row in undefined.itertuples())
    return (
        "Slopes of least-squares lines, in points of the metric for each point of ImageNet accuracy, over "
        f"{', '.join(lines)}. In brackets: {slopes_basis(transfer)}. Smallest that it tells: how steep the line of "
        f"all such models has to be for {100 * POWER:.0f} % of studies like this to tell it from a level one (5 %, "
        "two-sided). Difference: that slope less the one over all models; the interval takes into account that the "
        f"two have models in common.{lacking}{paper} {flattened(transfer)}"
        f"{f' Without interval or line: {without}.' if without else ''}"
        f"{how_trained(_every(transfer))}{rare_labels(transfer.targets.values())}{models_without(transfer)}"
    )
