"""The tables of the study: comparisons of error tables, each row with its interval and number of models."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import pandas as pd

from apr.errors import SHAPE, complete
from apr.problems import Problem
from apr.statistics import Correlation, Regret, bootstrap_rho, interval, selection_regret, spearman
from apr.tables import Table
from apr.wording import left_out, number, p_value, with_interval

NAN = float("nan")


def correlation_table(
    reported: pd.DataFrame,
    reference: str,
    targets: Sequence[str],
    closest: Mapping[str, str],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
) -> Table:
    """Spearman's rho of each target with the reference and with its closest family member; means in the last row.

    The gain is the difference of the two. Its interval is a paired bootstrap over the models that completed all three
    tasks. The means are over the targets where both correlations are defined (where there is none, of the first alone).

    Args:
        reported: errors (%), [models x tasks], NaN where a model did not complete.
        closest: target -> family member; a target may be absent.

    Raises:
        Problem: no target, or one that has no model in common with the reference.
    """
    if not targets:
        raise Problem("the study has no target: add one to compare it with the reference")
    rows, shown = [], []
    for target in targets:
        member = closest.get(target)
        first = correlate(reported, reference, target, resamples, seed)
        second = correlate(reported, member, target, resamples, seed) if member else None
        rows.append(
            _correlation_row(target, member, first, second, _gain(reported, reference, member, target, resamples, seed))
        )
        shown.append(_shown_correlation(rows[-1], titles, reference))
    data = pd.DataFrame(rows)
    both = data.dropna(subset="gain")
    means = (data if both.empty else both)[["rho", "rho_closest", "gain"]].mean()
    data = pd.concat([data, pd.DataFrame([{"target": "mean", **means}])], ignore_index=True)
    mean_row = {"Target": "Mean", f"ρ with {titles[reference]}": number(means["rho"], 3)}
    shown.append(mean_row | {"ρ with it": number(means["rho_closest"], 3), "Gain": number(means["gain"], 3)})
    caption = (
        f"Spearman's ρ between the models' errors on each target and on {titles[reference]}, and on the member of its "
        "family that is closest to the target in its number of classes. In brackets: 95 % percentile intervals of "
        f"{resamples:,} bootstrap resamples of the models; the gain's resamples are paired. Over the "
        f"{len(both)} of {len(targets)} targets where both are defined, the mean ρ is {number(means['rho'], 3)} with "
        f"{titles[reference]} and {number(means['rho_closest'], 3)} with the closest member. "
        f"{left_out(len(reported), [row['n'] for row in rows])}"
    )
    return Table(data, pd.DataFrame(shown).fillna(""), caption)


def depth_width_table(
    reported: pd.DataFrame,
    shape: pd.DataFrame,
    tasks: Sequence[str],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
) -> Table:
    """Spearman's rho of each task's error with cumulative depth (blocks) and cumulative width (channels).

    Raises:
        Problem: a model of the error tables is not in the population.
    """
    joined = with_shape(reported, shape)
    rows, shown = [], []
    for task in tasks:
        depth, width = (correlate(joined, name, task, resamples, seed) for name in SHAPE)
        rows.append({"task": task, **_numbered(depth, "_depth"), **_numbered(width, "_width"), "n": depth.n})
        shown.append(
            {
                "Task": titles[task],
                "ρ with depth": _rho(depth),
                "p (depth)": p_value(depth.p),
                "ρ with width": _rho(width),
                "p (width)": p_value(width.p),
                "n": depth.n,
            }
        )
    caption = (
        "Spearman's ρ of the error with cumulative depth (number of blocks) and with cumulative width (sum of the four "
        "stages' widths); a negative ρ says that deeper or wider models err less. In brackets: 95 % percentile "
        f"intervals of {resamples:,} bootstrap resamples of the models. "
        f"{left_out(len(reported), [row['n'] for row in rows])}"
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
) -> Table:
    """Error lost on each target by who chooses among the k best on the reference or on the closest family member.

    A k above the number of models is left out.

    Raises:
        Problem: no target or no k is left.
    """
    if not targets:
        raise Problem("the study has no target: add one to compare it with the reference")
    rows, shown = [], []
    for target in targets:
        for source in dict.fromkeys([reference, closest.get(target, reference)]):
            for result in regrets(reported, source, target, ks, resamples, seed):
                rows.append({"target": target, "chosen_on": source, **asdict(result), "relative": result.relative})
                shown.append({"Target": titles[target], "Chosen on": titles[source], **_shown_regret(result)})
    caption = (
        "Selection regret: the error points lost on a target by taking, instead of the best of all models, the best "
        f"(on the target) of the k models with the least error on {titles[reference]}, or on the member of its family "
        "that is closest to the target in its number of classes; k = 1 is the winner, taken unseen. Random: the "
        "regret expected of k models drawn at random. Relative: regret over random; above 1 is worse than chance. "
        f"Ties are averaged. In brackets: 95 % percentile intervals of {resamples:,} resamples of the models. "
        f"{left_out(len(reported), [row['n'] for row in rows])}"
    )
    return Table(pd.DataFrame(rows), pd.DataFrame(shown), caption)


def correlate(values: pd.DataFrame, x: str, y: str, resamples: int, seed: int) -> Correlation:
    """Spearman's rho of two columns over the models that have both."""
    pair = complete(values, [x, y])
    return spearman(pair[x], pair[y], resamples, seed)


def regrets(
    reported: pd.DataFrame, source: str, target: str, ks: Sequence[int], resamples: int, seed: int
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
    return selection_regret(pair[source], pair[target], possible, resamples, seed)


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


def _gain(
    reported: pd.DataFrame, reference: str, member: str | None, target: str, resamples: int, seed: int
) -> tuple[float, float]:
    if member is None:
        return NAN, NAN
    rows = complete(reported, [reference, member, target])
    before, after = (bootstrap_rho(rows[source], rows[target], resamples, seed) for source in (reference, member))
    return interval(after - before)


def _correlation_row(
    target: str, member: str | None, first: Correlation, second: Correlation | None, gain: tuple[float, float]
) -> dict:
    second = second or Correlation(NAN, NAN, NAN, NAN, 0)
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


def _shown_correlation(row: dict, titles: Mapping[str, str], reference: str) -> dict:
    return {
        "Target": titles[row["target"]],
        f"ρ with {titles[reference]}": with_interval(row["rho"], row["low"], row["high"], 3),
        "p": p_value(row["p"]),
        "n": str(row["n"]),
        "Closest member": titles[row["closest"]] if row["closest"] else "none",
        "ρ with it": with_interval(row["rho_closest"], row["low_closest"], row["high_closest"], 3),
        "p (closest)": p_value(row["p_closest"]),
        "n (closest)": str(row["n_closest"]),
        "Gain": with_interval(row["gain"], row["gain_low"], row["gain_high"], 3),
    }


def _shown_regret(result: Regret) -> dict:
    return {
        "k": result.k,
        "Error got (%)": number(result.chosen, 2),
        "Best (%)": number(result.best, 2),
        "Regret (points)": with_interval(result.regret, result.low, result.high, 2),
        "Random (points)": number(result.random, 2),
        "Relative": number(result.relative, 2),
        "n": result.n,
    }


def _numbered(result: Correlation, suffix: str) -> dict:
    return {f"{name}{suffix}": getattr(result, name) for name in ("rho", "low", "high", "p")}


def _rho(result: Correlation) -> str:
    return with_interval(result.rho, result.low, result.high, 3)
