"""Published predictions, image by image, into error tables: counts of correct images per model and test set."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from apr.files import digest_of, file_digest, read_json
from apr.problems import Problem
from apr.runs import COLUMNS, percent_wrong

SUFFIXES = (".npy", ".json")
BROKEN = (ValueError, EOFError, OSError)  # what numpy raises at a file that is no array
CHANCE = 1e-6  # below it, the last column is not right more often than the first by chance
REMEDY = "delete it and fetch its source again, or correct the source's entry in the registry"

log = logging.getLogger("apr")


def import_predictions(
    folder: str | Path, source: Mapping[str, Any], labels: str | Path | None = None
) -> dict[str, pd.DataFrame]:
    """Error table of each test set of a source, models sorted by name; the columns are those of `runs.COLUMNS`.

    Args:
        folder: what was unpacked: the source's files, or one folder that holds them.
        source: its entry in resources/predictions.yaml, which explains the keys.
        labels: the .npy file for the test sets whose labels come `labels_from` another source.

    Raises:
        Problem: a file is missing or is not what the registry declares; predictions and labels do not fit each other;
            the test sets have no model in common.
    """
    root = _root(Path(folder), source)
    tables = {name: _import_set(name, root, source, labels) for name in source["sets"]}
    everywhere = set.intersection(*(set(table["model"]) for table in tables.values()))
    if not everywhere:
        raise Problem(f"{root}: no model has predictions on all of {', '.join(tables)}; {REMEDY}")
    for model in sorted(set.union(*(set(table["model"]) for table in tables.values())) - everywhere):
        lacking = [name for name, table in tables.items() if model not in set(table["model"])]
        log.warning("model %s: no predictions on %s, so that it is left out there", model, ", ".join(lacking))
    return tables


def contents_digest(root: Path, paths: Sequence[str]) -> str:
    """One SHA-256 over files below `root`: that of their paths and their own digests, in whatever archive they came."""
    return digest_of({path: file_digest(root / path) for path in paths})


def values_digest(labels: NDArray[np.int64]) -> str:
    """SHA-256 of labels 0 to 255, one byte each: the same for every integer type that a file may store them in."""
    return hashlib.sha256(labels.astype(np.uint8).tobytes()).hexdigest()


def read_predictions(path: Path, images: int, classes: int) -> NDArray[np.int64]:
    """Predicted class ids, int64 [images, k], of a .npy array or a JSON list; one that is [images] has k = 1.

    Raises:
        Problem: the file is no such array, has another length, or names a class that there is not.
    """
    values = _read_ids(path)
    if values.ndim not in (1, 2):
        raise Problem(f"{path}: is an array of shape {values.shape}, not [images] or [images, k]; {REMEDY}")
    if len(values) != images:
        raise Problem(f"{path}: has predictions for {len(values):,} images, its test set {images:,}; {REMEDY}")
    values = values.reshape(images, -1)
    _check_range(path, values, classes)
    return values


def read_labels(path: Path, class_ids: Mapping[str, int] | None, classes: int) -> NDArray[np.int64]:
    """Labels of a test set in the order of its images, int64 [images].

    Args:
        path: a .npy array of class ids, or an image list: JSON whose `image_filenames` are pairs of image and class.
        class_ids: class -> id, for image lists.
        classes: how many there are.

    Raises:
        Problem: the file is neither, names an image twice, or a class that there is not.
    """
    if path.suffix != ".json":
        values = _read_ids(path)
        if values.ndim != 1:
            raise Problem(f"{path}: is an array of shape {values.shape}, not labels [images]; {REMEDY}")
        _check_range(path, values[:, None], classes)
        return values
    content = read_json(path)
    rows = content.get("image_filenames") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not all(_is_pair_of_names(row) for row in rows):
        raise Problem(f"{path}: has no list image_filenames of pairs of image and class; {REMEDY}")
    seen: set[str] = set()
    for image, name in rows:
        if image in seen:
            raise Problem(f"{path}: image {image!r} stands there twice; {REMEDY}")
        if name not in (class_ids or {}):
            raise Problem(f"{path}: image {image!r}: class {name!r} is none of the {classes:,} classes; {REMEDY}")
        seen.add(image)
    return np.array([class_ids[name] for _, name in rows], dtype=np.int64)


def read_class_ids(path: Path, classes: int) -> dict[str, int]:
    """Ids of classes by their names (wnids), of a JSON list with `wnid` and `cid` in any order.

    Raises:
        Problem: the file is no such list, or its ids are not 0 to `classes` - 1, each once.
    """
    rows = read_json(path)
    if not isinstance(rows, list) or not all(isinstance(row, dict) and _is_class(row) for row in rows):
        raise Problem(f"{path}: is no list of classes with wnid and cid; {REMEDY}")
    ids = {row["wnid"]: row["cid"] for row in rows}
    if len(ids) != len(rows) or set(ids.values()) != set(range(classes)):
        raise Problem(f"{path}: its cid are not the numbers 0 to {classes - 1}, each of one wnid; {REMEDY}")
    return ids


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
    return int(best), int(hits.any(axis=1).sum()) if hits.shape[1] == 5 else None


def _root(folder: Path, source: Mapping[str, Any]) -> Path:
    """Where the source's paths begin: GitHub's archives put everything into one folder."""
    wanted = next(iter(source["sets"].values()))["predictions"]
    below = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    for root in (folder, *below):
        if (root / wanted).is_dir():
            return root
    raise Problem(f"{folder}: there is no {wanted} in it or in a folder of it; {REMEDY}")


def _import_set(name: str, root: Path, source: Mapping[str, Any], labels_file: str | Path | None) -> pd.DataFrame:
    declared = source["sets"][name]
    files = _prediction_files(root, declared["predictions"])
    own = [path for path in (declared.get("labels"), source.get("class_ids")) if path]
    for path in own:
        if not (root / path).is_file():
            raise Problem(f"{root / path}: no such file, but {name} is read with it; {REMEDY}")
    _check_contents(name, root, [*own, *files], declared)
    labels = _labels(name, root, source, labels_file)
    rows, ascending = {}, set(declared.get("ascending", []))
    for path in files:
        model = Path(path).stem.removesuffix(source.get("name_ends", ""))
        model = source.get("renamed", {}).get(model, model)
        if model in rows:
            raise Problem(f"{root / path}: is a second file of model {model} on {name}; {REMEDY}")
        predictions = read_predictions(root / path, len(labels), source["classes"])
        counts = count_correct(predictions, labels, model in ascending, f"{root / path}")
        rows[model] = _row(model, len(labels), *counts)
    unknown = sorted(ascending - rows.keys())
    if unknown:
        raise Problem(f"{name}: ascending: there is no model {unknown[0]}; correct the source's entry in the registry")
    return pd.DataFrame([rows[model] for model in sorted(rows)], columns=COLUMNS)


def _row(model: str, n: int, top1: int, top5: int | None) -> dict[str, Any]:
    return dict.fromkeys(COLUMNS) | {
        "model": model,
        "n": n,
        "correct_top1": top1,
        "correct_top5": top5,
        "error": percent_wrong(top1, n),
        "top1_error": percent_wrong(top1, n),
        "top5_error": percent_wrong(top5, n),
        "status": "completed",
    }


def _prediction_files(root: Path, folder: str) -> list[str]:
    """Every file of predictions in a folder, which `contents` pins."""
    if not (root / folder).is_dir():
        raise Problem(f"{root / folder}: no such folder; {REMEDY}")
    found = [path for path in (root / folder).iterdir() if path.suffix in SUFFIXES]
    if not found:
        raise Problem(f"{root / folder}: holds no predictions ({' or '.join(SUFFIXES)}); {REMEDY}")
    return sorted(path.relative_to(root).as_posix() for path in found)


def _check_contents(name: str, root: Path, paths: list[str], declared: Mapping[str, Any]) -> None:
    expected = declared.get("contents")
    if expected and (found := contents_digest(root, paths)) != expected:
        raise Problem(
            f"{root / declared['predictions']}: the {len(paths)} files that {name} is read from are not the declared "
            f"ones: their digest (contents) is {found}, not {expected}; {REMEDY}"
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


def _read_ids(path: Path) -> NDArray[np.int64]:
    try:
        if path.suffix == ".json":
            values = np.asarray(read_json(path))
        else:
            # mapped, so that a header cannot claim more than the file holds; pickled objects are never loaded
            values = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise Problem(f"{path}: no such file; {REMEDY}") from None
    except BROKEN as error:
        raise Problem(f"{path}: is no array of class ids ({error}); {REMEDY}") from error
    if not isinstance(values, np.ndarray) or not np.issubdtype(values.dtype, np.integer) or not values.size:
        kind = f"holds {values.dtype}" if isinstance(values, np.ndarray) and values.size else "is empty or an archive"
        raise Problem(f"{path}: is no array of class ids ({kind}); {REMEDY}")
    return np.asarray(values, dtype=np.int64)


def _is_pair_of_names(row: Any) -> bool:
    return isinstance(row, list) and len(row) == 2 and all(isinstance(name, str) for name in row)


def _is_class(row: dict[str, Any]) -> bool:
    return isinstance(row.get("wnid"), str) and type(row.get("cid")) is int


def _check_range(path: Path, values: NDArray[np.int64], classes: int) -> None:
    bad = np.flatnonzero(((values < 0) | (values >= classes)).any(axis=1))
    if bad.size:
        row = values[bad[0]]
        value = row[(row < 0) | (row >= classes)][0]
        raise Problem(f"{path}: image {bad[0] + 1}: class id {value} is not one of 0 to {classes - 1}; {REMEDY}")
