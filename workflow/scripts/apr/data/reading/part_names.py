"""Names of train and test parts: how people call them, and how to read folders that bear them."""

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

KINDS = {
    "train": {"train", "training", "trainings", "trn", "entrainement", "apprentissage", "entrenamiento", "treino"}
    | {"treinamento", "addestramento"},
    "test": {"test", "testing", "tst", "val", "valid", "validation", "eval", "evaluation", "dev", "holdout", "heldout"}
    | {"validierung", "prueba", "pruebas", "validacion", "evaluacion", "teste", "testes", "validacao", "validazione"},
    "other": {"sample", "samples", "pred", "prediction", "predict", "unlabeled", "unlabelled", "extra", "submission"},
}
KIND_OF = {word: kind for kind, words in KINDS.items() for word in words}
# Words that mean parts only where nothing else is beside them: they are names of classes, too.
WEAK = dict.fromkeys(("labeled", "labelled", "tr", "support", "seen"), "train")
WEAK |= dict.fromkeys(("te", "gallery", "query", "probe", "unseen"), "test")
FOLD = re.compile(r"(k?fold|cv|split|part|partition|subset|chunk|batch|set)[ _.-]*(\d+)", re.IGNORECASE)
# Words that stand beside a part's name and say nothing: training_set, TestData, images_val, val2017, trainA.
FILLERS = {"set", "sets", "data", "dataset", "image", "images", "img", "imgs", "picture", "pictures", "photos", "final"}
FILLERS |= {"folder", "folders", "dir", "split", "part", "daten", "bilder", "datos", "dados", "dati"}
WORD = re.compile(r"[a-z]+")
HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
HERE = "\ufdd0"  # stands in a remedy for the folder that was read, as `options: root` calls it


@dataclass(frozen=True)
class Parts:
    """Names that are those of parts."""

    train: list[str]
    test: list[str]
    other: list[str]


def part_of(name: str, weak: bool = False) -> tuple[str | None, tuple[str, ...]]:
    """The kind of part that a name means ("train", "test", "other" or None), and its words beside it.

    Args:
        name: of a folder, or what a person calls a part.
        weak: words that may be classes as well count, too.
    """
    known, words = _words(name, weak)
    rest = tuple(word for word in words if word not in KIND_OF and word not in FILLERS and len(word) > 1)
    if len(known) == 1 and known[0] in WEAK:
        rest = tuple(word for word in rest if word not in WEAK)
    return ((KIND_OF | WEAK)[known[0]] if len(known) == 1 else None), rest


def parts_among(names: Iterable[str]) -> Parts | None:
    """Find names that are parts: a train part beside a test part of the same other words, or nothing but parts.

    A single "train" among other names is none: it may be the class of a vehicle.
    """
    names = sorted(set(names))
    of = _sorted_out(names)
    if set(of["train"].values()) & set(of["test"].values()):
        return _parts(of)
    of = _sorted_out(names, weak=True)
    alone = not of[None] and len(names) > 1 and (of["train"] or of["test"])
    return _parts(of) if alone else None


def parts_of_same_classes(names: Iterable[str]) -> Parts | None:
    """Find parts among folders that all hold the same class folders: half of them are called so, or all are folds."""
    names = sorted(set(names))
    folds = [FOLD.fullmatch(name) for name in names]
    if all(folds) and len({fold[1].lower() for fold in folds}) == 1:
        ordered = sorted(names, key=lambda name: int(FOLD.fullmatch(name)[2]))
        return Parts(ordered[:-1], ordered[-1:], [])
    sure, of = _sorted_out(names), _sorted_out(names, weak=True)
    if (sure["train"] or sure["test"]) and 2 * len(of[None]) <= len(names):
        return _parts(of)
    return None


def reading_of(parts: Parts) -> str:
    """The format and options that read these folders, as YAML."""
    if not parts.train or not parts.test:
        return f"options: root: {as_yaml([HERE + (parts.train or parts.test)[0]])} (a test part is drawn then)"
    return f"format: split_folders, {split_folders_options(parts)}"


def split_folders_options(parts: Parts, root: str = "") -> str:
    """The options of split_folders that name these folders, and the root if it is another, as YAML."""
    place = f"root: {as_yaml([HERE + root])}, " if root else ""
    return f"options: {{{place}train: {as_yaml(parts.train)}, test: {as_yaml(tests_of(parts))}}}"


def tests_of(parts: Parts) -> list[str]:
    """The test folders that belong together: testA and testB, but not test and val."""
    tests = [name for name in parts.test if "test" in name.lower()] or parts.test
    kinds = {name: _kind_of_test(name) for name in tests}
    return [name for name in tests if kinds[name] == kinds[tests[0]]]


def as_yaml(names: Sequence[str]) -> str:
    """One name, or a list of several, as YAML takes it in one line."""
    quoted = [
        name if re.fullmatch(rf"{HERE}?\w[\w./-]*", name, re.ASCII) else json.dumps(name, ensure_ascii=False)
        for name in names
    ]
    return quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]"


def _kind_of_test(name: str) -> tuple[str, tuple[str, ...]]:
    word = _words(name, weak=True)[0][:1]
    return "query" if word == ["gallery"] else "".join(word), part_of(name, weak=True)[1]


def _words(name: str, weak: bool) -> tuple[list[str], list[str]]:
    """Words that mean a part, and all words, without accents."""
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    words = [_bare(word) for word in WORD.findall(HUMP.sub(" ", plain).lower())]
    known = [word for word in words if word in KIND_OF]
    return known or [word for word in words if weak and word in WEAK], words


def _sorted_out(names: Iterable[str], weak: bool = False) -> dict[str | None, dict[str, tuple[str, ...]]]:
    of: dict[str | None, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for name in names:
        kind, rest = part_of(name, weak)
        of[kind][name] = rest
    return of


def _parts(of: dict[str | None, dict[str, tuple[str, ...]]]) -> Parts:
    return Parts(*(list(of[kind]) for kind in ("train", "test", "other")))


def _bare(word: str) -> str:
    """The word without a filler grown together with it: trainset, testimages."""
    if word in KIND_OF:
        return word
    return next((word.removesuffix(end) for end in FILLERS if word.removesuffix(end) in KIND_OF), word)
