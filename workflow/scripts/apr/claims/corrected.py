"""Rank correlations corrected for the noise of the seeds (`comparisons.noise_ceiling`), and which claims survive."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apr.claims.claims import VERIFIED, Claim
from apr.claims.measures import Measured, summed_up
from apr.claims.scorecard import HOLDS, UNDECIDED, equivalence, papers
from apr.comparisons.correlations import correlate
from apr.comparisons.table import Table
from apr.comparisons.testsets import footnote, marked, of_images, weak_tasks
from apr.comparisons.wording import UNDEFINED, with_interval
from apr.scores.frames import complete
from apr.scores.tested import Counted, images_of, losses, losses_of
from apr.statistics.bootstrap import interval
from apr.statistics.noise import ceilings, seed_noise
from apr.statistics.ranks import rho_draws

JUDGED = ("claim", "says", "verified", "verdict", "verdict_corrected")


def corrected_table(
    scores: pd.DataFrame,
    repeats: Mapping[str, pd.DataFrame],
    bases: Mapping[str, str],
    pairs: Sequence[tuple[str, str]],
    claims: Sequence[Claim],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Table:
    """Observed and corrected rho of each pair with a task whose noise is measured; a row for each claim on the pair.

    The corrected rho is the observed one over the ceilings with a noise-free partner of the sides whose noise is
    measured, clipped to -1 and 1; the other side is left as it is. Its interval is a bootstrap over models and seeds
    alone, that of the observed rho takes in the counts of the test images. Simulated for errors of one mode up to a
    lognormal with sigma 1 and 500 models it is off by at most 0.02; errors in two clusters, heavier tails or 60 models
    leave it up to 0.11 too small (benchmarks/README.md).

    Args:
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        repeats: repeated task -> model, seed, value (NaN where a training diverged).
        bases: repeated task -> the task of the population whose noise it measures.
        pairs: of tasks; those without a measured task are left out.
        claims: those of the kind rho are judged before and after the correction.
        titles: task -> the name that a reader sees.
        resamples: bootstrap resamples of models and seeds.
        seed: of the bootstrap and of the simulations.
        counts: what is known of each task's test images; claims on a task that cannot rank the models are undecided.

    Raises:
        Problem: no model completed both tasks of a pair.
    """
    weak = weak_tasks(scores, counts, (task for pair in pairs for task in pair))
    titles = marked(titles, weak)
    scores = losses(scores, counts)
    noise = {task: [] for task in bases.values()}
    for repeated, task in bases.items():
        noise[task] += seed_noise(losses_of(repeats[repeated], counts, task))
    noise = {task: residuals for task, residuals in noise.items() if residuals}
    judged = [claim for claim in claims if claim.kind == "rho" and not claim.incomparable]
    known: dict[tuple[str, ...], NDArray] = {}

    def ceiling(task: str, errors: pd.Series) -> NDArray:
        key = (task, *errors.index)  # most pairs have the same models
        if key not in known:
            known[key] = ceilings(errors.to_numpy(), noise[task], resamples, seed).noise_free
        return known[key]

    rows = []
    for x, y in pairs:
        if x in noise or y in noise:
            row, found = _corrected(complete(scores, [x, y]), x, y, noise, ceiling, resamples, seed, counts)
            on_pair = [claim for claim in judged if set(claim.columns) == {x, y}]
            rows += [row | _judged(found, claim, bool(weak.keys() & {x, y})) for claim in on_pair] or [
                row | dict.fromkeys(JUDGED, "")
            ]
    shown = pd.DataFrame([_shown(row, titles) for row in rows] or {"Pair": []})
    return Table(
        pd.DataFrame(rows or {"x": [], "y": []}),
        shown,
        f"{_caption(rows, len(pairs), resamples, counts)}{footnote(weak, titles)}",
    )


def _corrected(
    pair: pd.DataFrame,
    x: str,
    y: str,
    noise: Collection[str],
    ceiling: Callable[[str, pd.Series], NDArray],
    resamples: int,
    seed: int,
    counts: Counted | None,
) -> tuple[dict, tuple[Measured, Measured]]:
    """A row, and what the claims are judged by: rho before and after the correction."""
    observed = correlate(pair, x, y, resamples, seed, counts)
    row = {"x": x, "y": y, "n": observed.n, "rho": observed.rho, "low": observed.low, "high": observed.high}
    row |= {"x_corrected": x in noise, "y_corrected": y in noise}
    draws = rho_draws(pair[x], pair[y], resamples, seed, images_of(counts, x, y))
    before = np.hstack([np.full((2, 1), observed.rho), draws])
    corrected = before[0].copy()
    if not math.isnan(observed.rho):
        with np.errstate(divide="ignore", invalid="ignore"):  # a ceiling of 0 leads to -1 or 1, by clipping
            for task in {x, y} & set(noise):
                corrected /= ceiling(task, pair[task])
    defined = math.isfinite(corrected[0])
    low, high = interval(np.clip(corrected[1:], -1, 1)) if defined else (math.nan, math.nan)
    row |= {
        "corrected": float(np.clip(corrected[0], -1, 1)) if defined else math.nan,
        "corrected_low": low,
        "corrected_high": high,
        "clipped": bool(defined and abs(corrected[0]) > 1),
        "differs_from_0": bool(observed.low > 0 or observed.high < 0),
        "differs_from_0_corrected": bool(low > 0 or high < 0),
        "noise_alone_possible": bool(low <= -1 or high >= 1),
    }
    after = np.clip(corrected, -1, 1) if defined else np.full(len(corrected), math.nan)
    return row, (summed_up(before, observed.n), summed_up(after, observed.n))


def _judged(found: tuple[Measured, Measured], claim: Claim, blind: bool) -> dict[str, str]:
    verdicts = (UNDECIDED if blind else equivalence(one, claim.expected, papers(claim)) for one in found)
    if claim.predicted:
        verdicts = (HOLDS.get(verdict, verdict) for verdict in verdicts)
    return dict(zip(JUDGED, (claim.id, claim.says, VERIFIED[claim.mark], *verdicts), strict=True))


def _shown(row: dict, titles: Mapping[str, str]) -> dict[str, str]:
    sides = [(titles[row[side]], row[f"{side}_corrected"]) for side in ("x", "y")]
    corrected = with_interval(row["corrected"], row["corrected_low"], row["corrected_high"], 3)
    defined = corrected != UNDEFINED
    doubt = f" ({row['verified'].split()[0]})" if row["verified"] not in ("", "verified") else ""
    return {
        "Pair": " and ".join(title for title, _ in sides),
        "n": row["n"],
        "ρ": with_interval(row["rho"], row["low"], row["high"], 3),
        "Seed noise": ", ".join(f"{title} {'measured' if known else 'not measured'}" for title, known in sides),
        "ρ corrected": f"{corrected} (clipped)" if row["clipped"] else corrected,
        "Differs from 0": _change(*("yes" if row[f"differs_from_0{after}"] else "no" for after in ("", "_corrected"))),
        "Noise alone keeps it from ±1": ("possible" if row["noise_alone_possible"] else "no") if defined else UNDEFINED,
        "Claim": f"{row['says']}{doubt}",
        "Verdict": _change(row["verdict"], row["verdict_corrected"]),
    }


def _change(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def _caption(rows: Sequence[dict], pairs: int, resamples: int, counts: Counted | None) -> str:
    if not rows:
        return (
            "No pair of tasks has one whose architectures are trained with several seeds: no ρ is corrected for noise."
        )
    left_out = pairs - len({(row["x"], row["y"]) for row in rows})
    judged = [row for row in rows if row["claim"]]
    kept = sum(row["verdict"] == row["verdict_corrected"] for row in judged)
    clipped = len({(row["x"], row["y"]) for row in rows if row["clipped"]})
    tasks = [row[side] for row in rows for side in ("x", "y")]
    return (
        "Spearman's ρ of the models' errors, trained once each, and corrected for the noise of the seeds: divided by "
        "the ceiling that the noise of each measured task sets to a ρ with a partner without noise, and clipped to −1 "
        f"and 1 (here {clipped} of them); undefined where the ceiling is 0. A task whose noise is not measured is left "
        "as it is, so that the true ρ may lie still further from 0. Simulated with noise of up to 0.7 of the errors' "
        "SD, the corrected ρ of 500 models is off by 0.02 at most where the errors have one mode and are normal or "
        "lognormal with σ ≤ 1; errors in two clusters, heavier tails, or as few as 60 models leave it up to 0.11 too "
        f"near to 0. In brackets: 95 % intervals of {resamples:,} bootstrap resamples; of the observed ρ, "
        f"{of_images(counts, tasks)}; of the corrected ρ they are of models and seeds alone: trainings of one "
        "architecture share the test images, so that their noise says nothing of which images were drawn. "
        "The correction changes no sign; an arrow leads from the observed to the corrected ρ. Noise alone "
        "keeps ρ from ±1 where the corrected interval reaches it. "
        f"Verdicts on claims that stay as they are: {kept} of {len(judged)}; the scorecard says what counts as true. "
        f"Pairs left out, since the noise of neither task is measured: {left_out} of {pairs}."
    )
