"""The tables of the study: comparisons of error tables, each row with its interval and number of models."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

import pandas as pd

from apr.basics.problems import Problem
from apr.comparisons.table import Table
from apr.comparisons.testsets import Counted, basis, footnote, images_of, marked, of_images, weak_tasks
from apr.comparisons.wording import left_out, number, p_value, with_interval
from apr.scores.table import SHAPE, complete
from apr.statistics.bootstrap import holm, interval
from apr.statistics.gains import gain_draws
from apr.statistics.ranks import FEWEST_REGRET, MOST_OF_MODELS, Correlation, Regret, selection_regret, spearman

NAN = float("nan")


def correlation_table(
    reported: pd.DataFrame,
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
        reported: errors (%), [models x tasks], NaN where a model did not complete.
        closest: target -> family member; a target may be absent.
        counts: what is known of each task's test images.

    Raises:
        Problem: no target, or one that has no model in common with the reference and its member.
    """
    if not targets:
        raise Problem("the study has no target: add one to compare it with the reference")
    concerned = dict.fromkeys([reference, *targets, *(closest[target] for target in targets if target in closest)])
    weak = weak_tasks(reported, counts, concerned)
    titles = marked(titles, weak)
    rows = [
        _correlation_row(reported, reference, target, closest.get(target), resamples, seed, counts)
        for target in targets
    ]
    data = pd.DataFrame(rows)
    for suffix in ("", "_closest"):
        data.insert(data.columns.get_loc(f"p{suffix}") + 1, f"p_holm{suffix}", holm(data[f"p{suffix}"]))
    data["weak"] = [_reasons(weak, reference, row["target"], row["closest"]) for row in rows]
    shown = [_shown_correlation(row, titles, reference) for row in data.to_dict("records")]
    strong = data[data["weak"].isna()]
    both = strong.dropna(subset="gain")
    means = (strong if both.empty else both)[["rho", "rho_closest", "gain"]].mean()
    mean_row = {"Target": "Mean", f"ρ with {titles[reference]}": number(means["rho"], 3)}
    shown.append(mean_row | {"ρ with it": number(means["rho_closest"], 3), "Gain": number(means["gain"], 3)})
    caption = (
        f"Spearman's ρ between the models' errors on each target and on {titles[reference]}, and on the member of its "
        "family that is closest to the target in its number of classes; both, and the gain, their difference, over the "
        "n models that completed all three tasks; so a ρ can differ from that of a figure, which is over the models "
        f"that completed its two. In brackets: {basis(resamples, counts, concerned)}, p (Holm) is, "
        "within its column; the gain's resamples are paired, and their interval is no narrower than with the standard "
        "error of Meng, Rosenthal and Rubin. "
        f"{_averaged(data, means, titles, reference)} "
        f"{left_out(len(reported), [row['n'] for row in rows])}{footnote(weak, titles)}"
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
    reported: pd.DataFrame,
    shape: pd.DataFrame,
    tasks: Sequence[str],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Table:
    """Spearman's rho of each task's error with cumulative depth (blocks) and cumulative width (channels).

    Raises:
        Problem: a model of the error tables is not in the population.
    """
    joined = with_shape(reported, shape)
    weak = weak_tasks(reported, counts, tasks)
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
        "Spearman's ρ of the error with cumulative depth (number of blocks) and with cumulative width (sum of the four "
        "stages' widths); a negative ρ says that deeper or wider models err less. In brackets: "
        f"{basis(resamples, counts, tasks)}, p (Holm) is, within its column. "
        f"{left_out(len(reported), [row['n'] for row in rows])}{footnote(weak, titles)}"
    )
    return Table(pd.DataFrame(rows), pd.DataFrame(shown), caption)


