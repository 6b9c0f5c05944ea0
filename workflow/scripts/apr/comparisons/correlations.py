"""The tables of the study: comparisons of score tables, each row with its interval and number of models."""

from collections.abc import Mapping, Sequence

import pandas as pd

from apr.basics.problems import Problem
from apr.comparisons.shape import SHAPE, with_shape
from apr.comparisons.table import Table
from apr.comparisons.testsets import basis, footnote, marked, weak_tasks, word_of, words_of
from apr.comparisons.wording import left_out, number, p_value, with_interval
from apr.runs.metrics import LEAST
from apr.scores.frames import complete
from apr.scores.tested import Counted, images_of, losses, metric_of
from apr.statistics.bootstrap import holm, interval
from apr.statistics.gains import gain_draws
from apr.statistics.ranks import Correlation, spearman

NAN = float("nan")


def correlation_table(
    scores: pd.DataFrame,
    reference: str,
    targets: Sequence[str],
    closest: Mapping[str, str],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Table:
    """Spearman's rho of each target with the reference and with its closest family member; means in the last row.

    The gain is the difference of the two. All three are over the models that completed all three tasks (without a
    member, over those of target and reference), the gain's interval is paired. The means are over the targets where
    both correlations are defined (where there is none, of the first alone), but for tasks that cannot rank the models.

    Args:
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        closest: target -> family member; a target may be absent.
        counts: what is known of each task's test images.

    Raises:
        Problem: no target, or one that has no model in common with the reference and its member.
    """
    if not targets:
        raise Problem("the study has no target: add one to compare it with the reference")
    concerned = dict.fromkeys([reference, *targets, *(closest[target] for target in targets if target in closest)])
    weak = weak_tasks(scores, counts, concerned)
    titles = marked(titles, weak)
    rows = [
        _correlation_row(scores, reference, target, closest.get(target), resamples, seed, counts) for target in targets
    ]
    data = pd.DataFrame(rows)
    for suffix in ("", "_closest"):
        data.insert(data.columns.get_loc(f"p{suffix}") + 1, f"p_holm{suffix}", holm(data[f"p{suffix}"]))
    data["weak"] = [reasons(weak, reference, row["target"], row["closest"]) for row in rows]
    shown = [_shown_correlation(row, titles, reference) for row in data.to_dict("records")]
    strong = data[data["weak"].isna()]
    both = strong.dropna(subset="gain")
    means = (strong if both.empty else both)[["rho", "rho_closest", "gain"]].mean()
    mean_row = {"Target": "Mean", f"ρ with {titles[reference]}": number(means["rho"], 3)}
    shown.append(mean_row | {"ρ with it": number(means["rho_closest"], 3), "Gain": number(means["gain"], 3)})
    caption = (
        f"Spearman's ρ between the models' {words_of(counts, concerned)} on each target and on {titles[reference]}, "
        "and on the member of its family that is closest to the target in its number of classes; both, and the gain, "
        "their difference, over the "
        "n models that completed all three tasks; so a ρ can differ from that of a figure, which is over the models "
        f"that completed its two. In brackets: {basis(resamples, counts, concerned)}, p (Holm) is, "
        "within its column; the gain's resamples are paired, and their interval is no narrower than with the standard "
        "error of Meng, Rosenthal and Rubin. "
        f"{_averaged(data, means, titles, reference)} "
        f"{left_out(len(scores), [row['n'] for row in rows])}{footnote(weak, titles)}"
    )
    data = pd.concat([data, pd.DataFrame([{"target": "mean", **means}])], ignore_index=True)
    return Table(data, pd.DataFrame(shown).fillna(""), caption)


def _averaged(data: pd.DataFrame, means: pd.Series, titles: Mapping[str, str], reference: str) -> str:
    """A sentence on what the mean row is of."""
    strong = data[data["weak"].isna()]
    pairs, alone = int(strong["gain"].count()), int(strong["rho"].count())
    weak = len(data) - len(strong)
    without = f" (without {weak} for a task marked †)" if weak else ""
    if not alone:
        return f"No mean: ρ counts on none of {len(data)} targets{without}."
    first = f"the mean ρ is {number(means['rho'], 3)} with {titles[reference]}"
    if not pairs:
        return f"Over the {alone} of {len(data)} targets where it is defined{without}, {first}; none has a member."
    return (
        f"Over the {pairs} of {len(data)} targets where both are defined{without}, {first} and "
        f"{number(means['rho_closest'], 3)} with the closest member."
    )


def depth_width_table(
    scores: pd.DataFrame,
    shape: pd.DataFrame,
    tasks: Sequence[str],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Table:
    """Spearman's rho of each task's error with cumulative depth (blocks) and cumulative width (channels).

    Raises:
        Problem: a model of the score tables is not in the population.
    """
    joined = with_shape(scores, shape)
    weak = weak_tasks(scores, counts, tasks)
    titles = marked(titles, weak)
    found = {task: [correlate(joined, name, task, resamples, seed, counts) for name in SHAPE] for task in tasks}
    corrected = [holm([pair[side].p for pair in found.values()]) for side in (0, 1)]
    rows, shown = [], []
    for i, (task, (depth, width)) in enumerate(found.items()):
        rows.append({"task": task, **_numbered(depth, "_depth"), **_numbered(width, "_width"), "n": depth.n})
        rows[-1] |= {"p_holm_depth": corrected[0][i], "p_holm_width": corrected[1][i], "weak": weak.get(task, NAN)}
        shown.append(
            {
                "Task": titles[task],
                "ρ with depth": _rho(depth),
                "p (depth)": p_value(depth.p),
                "p (depth, Holm)": p_value(corrected[0][i]),
                "ρ with width": _rho(width),
                "p (width)": p_value(width.p),
                "p (width, Holm)": p_value(corrected[1][i]),
                "n": depth.n,
            }
        )
    caption = (
        f"Spearman's ρ of the {word_of(counts, tasks)} with cumulative depth (number of blocks) and with cumulative "
        f"width (sum of the four stages' widths); {_of_depth(counts, tasks)}. In brackets: "
        f"{basis(resamples, counts, tasks)}, p (Holm) is, within its column. "
        f"{left_out(len(scores), [row['n'] for row in rows])}{footnote(weak, titles)}"
    )
    return Table(pd.DataFrame(rows), pd.DataFrame(shown), caption)


def correlate(
    values: pd.DataFrame, x: str, y: str, resamples: int, seed: int, counts: Counted | None = None
) -> Correlation:
    """Spearman's rho of two columns over the models that have both.

    Where of one task the least is best and of the other the greatest, both are ranked from the best model on; beside
    depth or width a score is ranked as it is.
    """
    pair = complete(values, [x, y])
    if x not in SHAPE and y not in SHAPE:
        pair = losses(pair, counts)
    return spearman(pair[x], pair[y], resamples, seed, images_of(counts, x, y))


def _correlation_row(
    scores: pd.DataFrame,
    reference: str,
    target: str,
    member: str | None,
    resamples: int,
    seed: int,
    counts: Counted | None,
) -> dict:
    sources = [reference, *([member] if member else [])]
    models = complete(scores, [*sources, target])
    found = [correlate(models, source, target, resamples, seed, counts) for source in sources]
    first, second = found[0], found[1] if member else Correlation(NAN, NAN, NAN, NAN, 0)
    gain = NAN, NAN
    if member:
        lost = losses(models, counts)
        sides = [(lost[name], *images_of(counts, name)) for name in (target, *sources)]
        gain = interval(gain_draws(*sides, resamples, seed))
    return {
        "target": target,
        **_numbered(first, ""),
        "n": first.n,
        "closest": member or "",
        **_numbered(second, "_closest"),
        "n_closest": second.n,
        "gain": second.rho - first.rho,
        "gain_low": gain[0],
        "gain_high": gain[1],
    }


def reasons(weak: Mapping[str, str], *tasks: str) -> str | float:
    """Why the tasks of a row cannot rank the models; NaN where they can."""
    return "; ".join(dict.fromkeys(weak[task] for task in tasks if task in weak)) or NAN


def _shown_correlation(row: dict, titles: Mapping[str, str], reference: str) -> dict:
    return {
        "Target": titles[row["target"]],
        f"ρ with {titles[reference]}": with_interval(row["rho"], row["low"], row["high"], 3),
        "p": p_value(row["p"]),
        "p (Holm)": p_value(row["p_holm"]),
        "n": str(row["n"]),
        "Closest member": titles[row["closest"]] if row["closest"] else "none",
        "ρ with it": with_interval(row["rho_closest"], row["low_closest"], row["high_closest"], 3),
        "p (closest)": p_value(row["p_closest"]),
        "p (closest, Holm)": p_value(row["p_holm_closest"]),
        "Gain": with_interval(row["gain"], row["gain_low"], row["gain_high"], 3),
    }


def _of_depth(counts: Counted | None, tasks: Sequence[str]) -> str:
    """What the sign of a rho with depth or width says."""
    ends = {metric_of(counts, task).best for task in tasks}
    if ends == {LEAST}:
        return "a negative ρ says that deeper or wider models err less"
    if len(ends) == 1:
        return "a positive ρ says that deeper or wider models are better"
    return "a negative ρ says that deeper or wider models have the lesser score, whichever end of it is best"


def _numbered(result: Correlation, suffix: str) -> dict:
    return {f"{name}{suffix}": getattr(result, name) for name in ("rho", "low", "high", "p")}


def _rho(result: Correlation) -> str:
    return with_interval(result.rho, result.low, result.high, 3)
