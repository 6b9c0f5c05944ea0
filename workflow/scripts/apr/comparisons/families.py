"""Which family a model belongs to, and whether it was there in 2019: facts with their source, applied to names."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from apr.basics.facts import once, read_facts
from apr.basics.problems import Problem

LINE, SINCE, UNDATED = "2019", "since", "undated"
FIRST_YEAR = 2020  # of the models since
KEYS = {"name": str, "models": str, "year": int, "source": str}


@dataclass(frozen=True)
class Family:
    """Models whose name the regular expression is found in; `year` of the paper (or page) named in `source`."""

    name: str
    models: re.Pattern[str]
    year: int
    source: str


@dataclass(frozen=True)
class Families:
    """The weights of the 2019 line and where their list comes from; the names of weights that learned from more images
    than ImageNet-1k's; and the families in order of precedence.
    """

    line: frozenset[str]
    source: str
    more_data: re.Pattern[str]
    families: tuple[Family, ...]


def read_families(path: str | Path) -> Families:
    """Read resources/model_families.yaml.

    Raises:
        Problem: the file is missing, no YAML, or an entry is not as its head says.
    """
    data = read_facts(path)
    try:
        line, more_data, entries = data["line"], data["more_data"], data["families"]
        weights, source = line["models"], line["source"]
    except (KeyError, TypeError):
        raise Problem(f"{path}: needs the keys line (with source and models), more_data and families") from None
    families = tuple(_family(path, entry) for entry in entries)
    for kind, names in (("family", [family.name for family in families]), ("model", weights)):
        once(path, kind, names)
    larger = _pattern(path, "more_data", more_data)
    for model in weights:
        if larger.search(model):
            raise Problem(
                f"{path}: line: {model}: learned from more images, which more_data says; take it off the line"
            )
    return Families(frozenset(weights), source, larger, families)


def dated(models: Iterable[str], families: Families) -> pd.DataFrame:
    """Weights, family, group and more_data of each model, indexed by model.

    `weights` is the model's name without an image size (`@224`). `family` is the first that fits, else empty. `group`
    is "2019" for weights of the 2019 line, "since" for those of a family of 2020 or later, and "undated" otherwise.
    `more_data` says whether they learned from more images than ImageNet-1k's.
    """
    rows = []
    for model in models:
        weights = model.partition("@")[0]
        family = next((f for f in families.families if f.models.search(weights)), None)
        group = LINE if weights in families.line else SINCE if family and family.year >= FIRST_YEAR else UNDATED
        more = families.more_data.search(weights) is not None
        rows.append((model, weights, family.name if family else "", group, more))
    columns = ["model", "weights", "family", "group", "more_data"]
    return pd.DataFrame(rows, columns=columns).astype({"more_data": bool}).set_index("model")


def _family(path: str | Path, entry: Any) -> Family:
    if not isinstance(entry, dict) or entry.keys() != KEYS.keys():
        raise Problem(f"{path}: families: {entry}: has to have the keys {', '.join(KEYS)} and no other")
    for key, kind in KEYS.items():
        if type(entry[key]) is not kind:
            raise Problem(f"{path}: families: {entry['name']}: {key} {entry[key]!r} is not a {kind.__name__}")
    arxiv = re.fullmatch(r"arXiv:(\d\d)\d\d\.\d{4,5}", entry["source"])
    if arxiv and 2000 + int(arxiv[1]) != entry["year"]:
        raise Problem(f"{path}: families: {entry['name']}: year {entry['year']} is not that of {entry['source']}")
    pattern = _pattern(path, f"families: {entry['name']}: models", entry["models"])
    return Family(entry["name"], pattern, entry["year"], entry["source"])


def _pattern(path: str | Path, key: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise Problem(f"{path}: {key} {text!r} is no regular expression: {error}") from None