def regret_table(
    reported: pd.DataFrame,
    reference: str,
    targets: Sequence[str],
    closest: Mapping[str, str],
    ks: Sequence[int],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Table:
    """Error lost on each target by who chooses among the k best on the reference or on the closest family member.

    Both choices are among the models that completed all three tasks. A k above their number is left out.

    Raises:
        Problem: no target or no k is left.
    """
    if not targets:
        raise Problem("the study has no target: add one to compare it with the reference")
    concerned = dict.fromkeys([reference, *targets, *(closest[target] for target in targets if target in closest)])
    weak = weak_tasks(reported, counts, concerned)
    titles = marked(titles, weak)
    rows, shown = [], []
    for target in targets:
        sources = list(dict.fromkeys([reference, closest.get(target, reference)]))
        models = complete(reported, [*sources, target])
        for source in sources:
            for result in regrets(models, source, target, ks, resamples, seed, counts):
                rows.append({"target": target, "chosen_on": source, **asdict(result), "relative": result.relative})
                rows[-1] |= {"holds": result.holds, "weak": _reasons(weak, source, target)}
                shown.append({"Target": titles[target], "Chosen on": titles[source], **_shown_regret(result)})
    caption = (
        "Selection regret: the error points lost on a target by taking, instead of the best of all models, the best "
        f"(on the target) of the k models with the least error on {titles[reference]}, or on the member of its family "
        "that is closest to the target in its number of classes; k = 1 is the winner, taken unseen. Random: the "
        "regret expected of k models drawn at random. Relative: regret over random; above 1 is worse than chance. "
        f"Ties are averaged. {regret_basis(resamples, counts, concerned)} "
        f"{left_out(len(reported), [row['n'] for row in rows])}{footnote(weak, titles)}"
    )
    return Table(pd.DataFrame(rows), pd.DataFrame(shown), caption)


def regret_basis(resamples: int, counts: Counted | None, tasks: Iterable[str]) -> str:
    """What the intervals of regret are of, and where they do not hold, for a caption."""
    return (
        f"Intervals are the middle 99 % of {resamples:,} bootstrap resamples of the models, which cover the expected "
        f"regret in about 95 %; {of_images(counts, tasks)}. In simulations they cover it in less than 90 % "
        f"for fewer than {FEWEST_REGRET} models, for k above {MOST_OF_MODELS:.0%} of them, and where all resamples "
        "agree."
    )


def correlate(
    values: pd.DataFrame, x: str, y: str, resamples: int, seed: int, counts: Counted | None = None
) -> Correlation:
    """Spearman's rho of two columns over the models that have both."""
    pair = complete(values, [x, y])
    return spearman(pair[x], pair[y], resamples, seed, images_of(counts, x, y))


def regrets(
    reported: pd.DataFrame,
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
    pair = complete(reported, [source, target])
    possible = [k for k in ks if k <= len(pair)]
    if not possible:
        raise Problem(
            f"statistics: regret_k: {list(ks)}: every k exceeds the {len(pair)} models on {target}; add k = 1"
        )
    return selection_regret(pair[source], pair[target], possible, resamples, seed, images_of(counts, source, target))


def with_shape(reported: pd.DataFrame, shape: pd.DataFrame) -> pd.DataFrame:
    """Reported errors with the columns cumulative_depth and cumulative_width beside them.

    Raises:
        Problem: a model of the error tables is not in the population.
    """
    unknown = reported.index.difference(shape.index)
    if len(unknown):
        raise Problem(
            f"results/population.csv: has no model {unknown[0]} ({len(unknown)} of {len(reported)} models of the error "
            "tables are missing); the tables belong to another population: delete them and run again"
        )
    return reported.join(shape)


def _correlation_row(
    reported: pd.DataFrame,
    reference: str,
    target: str,
    member: str | None,
    resamples: int,
    seed: int,
    counts: Counted | None,
) -> dict:
    sources = [reference, *([member] if member else [])]
    models = complete(reported, [*sources, target])
    found = [correlate(models, source, target, resamples, seed, counts) for source in sources]
    first, second = found[0], found[1] if member else Correlation(NAN, NAN, NAN, NAN, 0)
    gain = NAN, NAN
    if member:
        sides = [(models[name], *images_of(counts, name)) for name in (target, *sources)]
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


def _reasons(weak: Mapping[str, str], *tasks: str) -> str | float:
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


def _shown_regret(result: Regret) -> dict:
    return {
        "k": result.k,
        "Error got (%)": number(result.chosen, 2),
        "Best (%)": number(result.best, 2),
        "Regret (points)": with_interval(result.regret, result.low, result.high, 2),
        "Interval holds": "yes" if result.holds else "no",
        "Random (points)": number(result.random, 2),
        "Relative": number(result.relative, 2),
        "n": result.n,
    }


def _numbered(result: Correlation, suffix: str) -> dict:
    return {f"{name}{suffix}": getattr(result, name) for name in ("rho", "low", "high", "p")}


def _rho(result: Correlation) -> str:
    return with_interval(result.rho, result.low, result.high, 3)
