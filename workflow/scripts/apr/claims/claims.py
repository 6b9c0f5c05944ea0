"""Claims as data, a paper's or a study's own: read, checked, and the tasks that they concern.

Light, since the Snakefile asks for the tasks while it is parsed.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from apr.basics.facts import entries_of, once, read_facts
from apr.basics.problems import Problem
from apr.basics.values import nearest

PREDICTED = "P"  # the mark of what a study says of itself before it is run
VERIFIED = {
    **dict.fromkeys("TRSC", "verified"),
    "I": "inferred",
    "U": "unverified (recalled)",
    PREDICTED: "predicted",
}
SHAPE = ("cumulative_depth", "cumulative_width")  # these may stand in the place of a task
REQUIRED = ("id", "says", "where", "mark", "paper_value", "measure", "expected", "because")
OF_PREDICTIONS = ("id", "says", "measure", "expected", "because")


def _is_names(value: Any, least: int, most: int) -> bool:
    return isinstance(value, list) and least <= len(value) <= most and all(isinstance(item, str) for item in value)


def _is_lists(value: Any, size: int) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_names(item, size, size) for item in value)


Fit = tuple[str, Callable[[Any], bool]]
NAME: Fit = ("a name", lambda value: isinstance(value, str))
NAMES: Fit = ("a list of at least two names", partial(_is_names, least=2, most=1000))
TWO: Fit = ("a list of two names", partial(_is_names, least=2, most=2))
GAIN: Fit = ("[target, before, after]", partial(_is_names, least=3, most=3))
PAIRS: Fit = ("a list of pairs of names", partial(_is_lists, size=2))
GAINS: Fit = ("a list of [target, before, after]", partial(_is_lists, size=3))
COUNT: Fit = ("a whole number of at least 1", lambda value: type(value) is int and value >= 1)
PART: Fit = ("a number from 0 to 1", lambda value: type(value) in (int, float) and 0 <= value <= 1)

# Each kind of measure with its arguments; apr.claims.scorecard computes them.
KINDS: dict[str, dict[str, Fit]] = {
    "rho": {"x": NAME, "y": NAME},
    "mean_rho": {"pairs": PAIRS},
    "mean_pairwise_rho": {"tasks": NAMES},
    "ordered": {"pairs": PAIRS},
    "gain": {"target": NAME, "before": NAME, "after": NAME},
    "mean_gain": {"gains": GAINS},
    "min_gain": {"gains": GAINS},
    "gain_difference": {"first": GAIN, "second": GAIN},
    "least_of_best": {"shape": NAME, "task": NAME, "k": COUNT},
    "largest_of_best": {"shape": NAME, "task": NAME, "k": COUNT},
    "largest_error": {"task": NAME},
    "mean_error": {"task": NAME},
    "quantile_error": {"task": NAME, "share": PART},
    "mean_of_repeats": {"task": NAME, "model": NAME},
    "overlap": {"task": NAME, "models": TWO},
}
OF_REPEATS = ("mean_of_repeats", "overlap")
MODELS = ("model", "models")


@dataclass(frozen=True)
class Claim:
    """One claim: what is said, who vouches for it, and the region of a measure in which it counts as true."""

    id: str
    says: str
    where: str | None
    mark: str
    paper_value: float | str
    kind: str
    arguments: dict[str, Any]
    expected: tuple[float, float]
    because: str
    incomparable: str | None

    @property
    def predicted(self) -> bool:
        """Whether a study says it of itself, and no paper."""
        return self.mark == PREDICTED

    @property
    def columns(self) -> list[str]:
        """The tasks, and cumulative depth or width, that it is measured on."""
        found = (name for key, value in self.arguments.items() if key not in MODELS for name in _strings(value))
        return list(dict.fromkeys(found))

    @property
    def tasks(self) -> list[str]:
        """The tasks that it is measured on."""
        return [name for name in self.columns if name not in SHAPE]

    @property
    def models(self) -> list[str]:
        """The architectures that it names."""
        return [name for key in MODELS if key in self.arguments for name in _strings(self.arguments[key])]


def read_claims(path: str | Path) -> list[Claim]:
    """Read the list of a paper's `claims` (resources/claims.yaml explains its keys), or of a study's own `predictions`.

    Raises:
        Problem: the file is missing or no YAML, or a claim lacks a key, has an unknown one or an impossible value.
    """
    content = read_facts(path)
    own = isinstance(content, dict) and "predictions" in content
    entries = entries_of(path, content, "predictions" if own else "claims")
    places = [f"{path}: claim {entry.get('id', number)}" for number, entry in enumerate(entries, 1)]
    read = _prediction if own else _claim
    claims = [read(entry, place) for entry, place in zip(entries, places, strict=True)]
    once(path, "claim", [claim.id for claim in claims])
    return claims


def tasks_of(claims: Iterable[Claim]) -> list[str]:
    """The tasks that any of the claims is measured on, each once."""
    return list(dict.fromkeys(task for claim in claims for task in claim.tasks))


def _prediction(entry: dict[str, Any], place: str) -> Claim:
    check_keys(entry, place, OF_PREDICTIONS)
    return _measured_claim(entry | {"where": None, "mark": PREDICTED, "paper_value": ""}, place)


def _claim(entry: dict[str, Any], place: str) -> Claim:
    check_keys(entry, place, REQUIRED, optional=("incomparable",))
    marks = [mark for mark in VERIFIED if mark != PREDICTED]
    if entry["mark"] not in marks:
        raise Problem(f"{place}: mark {entry['mark']!r} is not one of {', '.join(marks)}")
    return _measured_claim(entry, place)


def _measured_claim(entry: dict[str, Any], place: str) -> Claim:
    measure = dict(entry["measure"]) if isinstance(entry["measure"], dict) else {}
    kind = measure.pop("kind", None)
    if kind not in KINDS:
        raise Problem(f"{place}: measure.kind {kind!r} is not known{_nearest(kind, KINDS)}")
    check_keys(measure, f"{place}: measure", tuple(KINDS[kind]))
    for name, (description, fits) in KINDS[kind].items():
        if not fits(measure[name]):
            raise Problem(f"{place}: measure.{name} is {measure[name]!r}; give {description}")
    low, high = _region(entry["expected"], place)
    rest = {key: entry[key] for key in REQUIRED if key not in ("measure", "expected")}
    incomparable = entry.get("incomparable")
    return Claim(**rest, kind=kind, arguments=measure, expected=(low, high), incomparable=incomparable)


def _region(value: Any, place: str) -> tuple[float, float]:
    if isinstance(value, list) and len(value) == 2 and all(type(bound) in (int, float) for bound in value):
        low, high = map(float, value)
        if low < high:
            return low, high
    raise Problem(f"{place}: expected is {value!r}; give [low, high], low below high (.inf where there is no bound)")


def check_keys(entry: dict, place: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    """Refuse an entry that lacks a key or has an unknown one.

    Raises:
        Problem: names the key.
    """
    for key in required:
        if key not in entry:
            raise Problem(f"{place}: lacks {key}")
    for key in entry:
        if key not in (*required, *optional):
            raise Problem(f"{place}: no such key: {key}{_nearest(key, (*required, *optional))}")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _nearest(name: Any, known: Iterable[str]) -> str:
    return nearest(name, known, f"; known: {', '.join(known)}")
