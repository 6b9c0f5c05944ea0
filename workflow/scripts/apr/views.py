"""A view selects classes and images of a packed dataset: indices, never a copy of pixels."""

import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np

from apr.problems import Problem
from apr.splits import generator

SPLITS = ("train", "test")


def select_view(
    name: str,
    definition: Mapping[str, Any],
    dataset: Mapping[str, Any],
    index: np.ndarray,
    parent: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Draw a view.

    Args:
        name: of the view.
        definition: classes (null, a number or names), per_class, cap (number or "second_largest"), seed, within.
        dataset: manifest of the packed dataset.
        index: its index, fields label and split, [N].
        parent: manifest of the view named by `within`, whose classes are drawn from.

    Returns:
        The manifest (view, dataset, dataset_digest, selection, classes, n_train, n_test, per_class, mean, sd,
        index_digest), and int64 arrays: train, test (positions in the index), train_labels, test_labels (0..k-1).

    Raises:
        Problem: more classes or images are asked for than there are, or a class is unknown.
    """
    classes = _classes(name, definition, dataset, parent)
    number = {dataset["classes"].index(label): position for position, label in enumerate(classes)}
    arrays: dict[str, np.ndarray] = {}
    counts: dict[str, list[int]] = {}
    for code, split in enumerate(SPLITS):
        members = {label: np.flatnonzero((index["label"] == label) & (index["split"] == code)) for label in number}
        members = _capped(name, definition, members, split, dataset)
        if split == "train" and definition.get("per_class"):
            members = _few(name, definition, members, dataset)
        rows = np.sort(np.concatenate(list(members.values())))
        arrays[split] = rows.astype(np.int64)
        arrays[f"{split}_labels"] = np.array([number[label] for label in index["label"][rows].tolist()], np.int64)
        counts[split] = [len(members[label]) for label in number]
    manifest = {
        "view": name,
        "dataset": dataset["name"],
        "dataset_digest": dataset["bin_sha256"],
        "index_digest": dataset["index_sha256"],
        "selection": {key: definition.get(key) for key in ("classes", "per_class", "cap", "seed", "within")},
        "classes": classes,
        "n_train": len(arrays["train"]),
        "n_test": len(arrays["test"]),
        "per_class": counts,
        "mean": dataset["mean"],
        "sd": dataset["sd"],
    }
    return manifest, arrays


def _classes(
    name: str, definition: Mapping[str, Any], dataset: Mapping[str, Any], parent: Mapping[str, Any] | None
) -> list[str]:
    """The view's classes in the dataset's order."""
    pool = parent["classes"] if parent else dataset["classes"]
    where = f"view {parent['view']!r}" if parent else f"dataset {dataset['name']!r}"
    if parent and parent["dataset"] != dataset["name"]:
        raise Problem(
            f"view {name!r}: within {parent['view']!r}, which is a view of {parent['dataset']!r}, not of "
            f"{dataset['name']!r}; draw within a view of the same dataset"
        )
    wanted = definition.get("classes")
    if wanted is None:
        return list(pool)
    if isinstance(wanted, int):
        if not 2 <= wanted <= len(pool):
            raise Problem(f"view {name!r}: classes: {wanted}: {where} has {len(pool)}; ask for 2 to {len(pool)}")
        # The number is part of the key: smaller draws lie in larger ones only where `within` says so.
        order = generator("classes", definition["seed"], wanted).permutation(len(pool))[:wanted]
        return [pool[i] for i in sorted(order)]
    unknown = [label for label in wanted if label not in pool]
    if unknown:
        raise Problem(f"view {name!r}: classes: {where} has no {'; no '.join(_hint(u, pool) for u in unknown)}")
    if len(set(wanted)) < max(2, len(wanted)):
        raise Problem(f"view {name!r}: classes: name at least two, each once")
    return [label for label in pool if label in set(wanted)]


def _hint(label: str, pool: list[str]) -> str:
    nearest = difflib.get_close_matches(str(label), pool, n=1, cutoff=0.4)
    return f"{label!r}" + (f" (did you mean {nearest[0]!r}?)" if nearest else f" (it has {', '.join(pool[:10])}, ...)")


def _capped(
    name: str,
    definition: Mapping[str, Any],
    members: dict[int, np.ndarray],
    split: str,
    dataset: Mapping[str, Any],
) -> dict[int, np.ndarray]:
    cap = definition.get("cap")
    if cap is None:
        return members
    if cap == "second_largest":
        cap = sorted(len(rows) for rows in members.values())[-2]
    elif cap < 1:
        raise Problem(f"view {name!r}: cap: {cap}: has to be at least 1, or second_largest")
    return {
        label: _draw(rows, cap, definition["seed"], f"cap {split}", dataset["classes"][label])
        for label, rows in members.items()
    }


def _few(
    name: str, definition: Mapping[str, Any], members: dict[int, np.ndarray], dataset: Mapping[str, Any]
) -> dict[int, np.ndarray]:
    wanted = definition["per_class"]
    for label, rows in members.items():
        if len(rows) < wanted:
            raise Problem(
                f"view {name!r}: per_class: {wanted}: class {dataset['classes'][label]!r} has {len(rows)} "
                "training images; ask for fewer"
            )
    return {
        label: _draw(rows, wanted, definition["seed"], "per_class", dataset["classes"][label])
        for label, rows in members.items()
    }


def _draw(rows: np.ndarray, wanted: int, seed: int, purpose: str, label: str) -> np.ndarray:
    if len(rows) <= wanted:
        return rows
    return rows[np.sort(generator(purpose, seed, label).permutation(len(rows))[:wanted])]
