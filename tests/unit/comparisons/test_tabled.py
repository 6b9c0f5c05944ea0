"""Every table that compares as text: its numbers, words and caption are those that somebody looked at."""

import pandas as pd
import pytest
import retest_figures as retests
import since_figures as since
from golden import checked, table_text
from golden_studies import BASES, BOOTSTRAP, CLOSEST, COUNTS, MEASURES, TARGETS, TITLES, claims, reported, seeds, shape

from apr.claims.claims import KINDS
from apr.claims.corrected import corrected_table
from apr.claims.retests import QUANTITIES, RetestClaim, retest_scorecard
from apr.claims.scorecard import scorecard
from apr.comparisons.correlations import correlation_table, depth_width_table
from apr.comparisons.noise_ceiling import noise_ceiling_table
from apr.comparisons.population_size import population_size_table
from apr.comparisons.rankings import rankings_table
from apr.comparisons.regret import regret_table
from apr.comparisons.retest_accuracies import retest_table
from apr.comparisons.retest_lines import slopes_table
from apr.comparisons.since import since_table

MORE = {"titles": TITLES, "counts": COUNTS, **BOOTSTRAP}
PAIRS = [("photos", "few"), ("photos", "digits"), ("photos", "weak")]


def retest_claims():
    """One claim of each quantity, each near enough and each too far."""
    numbers = {"slope": 1.1, "offset": -20.0}
    return [
        RetestClaim(
            *(f"{quantity} {by}", f"It is {quantity}", "S", numbers.get(quantity, 70.0) + by, 1, quantity, "set_0"),
            *("m_004" if quantity.endswith("acc") else None, 0.5, "[I]", None),
        )
        for quantity in QUANTITIES
        for by in (0, 9)
    ]


RANKING = {"name": "own", "title": "Of photos", "pairs": [["photos", task] for task in ("few", "digits", "weak")]}
RANKING |= {"above": None, "within": [], "draws": None, "range_corrected": False, "by_family": False, "matrix": False}
ASKED = {"above": 41.0, "within": [0.1, 0.5], "draws": 7, "range_corrected": True}
KINDRED = pd.Series(list("aabbbcdddeee"), reported().index)


def of_rankings(**changed):
    families = KINDRED if changed.get("by_family") else None
    return rankings_table(reported(), RANKING | changed, **MORE, families=families)


TABLED = {
    "rankings": of_rankings,
    "rankings_in_full": lambda: of_rankings(**ASKED),
    "rankings_of_families": lambda: of_rankings(**ASKED, by_family=True),
    "correlations": lambda: correlation_table(reported(), "photos", TARGETS, CLOSEST, **MORE),
    "correlations_without_members": lambda: correlation_table(reported(), "photos", ["digits"], {}, **MORE),
    "depth_width": lambda: depth_width_table(reported(), shape(), ["photos", "few", "weak"], **MORE),
    "regret": lambda: regret_table(reported(), "photos", TARGETS, CLOSEST, [1, 3], **MORE),
    "noise_ceiling": lambda: noise_ceiling_table(reported(), seeds(), BASES, **MORE),
    "corrected": lambda: corrected_table(reported(), seeds(), BASES, PAIRS, claims(), **MORE),
    "population_size": lambda: population_size_table(reported(), PAIRS, sizes=[4, 8, 11], **MORE),
    "scorecard": lambda: scorecard(claims(), reported(), shape(), seeds(), **MORE),
    "retest": lambda: retest_table(retests.pair(8), retests.retest(), retests.TITLES),
    "slopes": lambda: slopes_table(*retests.several(2), **BOOTSTRAP),
    "since": lambda: since_table(since.study(), {}, since.RETESTS, **BOOTSTRAP),
    "retest_scorecard": lambda: retest_scorecard(retest_claims(), *retests.several(2), **BOOTSTRAP),
}


@pytest.mark.parametrize("kind", TABLED)
def test_a_table_is_as_it_was(kind):
    checked(f"tables/{kind}", table_text(TABLED[kind]()))


def test_every_kind_of_claim_is_among_them():
    assert MEASURES.keys() == KINDS.keys()
