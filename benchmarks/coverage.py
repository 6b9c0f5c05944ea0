"""How often the intervals cover and what verdicts true claims get, by simulation.

    python benchmarks/coverage.py --repeats 200

The smaller twin of each simulation is a test, tests/unit/statistics/test_coverage.py.
"""

import argparse
import itertools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np

from apr.claims.measures import summed_up
from apr.claims.scorecard import equivalence
from apr.statistics.bootstrap import interval, rank_correlation
from apr.statistics.deconvolution import counted
from apr.statistics.noise import ceilings
from apr.statistics.ranks import rho_draws, spearman
from apr.statistics.regret import selection_regret

RESAMPLES = 200


def pair(rng: np.random.Generator, n: int, r: float) -> tuple[np.ndarray, np.ndarray]:
    """Two vectors [n] of a bivariate normal with correlation r."""
    x = rng.normal(size=n)
    return x, r * x + np.sqrt(1 - r * r) * rng.normal(size=n)


def of_normal(r: float) -> float:
    """Spearman's rho of a bivariate normal with correlation r."""
    return 6 / np.pi * np.arcsin(r / 2)


def rho(rng: np.random.Generator, repeats: int) -> None:
    """Coverage of intervals of rho, of models alone."""
    for r in (0.0, 0.5, 0.95):
        for n in (4, 8, 30, 500):
            found = [interval(rho_draws(*pair(rng, n, r), RESAMPLES, i)) for i in range(repeats)]
            covered = np.mean([low <= of_normal(r) <= high for low, high in found])
            print(f"rho {of_normal(r):.2f}, {n} models: {covered:.3f}")


def images(rng: np.random.Generator, repeats: int) -> None:
    """Coverage of the rho on endless test images, with the images and of models alone."""
    for r in (0.5, 0.9):
        for n in (8, 30, 200):
            for count in (36, 60):
                covered = []
                for i in range(repeats):
                    x, y = (counted(np.clip(30 + 10 * v, 2, 98), count, rng) for v in pair(rng, n, r))
                    both = spearman(x, y, RESAMPLES, i, (count, count)), spearman(x, y, RESAMPLES, i)
                    covered.append([one.low <= of_normal(r) <= one.high for one in both])
                print(f"rho {of_normal(r):.2f}, {n} models, {count} images: {np.mean(covered, axis=0).round(3)}")


def regret(rng: np.random.Generator, repeats: int) -> None:
    """Coverage of the expected regret."""
    for r in (0.0, 0.5, 0.9):
        for n, k in ((8, 1), (8, 5), (30, 1), (60, 5), (500, 1), (500, 10)):

            def errors(n: int = n, r: float = r) -> tuple[np.ndarray, np.ndarray]:
                x, y = pair(rng, n, r)
                return x, 20 * np.exp(0.3 * y)

            drawn = [errors() for _ in range(3000)]
            truth = np.mean([y[np.argsort(x)[:k]].min() - y.min() for x, y in drawn])
            found = [selection_regret(*errors(), [k], 1000, i)[0] for i in range(repeats)]
            print(f"regret, r {r}, {n} models, k {k}: {np.mean([f.low <= truth <= f.high for f in found]):.3f}")


def noise(rng: np.random.Generator, repeats: int) -> None:
    """Mean and coverage of the rho corrected for noise; two clusters have their middles 8 SD of either apart."""
    shapes = {
        "lognormal": np.exp,
        "normal": lambda z: z,
        "two clusters": lambda z: z + 4 * np.sign(z),
        "lognormal, sigma 1.5": lambda z: np.exp(1.5 * z),
    }
    for (name, shape), n, share in itertools.product(shapes.items(), (500, 60), (0.3, 0.5, 0.7)):
        sd = shape(np.random.default_rng(1).normal(size=10**6)).std()
        found = []
        for i in range(repeats):
            z, partner = pair(rng, n, 0.5)
            errors = shape(z) + share * sd * rng.normal(size=n)
            seeds = [share * sd * rng.normal(size=60) for _ in range(2)]
            residuals = [(values - values.mean()) * np.sqrt(60 / 59) for values in seeds]
            ceiling = ceilings(errors, residuals, 100, i).noise_free
            observed = rank_correlation(errors[None], partner[None])
            with np.errstate(divide="ignore"):
                drawn = np.append(observed, rho_draws(errors, partner, 100, i)[0]) / ceiling
            low, high = interval(np.clip(drawn[1:], -1, 1))
            found.append((np.clip(drawn[0], -1, 1), low <= of_normal(0.5) <= high))
        print(f"{name}, {n} models, noise / SD {share}: {np.mean(found, axis=0).round(3)}", flush=True)


def verdicts(rng: np.random.Generator, repeats: int) -> None:
    """Verdicts on true claims, 500 models."""
    claims = [(0.0, (-0.1, 0.1)), (0.5, (0.3, 0.7)), (-0.38, (-1.0, -0.3)), (-0.104, (-0.3, 0.0)), (0.95, (0.7, 1.0))]
    claims += [(value, (value - 0.15, min(1, value + 0.15))) for value in (0.001, 0.476, 0.811, 0.967, -0.436)]
    for value, expected in claims:
        counts: dict[str, int] = {}
        for i in range(repeats):
            x, y = pair(rng, 500, 2 * np.sin(np.pi * value / 6))
            draws = np.append(rank_correlation(x[None], y[None]), rho_draws(x, y, RESAMPLES, i)[0])
            verdict = equivalence(summed_up(draws[None], 500), expected)
            counts[verdict] = counts.get(verdict, 0) + 1
        print(f"rho {value}, region {expected}: { ({name: count / repeats for name, count in counts.items()}) }")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--only", choices=["rho", "images", "regret", "noise", "verdicts"])
    options = parser.parse_args()
    for simulate in (rho, images, regret, noise, verdicts):
        if options.only in (None, simulate.__name__):
            simulate(np.random.default_rng(0), options.repeats)
