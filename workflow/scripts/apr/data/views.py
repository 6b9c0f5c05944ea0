"""A view selects classes and images of a packed dataset: indices, never a copy of pixels."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from apr.basics.problems import Problem
from apr.basics.randomness import generator
from apr.basics.values import nearest, shown
from apr.data.packed import label_counts
from apr.data.reading.parts import PARTS


def select_view(
    name: str,
    definition: Mapping[str, Any],
    dataset: Mapping[str, Any],
    index: np.ndarray,
    parent: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Draw a view.

    Args:
        name: of the view.
        definition: classes (null, a number or names), per_class, cap (number or "second_largest"), seed, within.
        dataset: manifest of the packed dataset.
        index: its index, fields label and split, [N].
        parent: manifest of the view named by `within`, whose classes are drawn from.

    Returns:
        The manifest (view, dataset, dataset_digest, index_digest, selection, classes, codes, n_train, n_test,
        n_validation where there is such a part, per_class, mean, sd, indices_digest), from which `view_indices` makes
        the indices; and the dataset's label_sets, where an image may have several labels, and n_groups, where images
        have groups.

    Raises:
        Problem: more classes or images are asked for than there are, a class is unknown, or something is selected of
            images with several labels.
    """
    label_sets = dataset.get("label_sets")
    if label_sets is not None:
        _takes_all(name, definition, dataset)
    classes = _classes(name, definition, dataset, parent)
    manifest = {
        "view": name,
        "dataset": dataset["name"],
        "dataset_digest": dataset["bin_sha256"],
        "index_digest": dataset["index_sha256"],
        "selection": {key: definition.get(key) for key in ("classes", "per_class", "cap", "seed", "within")},
        "classes": classes,
        "codes": [dataset["classes"].index(label) for label in classes],
    }
    if label_sets is not None:
        manifest |= {"codes": list(range(len(label_sets))), "label_sets": label_sets}
    arrays = _indices(manifest, index)
    labels = {part: arrays[f"{part}_labels"] for part in PARTS if part in arrays}
    return manifest | {
        **{f"n_{part}": len(arrays[part]) for part in labels},
        "per_class": {part: label_counts(labels[part], len(classes), label_sets) for part in labels},
        "mean": dataset["mean"],
        "sd": dataset["sd"],
        "indices_digest": _digest(arrays),
        **({"n_groups": dataset["n_groups"]} if dataset.get("n_groups") else {}),
    }


def view_indices(manifest: Mapping[str, Any], index: np.ndarray) -> dict[str, np.ndarray]:
    """The images of a view: int64 train, test (positions in the index), train_labels, test_labels (0..k-1).

    validation and validation_labels are among them where the view has a validation part. Where an image may have
    several labels, they are codes of the manifest's label_sets (see `apr.data.packed.multi_hot`).

    A function of the manifest and of the packed dataset's index, so that no file has to keep them.

    Raises:
        Problem: they are not what the manifest was made of.
    """
    arrays = _indices(manifest, index)
    if _digest(arrays) != manifest["indices_digest"]:
        raise Problem(
            f"results/views/{manifest['view']}.json: was drawn from other images than those of "
            f"data/packed/{manifest['dataset']}, or by another version; delete it to draw it again"
        )
    return arrays


def _takes_all(name: str, definition: Mapping[str, Any], dataset: Mapping[str, Any]) -> None:
    for key in ("classes", "per_class", "cap", "within"):
        if definition.get(key) is not None:
            raise Problem(
                f"view {name!r}: {key}: {shown(definition[key])}: an image of dataset {dataset['name']!r} may have "
                f"several labels, and a view of such images takes all; leave {key} out"
            )


def _indices(manifest: Mapping[str, Any], index: np.ndarray) -> dict[str, np.ndarray]:
    number = np.zeros(max(manifest["codes"]) + 1, np.int64)
    number[manifest["codes"]] = np.arange(len(manifest["codes"]))
    arrays = {}
    for code, part in enumerate(PARTS):
        members = _members(index, code, manifest["codes"])
        if part == "validation" and not any(map(len, members)):
            continue
        members = _capped(manifest, members, part)
        if part == "train" and manifest["selection"]["per_class"]:
            members = _few(manifest, members)
        rows = np.sort(np.concatenate(members)).astype(np.int64)
        arrays[part] = rows
        arrays[f"{part}_labels"] = number[index["label"][rows]]
    return arrays


def _members(index: np.ndarray, split: int, codes: Sequence[int]) -> list[np.ndarray]:
    """The positions of each class's images in one part."""
    rows = np.flatnonzero(index["split"] == split)
    labels = index["label"][rows]
    order = np.argsort(labels, kind="stable")
    bounds = [np.searchsorted(labels[order], codes, side=side) for side in ("left", "right")]
    return [rows[order[low:high]] for low, high in zip(*bounds, strict=True)]


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(arrays[name].astype("<i8").tobytes())
    return digest.hexdigest()


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
        there = f" (it has {', '.join(pool[:10])}, ...)"
        hints = [f"{label!r}{nearest(label, pool, there)}" for label in unknown]
        raise Problem(f"view {name!r}: classes: {where} has no {'; no '.join(hints)}")
    if len(set(wanted)) < max(2, len(wanted)):
        raise Problem(f"view {name!r}: classes: name at least two, each once")
    return [label for label in pool if label in set(wanted)]


def _capped(manifest: Mapping[str, Any], members: list[np.ndarray], part: str) -> list[np.ndarray]:
    cap, seed = manifest["selection"]["cap"], manifest["selection"]["seed"]
    if cap is None:
        return members
    if cap == "second_largest":
        cap = max(1, sorted(map(len, members))[-2])  # a validation part may hold images of one class alone
    elif cap < 1:
        raise Problem(f"view {manifest['view']!r}: cap: {cap}: has to be at least 1, or second_largest")
    pairs = zip(members, manifest["classes"], strict=True)
    return [_draw(rows, cap, seed, f"cap {part}", label) for rows, label in pairs]


def _few(manifest: Mapping[str, Any], members: list[np.ndarray]) -> list[np.ndarray]:
    wanted, seed = manifest["selection"]["per_class"], manifest["selection"]["seed"]
    for rows, label in zip(members, manifest["classes"], strict=True):
        if len(rows) < wanted:
            raise Problem(
                f"view {manifest['view']!r}: per_class: {wanted}: class {label!r} has {len(rows)} "
                "training images; ask for fewer"
            )
    pairs = zip(members, manifest["classes"], strict=True)
    return [_draw(rows, wanted, seed, "per_class", label) for rows, label in pairs]


def _draw(rows: np.ndarray, wanted: int, seed: int, purpose: str, label: str) -> np.ndarray:
    return rows[np.sort(generator(purpose, seed, label).permutation(len(rows))[:wanted])]
