"""Selection regret: what a choice on one task costs on another."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace

import pandas as pd

from apr.basics.problems import Problem
from apr.comparisons.correlations import reasons
from apr.comparisons.table import Table
from apr.comparisons.testsets import best_end, footnote, marked, of_images, points_of, weak_tasks, word_of
from apr.comparisons.wording import left_out, number, with_interval
from apr.scores.frames import complete
from apr.scores.tested import Counted, images_of, losses, metric_of
from apr.statistics.regret import FEWEST, MOST_OF_MODELS, Regret, selection_regret


def regret_table(
    scores: pd.DataFrame,
    reference: str,
    targets: Sequence[str],
    closest: Mapping[str, str],
    ks: Sequence[int],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Table:
    """What is lost on each target by choosing among the k best on the reference or on the closest family member.

    Both choices are among the models that completed all three tasks. A k above their number is left out.

    Raises:
        Problem: no target or no k is left.
    """
    if not targets:
        raise Problem("the study has no target: add one to compare it with the reference")
    concerned = dict.fromkeys([reference, *targets, *(closest[target] for target in targets if target in closest)])
    weak = weak_tasks(scores, counts, concerned)
    titles = marked(titles, weak)
    rows, shown = [], []
    for target in targets:
        sources = list(dict.fromkeys([reference, closest.get(target, reference)]))
        models = complete(scores, [*sources, target])
        for source in sources:
            for result in regrets(models, source, target, ks, resamples, seed, counts):
                rows.append({"target": target, "chosen_on": source, **asdict(result), "relative": result.relative})
                rows[-1] |= {"holds": result.holds, "weak": reasons(weak, source, target)}
                shown.append(
                    {"Target": titles[target], "Chosen on": titles[source], **_shown_regret(result, counts, targets)}
                )
    caption = (
        f"Selection regret: the {points_of(counts, targets)} lost on a target by taking, instead of the best of all "
        f"models, the best (on the target) of the k models with the {best_end(counts, reference)} on "
        f"{titles[reference]}, or on the member of its family that is closest to the target in its number of classes; "
        "k = 1 is the winner, taken unseen. Random: the "
        "regret expected of k models drawn at random. Relative: regret over random; above 1 is worse than chance. "
        f"Ties are averaged. {regret_basis(resamples, counts, concerned)} "
        f"{left_out(len(scores), [row['n'] for row in rows])}{footnote(weak, titles)}"
    )
    return Table(pd.DataFrame(rows), pd.DataFrame(shown), caption)


def regret_basis(resamples: int, counts: Counted | None, tasks: Iterable[str], shown: str = "Intervals") -> str:
    """What the intervals of regret are of, which are `shown`, and where they do not hold, for a caption."""
    return (
        f"{shown} are the middle 99 % of {resamples:,} bootstrap resamples of the models, which cover the expected "
        f"regret in about 95 %; {of_images(counts, tasks)}. In simulations they cover it in less than 90 % "
        f"for fewer than {FEWEST} models, for k above {MOST_OF_MODELS:.0%} of them, and where all resamples "
        "agree."
    )


def regrets(
    scores: pd.DataFrame,
    source: str,
    target: str,
    ks: Sequence[int],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> list[Regret]:
    """Selection regret over the models that completed both tasks, for each k that does not exceed their number.

    Raises:
        Problem: no k is left.
    """
    pair = complete(scores, [source, target])
    possible = [k for k in ks if k <= len(pair)]
    if not possible:
        raise Problem(
            f"statistics: regret_k: {list(ks)}: every k exceeds the {len(pair)} models on {target}; add k = 1"
        )
    lost, metric = losses(pair, counts), metric_of(counts, target)
    found = selection_regret(lost[source], lost[target], possible, resamples, seed, images_of(counts, source, target))
    return [replace(one, chosen=metric.loss(one.chosen), best=metric.loss(one.best)) for one in found]


def _shown_regret(result: Regret, counts: Counted | None, targets: Sequence[str]) -> dict:
    percent = all(metric_of(counts, target).unit == "%" for target in targets)
    unit, points = (" (%)", " (points)") if percent else ("", "")
    return {
        "k": result.k,
        f"{word_of(counts, targets).capitalize()} got{unit}": number(result.chosen, 2),
        f"Best{unit}": number(result.best, 2),
        f"Regret{points}": with_interval(result.regret, result.low, result.high, 2),
        "Interval holds": "yes" if result.holds else "no",
        f"Random{points}": number(result.random, 2),
        "Relative": number(result.relative, 2),
        "n": result.n,
    }
