"""Published predictions, image by image, into score tables: counts of correct images per model and test set."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from apr.basics.files import digest_of, file_digest
from apr.basics.problems import Problem
from apr.runs.metrics import COUNTS, METRICS, part_of
from apr.scores.paired import nearest_names
from apr.scores.prediction_files import REMEDY, read_class_ids, read_labels, read_predictions
from apr.scores.table import Row, score_row

SUFFIXES = (".npy", ".json")
CHANCE = 1e-6  # below it, the last column is not right more often than the first by chance
TOP = max(COUNTS.values())

log = logging.getLogger("apr")


def import_predictions(
    folder: str | Path, source: Mapping[str, Any], metrics: Mapping[str, str], labels: str | Path | None = None
) -> dict[str, list[Row]]:
    """The rows of the score table of each test set of a source, models sorted by name.

    Args:
        folder: what was unpacked: the source's files, or one folder that holds them.
        source: its entry in resources/predictions.yaml, which explains the keys.
        metrics: of the tasks, by the names of their test sets.
        labels: the .npy file for the test sets whose labels come `labels_from` another source.

    Raises:
        Problem: a file is missing or is not what the registry declares; predictions and labels do not fit each other;
            the test sets have no model in common.
    """
    root = _root(Path(folder), source)
    tables = {name: _import_set(name, root, source, metrics[name], labels) for name in source["sets"]}
    models = {name: {row["model"] for row in table} for name, table in tables.items()}
    everywhere = set.intersection(*models.values())
    if not everywhere:
        raise Problem(_nothing_shared(root, models))
    for model in sorted(set.union(*models.values()) - everywhere):
        lacking = [name for name, own in models.items() if model not in own]
        log.warning("model %s: no predictions on %s, so that it is left out there", model, ", ".join(lacking))
    return tables


def files_digest(root: Path, paths: Sequence[str]) -> str:
    """One SHA-256 over files below `root`: that of their paths and their own digests, in whatever archive they came."""
    return digest_of({path: file_digest(root / path) for path in paths})


def values_digest(labels: NDArray[np.int64]) -> str:
    """SHA-256 of labels 0 to 255, one byte each: the same for every integer type that a file may store them in."""
    return hashlib.sha256(labels.astype(np.uint8).tobytes()).hexdigest()


def count_correct(
    predictions: NDArray[np.int64], labels: NDArray[np.int64], ascending: bool, place: str
) -> tuple[int, int | None]:
    """Images whose class is the model's first choice, and images whose class is among its five (None if there are not).

    Args:
        predictions: class ids [images, k].
        labels: class ids [images].
        ascending: the best choice stands in the last column, instead of in the first.
        place: what the message calls the predictions.

    Raises:
        Problem: the columns are in the other order, as far as the labels tell.
    """
    hits = predictions == labels[:, None]
    best, worst = hits[:, -1].sum() if ascending else hits[:, 0].sum(), hits[:, 0 if ascending else -1].sum()
    if worst > best and binomtest(int(worst), int(worst + best), alternative="greater").pvalue < CHANCE:
        order, remedy = ("ascending", "take it out of") if ascending else ("descending", "name it under")
        raise Problem(
            f"{place}: its columns are not in {order} order of confidence: the last choice is right on "
            f"{worst:,} images, the first on {best:,}; {remedy} `ascending` in the source's entry in the registry"
        )
    return int(best), int(hits.any(axis=1).sum()) if hits.shape[1] == TOP else None


def _root(folder: Path, source: Mapping[str, Any]) -> Path:
    """Where the source's paths begin: GitHub's archives put everything into one folder."""
    wanted = next(iter(source["sets"].values()))["predictions"]
    below = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    for root in (folder, *below):
        if (root / wanted).is_dir():
            return root
    raise Problem(f"{folder}: there is no {wanted} in it or in a folder of it; {REMEDY}")


def _import_set(
    name: str, root: Path, source: Mapping[str, Any], metric: str, labels_file: str | Path | None
) -> list[Row]:
    declared = source["sets"][name]
    files = _prediction_files(root, declared["predictions"])
    own = [path for path in (declared.get("labels"), source.get("class_ids")) if path]
    for path in own:
        if not (root / path).is_file():
            raise Problem(f"{root / path}: no such file, but {name} is read with it; {REMEDY}")
    labels = _labels(name, root, source, labels_file)
    rows, read, ascending = {}, {}, set(declared.get("ascending", []))
    for path in files:
        model = Path(path).stem.removesuffix(source.get("name_ends", ""))
        model = source.get("renamed", {}).get(model, model)
        if model in rows:
            raise Problem(f"{root / path}: is a second file of model {model} on {name}; {REMEDY}")
        predictions = read_predictions(root / path, len(labels), source["classes"])
        counts = count_correct(predictions, labels, model in ascending, f"{root / path}")
        part = part_of(len(labels), dict(zip(COUNTS, counts, strict=True)))
        rows[model], read[model] = score_row(model, {"test": part}, METRICS[metric]), (path, predictions.shape)
    unknown = sorted(ascending - rows.keys())
    # last, since it says that something differs, and what was read says what
    _check_files(name, root, own, files, declared)
    if unknown:
        raise Problem(f"{name}: ascending: there is no model {unknown[0]}; correct the source's entry in the registry")
    _tell_unknown_top_five(name, root, read)
    return [rows[model] for model in sorted(rows)]


def _tell_unknown_top_five(name: str, root: Path, read: Mapping[str, tuple[str, tuple[int, ...]]]) -> None:
    """Log which models have another number of choices an image than five; `read`: model -> file and its shape."""
    lacking = {model: file for model, file in read.items() if file[1][1] != TOP}
    if len(lacking) == len(read):
        log.info("%s: no file has %d choices an image, so that its top-%d errors are unknown", name, TOP, TOP)
        return
    for model, (path, shape) in lacking.items():
        text = "%s: holds %s, not [images, %d], so that the top-%d error of model %s is unknown on %s"
        log.warning(text, root / path, list(shape), TOP, TOP, model, name)


def _nothing_shared(root: Path, models: Mapping[str, set[str]]) -> str:
    """What to say of test sets without a common model: which one is a stranger to most others, and two names."""
    apart = {name: [other for other in models if models[name].isdisjoint(models[other])] for name in models}
    text = f"{root}: no model has predictions on all of {', '.join(models)}"
    odd = max(reversed(models), key=lambda name: len(apart[name]))
    if not apart[odd]:
        return f"{text}: each lacks some that others have; {REMEDY}"
    one, other = nearest_names(models[odd], models[apart[odd][0]])
    return (
        f"{text}: {odd} shares none with {', '.join(apart[odd])} ({one} there, {other} on {apart[odd][0]}); if two "
        f"names are one model, correct name_ends or renamed in the source's entry in the registry; else {REMEDY}"
    )


def _prediction_files(root: Path, folder: str) -> list[str]:
    """Every file of predictions in a folder, which `digest_of_files` pins."""
    if not (root / folder).is_dir():
        raise Problem(f"{root / folder}: no such folder; {REMEDY}")
    found = [path for path in (root / folder).iterdir() if path.suffix in SUFFIXES]
    if not found:
        raise Problem(f"{root / folder}: holds no predictions ({' or '.join(SUFFIXES)}); {REMEDY}")
    return sorted(path.relative_to(root).as_posix() for path in found)


def _check_files(name: str, root: Path, own: list[str], files: list[str], declared: Mapping[str, Any]) -> None:
    expected = declared.get("digest_of_files")
    if expected and (found := files_digest(root, [*own, *files])) != expected:
        parts = ", ".join([f"{len(files)} of predictions", *own])
        raise Problem(
            f"{root / declared['predictions']}: the {len(own) + len(files)} files that {name} is read from are not the "
            f"declared ones ({parts}): one differs, is missing or is one too many, since digest_of_files is {found}, "
            f"not {expected}; {REMEDY}"
        )


def _labels(name: str, root: Path, source: Mapping[str, Any], labels_file: str | Path | None) -> NDArray[np.int64]:
    declared = source["sets"][name]
    if declared.get("labels"):
        class_ids = source.get("class_ids")
        ids = read_class_ids(root / class_ids, source["classes"]) if class_ids else None
        return read_labels(root / declared["labels"], ids, source["classes"])
    if labels_file is None:
        raise Problem(f"{name}: has no labels: give the file of {declared['labels_from']}")
    values = read_labels(Path(labels_file), None, source["classes"])
    expected = declared.get("label_values")
    if expected and (found := values_digest(values)) != expected:
        raise Problem(f"{labels_file}: the digest of its labels is {found}, {name} declares {expected}; {REMEDY}")
    return values
