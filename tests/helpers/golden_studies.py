"""Small studies whose figures and tables are kept as text: 12 models, counts of test images, ties, one weak task."""

import numpy as np
import pandas as pd

from apr.claims.claims import Claim
from apr.scores.tested import Counts

BOOTSTRAP = {"resamples": 60, "seed": 0}
MODELS = [f"a{i:03}" for i in range(12)]
TITLES = {"photos": "Photos", "few": "Few", "digits": "Digits", "pre": "Digits, pretrained", "weak": "Weak"}
STAGES = (1, 2, 3, 4)


def reported() -> pd.DataFrame:
    """Errors (%); two models tie on digits, and one has no result on few."""
    rng = np.random.default_rng(5)
    z = rng.normal(size=12)
    errors = {"photos": 40 + 5 * z, "few": 20 + 3 * z + rng.normal(size=12), "digits": 30 - z + rng.normal(size=12)}
    errors["pre"] = errors["digits"] - 4 + rng.normal(size=12)
    errors["weak"] = 79 + rng.normal(size=12) / 4
    table = pd.DataFrame(errors, MODELS).round(2)
    table.loc["a004", "digits"] = table.loc["a007", "digits"]
    table.loc["a009", "few"] = np.nan
    return table


COUNTS = {"photos": Counts(2500, 90.0), "few": Counts(5000, 80.0), "digits": Counts(), "pre": Counts(400, 90.0)}
COUNTS["weak"] = Counts(60, 80.0)


def shape() -> pd.DataFrame:
    """Depth and width of the models."""
    rng = np.random.default_rng(6)
    return pd.DataFrame(
        {"cumulative_depth": rng.integers(4, 40, 12), "cumulative_width": rng.integers(20, 200, 12) * 8}, MODELS
    )


def genes() -> pd.DataFrame:
    """Depths, widths, bottleneck ratios and group widths of the stages."""
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {f"{gene}{stage}": 2.0 ** rng.integers(0, 4, 12) for gene in "dwbg" for stage in STAGES}, MODELS
    )


def seeds() -> dict[str, pd.DataFrame]:
    """Errors of two models over six seeds on photos, three on digits."""
    rng = np.random.default_rng(8)
    return {
        f"{task}_seeds": pd.DataFrame(
            [
                {"model": model, "seed": seed, "value": round(level + rng.normal(), 2)}
                for model, level in (("a002", 38.0), ("a005", 41.0))
                for seed in range(count)
            ]
        )
        for task, count in (("photos", 6), ("digits", 3))
    }


BASES = {"photos_seeds": "photos", "digits_seeds": "digits"}
CLOSEST = {"digits": "few", "pre": "few", "weak": "photos"}
TARGETS = ["digits", "pre", "weak"]


TWICE = [["photos", "few"], ["photos", "digits"]]
GAINS = [["digits", "photos", "few"], ["pre", "photos", "few"]]
MEASURES = {
    "rho": {"x": "photos", "y": "few"},
    "mean_rho": {"pairs": TWICE},
    "mean_pairwise_rho": {"tasks": ["photos", "few", "digits"]},
    "ordered": {"pairs": TWICE},
    "gain": {"target": "digits", "before": "photos", "after": "few"},
    "mean_gain": {"gains": GAINS},
    "min_gain": {"gains": GAINS},
    "gain_difference": {"first": GAINS[0], "second": GAINS[1]},
    "least_of_best": {"shape": "cumulative_depth", "task": "digits", "k": 3},
    "largest_of_best": {"shape": "cumulative_width", "task": "photos", "k": 3},
    "largest_error": {"task": "photos"},
    "mean_error": {"task": "few"},
    "quantile_error": {"task": "photos", "share": 0.25},
    "mean_of_repeats": {"task": "photos_seeds", "model": "a002"},
    "overlap": {"task": "photos_seeds", "models": ["a002", "a005"]},
}
REGIONS = {"largest_error": (40.0, 50.0), "mean_error": (10.0, 15.0), "least_of_best": (0.0, 10.0)}
REGIONS |= {"mean_of_repeats": (30.0, 45.0), "largest_of_best": (200.0, 1600.0), "quantile_error": (30.0, 60.0)}


def claims() -> list[Claim]:
    """One claim of each kind, and some of words and of what cannot be compared."""

    def claim(name, kind, arguments, expected, reported=0.5, incomparable=None):
        return Claim(name, f"It is {name}", "Table 3", "T", reported, kind, arguments, expected, "[I]", incomparable)

    return [
        *(claim(kind, kind, arguments, REGIONS.get(kind, (0.0, 1.0))) for kind, arguments in MEASURES.items()),
        claim("zero", "rho", {"x": "photos", "y": "digits"}, (-0.1, 0.1), "about 0"),
        claim("weak", "rho", {"x": "photos", "y": "weak"}, (0.3, 0.6)),
        claim("other", "rho", {"x": "photos", "y": "pre"}, (-1.0, -0.3), -0.8, "another crop"),
        claim("lost", "rho", {"x": "photos", "y": "nothing"}, (-1.0, -0.3), -0.8),
    ]
