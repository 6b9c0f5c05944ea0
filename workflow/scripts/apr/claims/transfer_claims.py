"""What papers report of transfer, as data: read and checked. Light, since planning asks for the datasets."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apr.basics.facts import once, read_entries
from apr.basics.problems import Problem
from apr.basics.values import nearest
from apr.claims.claims import VERIFIED, check_keys

REQUIRED = ("id", "says", "mark", "paper_value", "models", "measure", "expected", "because")
QUANTITIES = {"slope": ("dataset", "lines"), "augmentation_ahead": (), "correlation": ("trained",)}
LINES = ("all", "above", "after")


@dataclass(frozen=True)
class TransferClaim:
    """A value of a paper, the quantity that measures it here, and the region that counts as true.

    `dataset` and `lines` are those of a slope, `trained` is how the models of a correlation were.
    """

    id: str
    says: str
    mark: str
    paper_value: float | str
    models: int
    quantity: str
    expected: tuple[float, float]
    because: str
    dataset: str = ""
    lines: tuple[str, ...] = ()
    trained: str = ""
    incomparable: str | None = None

    @property
    def verified(self) -> str:
        """Whether the source of the value was read."""
        return VERIFIED[self.mark]


def read_transfer_claims(path: str | Path) -> list[TransferClaim]:
    """Read the list of claims (resources/transfer_claims.yaml explains its keys).

    Raises:
        Problem: the file is missing or no YAML, or an entry lacks a key, has an unknown one or an impossible value.
    """
    entries = read_entries(path, "claims")
    claims = [_claim(entry, f"{path}: claim {entry.get('id', number)}") for number, entry in enumerate(entries, 1)]
    once(path, "claim", [claim.id for claim in claims])
    return claims


def paper_slopes(
    claims: Sequence[TransferClaim], paper: Mapping[str, str], lines: Sequence[str]
) -> dict[str, dict[str, str]]:
    """What the paper reports of the slopes of targets that are its own, by target and line.

    A value whose source was not read says so.

    Args:
        claims: of `read_transfer_claims`.
        paper: target -> the paper's dataset.
        lines: those that a study has.
    """
    found: dict[str, dict[str, str]] = {}
    for target, dataset in paper.items():
        for claim in claims:
            line = next((name for name in claim.lines if name in lines), None)
            if claim.quantity == "slope" and claim.dataset == dataset and line:
                doubt = "" if claim.verified == "verified" else f" ({claim.verified})"
                found.setdefault(target, {})[line] = f"{claim.paper_value}{doubt}"
    return found


def _claim(entry: dict[str, Any], place: str) -> TransferClaim:
    check_keys(entry, place, REQUIRED, ("incomparable",))
    measure = entry["measure"] if isinstance(entry["measure"], dict) else {}
    quantity = measure.get("quantity")
    if quantity not in QUANTITIES:
        known = f"; known: {', '.join(QUANTITIES)}"
        raise Problem(f"{place}: measure.quantity {quantity!r} is not known{nearest(quantity, QUANTITIES, known)}")
    check_keys(measure, f"{place}: measure", ("quantity", *QUANTITIES[quantity]))
    if entry["mark"] not in VERIFIED:
        raise Problem(f"{place}: mark {entry['mark']!r} is not one of {', '.join(VERIFIED)}")
    lines = measure.get("lines", [])
    if not isinstance(lines, list) or any(line not in LINES for line in lines):
        raise Problem(f"{place}: measure.lines is {lines!r}; give a list of {', '.join(LINES)}")
    if type(entry["models"]) is not int or entry["models"] < 1:
        raise Problem(f"{place}: models is {entry['models']!r}; give a whole number of at least 1")
    region = entry["expected"]
    if not (isinstance(region, list) and len(region) == 2 and all(type(bound) in (int, float) for bound in region)):
        raise Problem(f"{place}: expected is {region!r}; give [low, high] (-.inf or .inf where there is no bound)")
    low, high = map(float, region)
    if not low < high or math.isnan(low):
        raise Problem(f"{place}: expected is {region!r}; low has to be below high")
    rest = {key: entry[key] for key in ("id", "says", "mark", "paper_value", "models", "because")}
    arguments = {key: measure.get(key, "") for key in ("dataset", "trained")}
    return TransferClaim(
        **rest,
        **arguments,
        quantity=quantity,
        expected=(low, high),
        lines=tuple(lines),
        incomparable=entry.get("incomparable"),
    )
