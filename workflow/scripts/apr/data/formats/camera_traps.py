"""Camera traps in COCO's form: JSON files of images, categories and annotations, a part of the dataset each."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from apr.basics.causes import reason
from apr.basics.problems import Problem
from apr.data.formats.options import listed_values
from apr.data.reading.listing import Item, Listing, Span
from apr.data.reading.matching import Files
from apr.data.reading.walking import LeftOut, below, named, pictures_among, walk

KEYS = {"images": ("id", "file_name"), "categories": ("id", "name"), "annotations": ("id", "image_id", "category_id")}


def read_coco_camera_traps(
    root: Path,
    *,
    train: str | list[str],
    test: str | list[str],
    validation: str | list[str] = (),
    categories: list[int],
    leave_out: list[int] = (),
    sample: Literal["image", "annotation"] = "image",
    group: str | None = None,
) -> Listing:
    """Read the JSON files of each part; the images lie anywhere below the root.

    An image has an annotation for each box. With one sample per image, those whose boxes show several categories are
    left out, as no single answer is right for them; with one per annotation, as in the released code of Study B, an
    image counts once for each box.

    Args:
        root: holds JSON files and images.
        train: file or files of the train part, by their path below the root.
        test: of the test part.
        validation: of the validation part.
        categories: numbers of the categories that are classes, in their order.
        leave_out: numbers of the categories whose annotations are passed over, such as that of empty images.
        sample: an image, or an annotation.
        group: key of an image that says what must not be torn apart, such as seq_id or location.

    Raises:
        Problem: a file is missing or is not of this form, an annotation has another category, or an image is missing.
    """
    left = LeftOut()
    there = walk(root, left)
    files = {
        part: listed_values(value)
        for part, value in zip(("train", "test", "validation"), (train, test, validation), strict=True)
    }
    tables = {(part, name): _read(root / name) for part, names in files.items() for name in names}
    pictures = pictures_among(root, there, left, apart=[root / name for _, name in tables])
    found = Files(root, pictures, [path for path in there if path not in set(pictures)])
    names = _names(root, tables, categories)
    items: list[Item] = []
    for (part, name), table in tables.items():
        items += _items(root, root / name, table, names, leave_out, sample, group, part, found, left)
    shown = Counter(item.source.path for item in items)
    if sample == "image" and max(shown.values(), default=0) > 1:
        double = next(one for one, count in shown.items() if count > 1)
        raise Problem(
            f"{root}: the image {below(double, root)} is in several files of annotations; correct options: train, test"
        )
    left["not_in_table"] += max(0, len(pictures) - len(shown))
    return Listing(items, [names[number] for number in categories], left)


def _items(
    root: Path,
    path: Path,
    table: Mapping[str, list[dict[str, Any]]],
    names: Mapping[int, str],
    leave_out: Sequence[int],
    sample: str,
    group: str | None,
    part: str,
    found: Files,
    left: LeftOut,
) -> list[Item]:
    """The images, or annotations, of one file."""
    images = {image["id"]: image for image in table["images"]}
    boxes: dict[Any, list[int]] = defaultdict(list)
    for one in table["annotations"]:
        number, image = one["category_id"], one["image_id"]
        if image not in images:
            raise Problem(f"{path}: annotation {one['id']!r}: there is no image {image!r}; take files of one release")
        if number in leave_out:
            continue
        if number not in names:
            raise Problem(
                f"{path}: annotation {one['id']!r}: its category {number!r} is neither in options: categories nor in "
                "leave_out; add it to one of them"
            )
        boxes[image].append(number)
    left["image_of_other_categories"] += len(images) - len(boxes)
    torn = [image for image, numbers in boxes.items() if len(set(numbers)) > 1] if sample == "image" else []
    if torn:
        left["several_categories"] += len(torn)
        left.note(
            f"{path}: {len(torn):,} of {len(boxes):,} images have boxes of several categories and are left out: "
            f"{named(images[image]['file_name'] for image in torn)}; with options: sample: annotation each box counts"
        )
    kept = [image for image in boxes if image not in set(torn)]
    files = found.match_all(path, {row: images[image]["file_name"] for row, image in enumerate(kept)}, False, left)
    items = []
    for row, image in enumerate(kept):
        file, belongs = files[row], _group(path, images[image], group)
        name = below(file, root)
        if sample == "image":
            items.append(Item(name, names[boxes[image][0]], Span(file), part, belongs))
            continue
        size = file.stat().st_size  # said, since a file counts once unless it is a span
        items += [
            Item(f"{name}#{box}", names[number], Span(file, 0, size), part, belongs)
            for box, number in enumerate(boxes[image])
        ]
    return items


def _names(root: Path, tables: Mapping[Any, Mapping[str, list]], categories: Sequence[int]) -> dict[int, str]:
    """The name of each category that is a class."""
    known = {one["id"]: str(one["name"]) for table in tables.values() for one in table["categories"]}
    lacking = [number for number in categories if number not in known]
    if lacking:
        there = ", ".join(f"{number} {name}" for number, name in sorted(known.items()))
        raise Problem(f"{root}: options: categories: there is no category {lacking[0]} ({there}); correct it")
    names = {number: known[number] for number in categories}
    if len(set(names.values())) < len(categories):
        raise Problem(f"{root}: options: categories: {list(categories)}: name each category once")
    return names


def _group(path: Path, image: Mapping[str, Any], group: str | None) -> str | None:
    if group is None:
        return None
    if image.get(group) in (None, ""):
        raise Problem(f"{path}: image {image['id']!r} has no {group!r}; correct options: group, or leave it out")
    return str(image[group])


def _read(path: Path) -> dict[str, list[dict[str, Any]]]:
    """A file of annotations, whose entries have the keys that are read."""
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise Problem(f"{path}: cannot be read ({error.strerror}); correct options: train, test, validation") from error
    except (ValueError, RecursionError) as error:
        raise Problem(f"{path}: is not JSON ({reason(error)}); fetch it again") from error
    for kind, keys in KEYS.items():
        entries = value.get(kind) if isinstance(value, dict) else None
        if not isinstance(entries, list):
            raise Problem(f"{path}: has no list of {kind}; is it of camera traps in COCO's form?")
        for entry in entries:
            if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str | int) for key in keys):
                raise Problem(f"{path}: one of its {kind} lacks {', '.join(keys)}: {str(entry)[:100]}")
    return value
