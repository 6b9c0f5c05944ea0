"""The files of published predictions: arrays of class ids, labels, image lists and class lists, each checked."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apr.basics.causes import reason
from apr.basics.problems import Problem

REMEDY = (
    "put the published file back into a `folder` of yours, or delete a downloaded source from data/raw and "
    "data/unpacked to fetch it again, or correct its entry in the registry"
)


def read_predictions(path: Path, images: int, classes: int) -> NDArray[np.int64]:
    """Predicted class ids, int64 [images, k], of a .npy array or a JSON list; one that is [images] has k = 1.

    Raises:
        Problem: the file is no such array, has another length, or names a class that there is not, or twice.
    """
    values = _read_ids(path)
    if values.ndim not in (1, 2):
        raise Problem(f"{path}: is an array of shape {values.shape}, not [images] or [images, k]; {REMEDY}")
    if len(values) != images:
        raise Problem(f"{path}: has predictions for {len(values):,} images, its test set {images:,}; {REMEDY}")
    values = values.reshape(images, -1)
    _check_range(path, values, classes)
    _check_once(path, values)
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
    content = _read_json(path)
    rows = content.get("image_filenames") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not all(_is_pair_of_names(row) for row in rows):
        raise Problem(f"{path}: has no list image_filenames of pairs of image and class; {REMEDY}")
    seen: set[str] = set()
    for image, name in rows:
        if image in seen:
            raise Problem(f"{path}: image {image!r} appears twice; {REMEDY}")
        if name not in (class_ids or {}):
            raise Problem(f"{path}: image {image!r}: class {name!r} is none of the {classes:,} classes; {REMEDY}")
        seen.add(image)
    return np.array([class_ids[name] for _, name in rows], dtype=np.int64)


def read_class_ids(path: Path, classes: int) -> dict[str, int]:
    """Ids of classes by their names (wnids), of a JSON list with `wnid` and `cid` in any order.

    Raises:
        Problem: the file is no such list, or its ids are not 0 to `classes` - 1, each once.
    """
    rows = _read_json(path)
    if not isinstance(rows, list) or not all(isinstance(row, dict) and _is_class(row) for row in rows):
        raise Problem(f"{path}: is no list of classes with wnid and cid; {REMEDY}")
    ids = {row["wnid"]: row["cid"] for row in rows}
    if len(ids) != len(rows) or set(ids.values()) != set(range(classes)):
        raise Problem(f"{path}: its cid are not the numbers 0 to {classes - 1}, each of one wnid; {REMEDY}")
    return ids


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Problem(f"{path}: no such file; {REMEDY}") from None
    except (ValueError, RecursionError) as error:  # no JSON, or not even text
        raise Problem(f"{path}: is not JSON ({reason(error)}); {REMEDY}") from error


def _read_ids(path: Path) -> NDArray[np.int64]:
    try:
        if path.suffix == ".json":
            values = np.asarray(_read_json(path))
        else:
            # mapped, so that a header cannot claim more than the file holds; pickled objects are never loaded
            values = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise Problem(f"{path}: no such file; {REMEDY}") from None
    except Problem:
        raise
    except Exception as error:  # numpy raises whatever a header that was made to confuse it leads it to
        raise Problem(f"{path}: is no array of class ids ({reason(error)}); {REMEDY}") from error
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


def _check_once(path: Path, values: NDArray[np.int64]) -> None:
    ordered = np.sort(values, axis=1)
    twice = ordered[:, 1:] == ordered[:, :-1]
    if twice.any():
        image = int(twice.any(axis=1).argmax())
        value = ordered[image, 1:][twice[image]][0]
        raise Problem(f"{path}: image {image + 1}: class id {value} appears twice among its choices; {REMEDY}")
