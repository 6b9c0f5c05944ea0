"""Names of train and test parts: how people call them, and how to read folders that bear them."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

KINDS = {
    "train": {"train", "training", "trn"},
    "test": {"test", "testing", "tst", "val", "valid", "validation", "eval", "evaluation", "dev", "holdout", "heldout"},
    "other": {"sample", "samples", "pred", "prediction", "predict", "unlabeled", "unlabelled", "extra", "submission"},
}
KIND_OF = {word: kind for kind, words in KINDS.items() for word in words}
# Words that stand beside a part's name and say nothing: training_set, TestData, images_val, val2017, trainA.
FILLERS = {"set", "sets", "data", "dataset", "image", "images", "img", "imgs", "picture", "pictures", "photos", "final"}
FILLERS |= {"folder", "folders", "dir", "split", "part"}
WORD = re.compile(r"[a-z]+")
HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class Parts:
    """Names that are those of parts."""

    train: list[str]
    test: list[str]
    other: list[str]


def part_of(name: str) -> tuple[str | None, tuple[str, ...]]:
    """The kind of part that a name means ("train", "test", "other" or None), and its words beside it."""
    words = [_bare(word) for word in WORD.findall(HUMP.sub(" ", name).lower())]
    kinds = [KIND_OF[word] for word in words if word in KIND_OF]
    rest = tuple(word for word in words if word not in KIND_OF and word not in FILLERS and len(word) > 1)
    return (kinds[0] if len(kinds) == 1 else None), rest


def parts_among(names: Iterable[str]) -> Parts | None:
    """Find names that are parts: a train part beside a test part of the same other words, or nothing but parts.

    A single "train" among other names is none: it may be the class of a vehicle.
    """
    of: dict[str | None, dict[str, tuple[str, ...]]] = defaultdict(dict)
    names = sorted(set(names))
    for name in names:
        kind, rest = part_of(name)
        of[kind][name] = rest
    paired = set(of["train"].values()) & set(of["test"].values())
    alone = not of[None] and len(names) > 1 and (of["train"] or of["test"])
    if not paired and not alone:
        return None
    return Parts(*(list(of[kind]) for kind in ("train", "test", "other")))


def reading_of(parts: Parts) -> str:
    """The format and options that read these folders, as YAML."""
    if not parts.train or not parts.test:
        return f"options: root: {as_yaml((parts.train or parts.test)[:1])} (a test part is drawn then)"
    return f"format: split_folders, {split_folders_options(parts)}"


def split_folders_options(parts: Parts) -> str:
    """The options of split_folders that name these folders, as YAML."""
    tests = [name for name in parts.test if "test" in name.lower()] or parts.test
    return f"options: {{train: {as_yaml(parts.train)}, test: {as_yaml(tests[:1])}}}"


def as_yaml(names: Sequence[str]) -> str:
    """One name, or a list of several, as YAML takes it in one line."""
    quoted = [
        name if re.fullmatch(r"\w[\w./-]*", name, re.ASCII) else json.dumps(name, ensure_ascii=False) for name in names
    ]
    return quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]"


def _bare(word: str) -> str:
    """The word without a filler grown together with it: trainset, testimages."""
    if word in KIND_OF:
        return word
    return next((word.removesuffix(end) for end in FILLERS if word.removesuffix(end) in KIND_OF), word)
