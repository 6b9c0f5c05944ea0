"""Pack a dataset once: one file of bytes, an index, and a manifest that says what is in it."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from apr.basics.files import atomic_file, atomic_path, file_digest, write_json
from apr.basics.problems import Problem
from apr.data.encoding import Written, write_images
from apr.data.formats import Item, Listing
from apr.data.likeness import Copies, decoded, find_copies
from apr.data.oddities import all_notes, counted
from apr.data.packed import INDEX, STORAGES, label_counts
from apr.data.reading.parts import PARTS
from apr.data.reading.walking import named
from apr.data.splits import (
    folds_as_released,
    rows_as_released,
    split_by_group,
    split_by_image,
    strata,
    validation_by_group,
    validation_by_image,
)

SHOWN = 20

log = logging.getLogger("apr")


def pack_dataset(
    listing: Listing,
    stem: Path,
    manifest_path: Path,
    *,
    name: str,
    storage: str,
    split: Mapping[str, Any],
    classes: int | None = None,
    about: Mapping[str, Any] | None = None,
    threads: int = 1,
) -> dict[str, Any]:
    """Decode all images and write `<stem>.bin`, `<stem>.index.npy`, `<stem>.files.txt` and the manifest.

    Images stand in the order train, test, validation; by class; by name. The same input gives the same bytes. Mean and
    SD are those of all pixels of the train part, or of the test part where there is no other. Where an image may have
    several labels, the manifest has `label_sets`, the classes of each code in the index, and `per_class` counts the
    images that have a label among theirs. Where images have groups, each name is followed by a tab and its group.

    Args:
        listing: the images.
        stem: where the packed files go.
        manifest_path: where the manifest goes, last of all.
        name: of the dataset.
        storage: "pixels" (raw RGB) or "encoded" (the publisher's own JPEG bytes; anything else as PNG).
        split: test_fraction, seed, by ("image", "group", "released": as the released code of Study B, or "none": all is
            a test set), where the publisher ships none; and validation_fraction (default 0: no validation part is
            drawn).
        classes: how many there should be, if known.
        about: further entries of the manifest (title, licence, home, sources).
        threads: that decode.

    Returns:
        The manifest.

    Raises:
        Problem: unreadable pictures (up to 20 are named), an odd number of classes, a class without train or test
            images, or a disk that does not take the files. Nothing is written then.
    """
    if storage not in STORAGES:
        raise Problem(f"{name}: storage: {storage!r}: pixels or encoded")
    if classes and classes != len(listing.classes):
        raise Problem(
            f"{name}: {classes} classes expected, {len(listing.classes)} found ({', '.join(listing.classes[:SHOWN])}); "
            "correct `classes`, or look at what was unpacked"
        )
    codes = _part_codes(listing, split)
    labels, label_sets = _label_codes(listing)
    keys = list(zip(codes.tolist(), labels.tolist(), (item.name for item in listing.items), strict=True))
    rows = sorted(range(len(keys)), key=keys.__getitem__)
    ordered = [listing.items[row] for row in rows]
    index = np.zeros(len(rows), INDEX)
    index["split"], index["label"] = codes[rows], labels[rows]
    sizes = {part: int((codes == code).sum()) for code, part in enumerate(PARTS)}
    if not sizes["validation"]:
        del sizes["validation"]
    counts = {
        part: label_counts(labels[codes == PARTS.index(part)], len(listing.classes), label_sets) for part in sizes
    }
    if not sizes["test"]:
        raise Problem(f"{name}: its test part is empty: {len(rows):,} images are too few for `split`; add some")
    for part in ("train", "test") if sizes["train"] else ("test",):
        if 0 in counts[part] and not listing.lenient:
            lacking = listing.classes[counts[part].index(0)]
            raise Problem(
                f"{name}: class {lacking!r} has no {part} image; add some, or set options: missing: drop, or keep"
            )
    with ExitStack() as stack:
        # Left in reverse order: the manifest appears when all else is there.
        manifest_part = stack.enter_context(atomic_path(manifest_path))
        files = stack.enter_context(atomic_file(f"{stem}.files.txt"))
        index_part = stack.enter_context(atomic_path(f"{stem}.index.npy"))
        data = stack.enter_context(atomic_file(f"{stem}.bin", "wb"))
        written = write_images(name, ordered, storage, index, data, threads)
        grouped = any(item.group is not None for item in ordered)
        groups = [item.name if item.group is None else item.group for item in ordered]
        files.writelines(
            f"{item.name}\t{group}\n" if grouped else f"{item.name}\n"
            for item, group in zip(ordered, groups, strict=True)
        )
        data.flush()
        copies = _copies(Path(data.name), index, storage, written)
        notes = all_notes(listing, ordered, index, split, written, copies)
        with open(index_part, "wb") as file:
            np.save(file, index, allow_pickle=False)
        mean, sd = _moments(written.histogram)
        manifest = {
            "name": name,
            "classes": listing.classes,
            **({"label_sets": label_sets} if label_sets is not None else {}),
            **{f"n_{part}": size for part, size in sizes.items()},
            "per_class": counts,
            "mean": mean,
            "sd": sd,
            "storage": storage,
            "bin_bytes": int(index["bytes"].sum(dtype=np.uint64)),
            "bin_sha256": written.sha256,
            "index_sha256": file_digest(index_part),
            "sizes": _sizes(index),
            "converted": dict(sorted(written.conversions.items())),
            **({"bits": written.depth.bits()} if written.conversions["sixteen_bit"] else {}),
            "ignored": {reason: count for reason, count in sorted(listing.ignored.items()) if count},
            "ignored_suffixes": dict(sorted(listing.ignored.suffixes.items())),
            "copies": counted(copies, "validation" in sizes),
            "split": _rule(listing.items[0], split),
            "n_groups": len(set(groups)) if grouped else None,
            "notes": notes,
            **(about or {}),
        }
        write_json(manifest_part, manifest)
    for note in notes:
        log.warning("%s: %s", name, note)
    return manifest


def _label_codes(listing: Listing) -> tuple[np.ndarray, list[list[int]] | None]:
    """The code of each image's class, int64 [N], or that of its label set, and the classes of each set."""
    number = {label: code for code, label in enumerate(listing.classes)}
    if not listing.multi_label:
        return np.array([number[item.label] for item in listing.items], np.int64), None
    sets = [tuple(sorted(number[label] for label in item.labels)) for item in listing.items]
    known = {one: code for code, one in enumerate(sorted(set(sets)))}
    return np.array([known[one] for one in sets], np.int64), [list(one) for one in known]


def _copies(path: Path, index: np.ndarray, storage: str, written: Written) -> Copies:
    """Find copies among the images that were written to `path`."""
    stored = np.memmap(path, np.uint8, "r")

    def read(row: int) -> Image.Image:
        offset, size, height, width = (int(index[key][row]) for key in ("offset", "bytes", "height", "width"))
        return decoded(stored[offset : offset + size], height, width, storage)

    return find_copies(written.digests, written.sketches, index["label"], index["split"], read)


def _part_codes(listing: Listing, split: Mapping[str, Any]) -> np.ndarray:
    """The part of each image, as its number in `PARTS`: as shipped, or as drawn."""
    items, by = listing.items, split["by"]
    shipped, fraction = items[0].split is not None, split.get("validation_fraction", 0)
    if shipped:
        codes = np.array([PARTS.index(item.split) for item in items])
    elif by == "none":
        return np.full(len(items), PARTS.index("test"))
    else:
        codes = np.zeros(len(items), int)
    if fraction and (codes == PARTS.index("validation")).any():
        raise Problem(f"split: validation_fraction: {fraction:g}: a validation part is shipped; leave this key out")
    if shipped and not fraction:
        return codes
    drawn = np.flatnonzero(codes == 0)
    of = [items[row] for row in drawn]
    names, seed = [item.name for item in of], split["seed"]
    labels = strata([item.labels for item in of])
    whole = _whole(of, by, listing.ungrouped)
    test = validation = np.zeros(len(of), bool)
    if not shipped:
        if by == "released":
            test = _as_released(listing, split)
        elif whole is not None:
            test = split_by_group(labels, whole, split["test_fraction"], seed)
        else:
            test = split_by_image(names, labels, split["test_fraction"], seed)
    if fraction and whole is not None:
        validation = validation_by_group(labels, whole, test, fraction, seed)
    elif fraction:
        validation = validation_by_image(names, labels, test, fraction, seed)
    codes[drawn[test]], codes[drawn[validation]] = PARTS.index("test"), PARTS.index("validation")
    return codes


def _whole(items: Sequence[Item], by: str, ungrouped: str | None) -> list[str] | None:
    """What a drawn part takes whole, of each image: its group or its fold; None where it takes single images."""
    if by == "group":
        _need_groups(items, ungrouped)
        return [item.group for item in items]
    if by == "released" and items[0].fold is not None:
        return [f"{name}/{number}" for name, number in (item.fold for item in items)]
    return None


def _as_released(listing: Listing, split: Mapping[str, Any]) -> np.ndarray:
    """The test part as the released code draws it, bool [N]: of the images in their order, or of whole folds."""
    items, fraction, seed = listing.items, split["test_fraction"], split["seed"]
    if listing.multi_label:
        raise Problem("split: by: released: draws of each class, and an image may have several labels; split by image")
    if items[0].fold is not None:
        return folds_as_released([item.fold for item in items], fraction, seed)
    test = np.zeros(len(items), bool)
    test[rows_as_released([item.label for item in items], listing.classes, fraction, seed)] = True
    return test


def _need_groups(items: Sequence[Item], ungrouped: str | None) -> None:
    bare = [item.name for item in items if not item.group]
    if not bare:
        return
    if len(bare) == len(items):
        raise Problem("split: by: group: this format gives no group; set options: group, or split by image")
    where = ungrouped or f"{len(bare)} of {len(items)} images have no group: {named(bare)}"
    raise Problem(f"split: by: group: {where}; fill it (an image of its own: its own name), or split by image")


def _rule(item: Item, split: Mapping[str, Any]) -> dict[str, Any]:
    drawn = split.get("validation_fraction", 0) > 0
    if item.split:
        keys = ("validation_fraction", "seed", "by") if drawn else ()
        return {"rule": "shipped", **{key: split[key] for key in keys}}
    if split["by"] == "none":
        return {"rule": "none"}
    return {"rule": "drawn", **split}


def _moments(histogram: np.ndarray) -> tuple[list[float], list[float]]:
    """Mean and SD of each channel in 0..1, from exact counts of its 256 values."""
    values = np.arange(256) / 255
    counts = histogram.sum(axis=1)
    mean = (histogram * values).sum(axis=1) / counts
    sd = np.sqrt((histogram * (values - mean[:, None]) ** 2).sum(axis=1) / counts)
    # Six places: the last bits of a sum may differ between machines.
    return mean.round(6).tolist(), sd.round(6).tolist()


def _sizes(index: np.ndarray) -> dict[str, Any]:
    """Smallest, median and largest height and width, and how many different sizes there are."""
    sizes = {}
    for side in ("height", "width"):
        values = index[side]
        sizes[side] = {"min": int(values.min()), "median": float(np.median(values)), "max": int(values.max())}
    sizes["distinct"] = len(np.unique(index[["height", "width"]]))
    return sizes
