"""The class stands in the file's name."""

from pathlib import Path
from typing import Literal

from apr.basics.problems import Problem
from apr.data.formats.options import listed_values
from apr.data.reading.groups import pattern_with
from apr.data.reading.listing import Item, Listing, Span, in_order
from apr.data.reading.part_names import part_of
from apr.data.reading.parts import PARTS
from apr.data.reading.walking import LeftOut, find_images, named

SHOWN = 10


def read_file_names(
    root: Path,
    *,
    pattern: str,
    unmatched: Literal["error", "ignore"] = "error",
    validation_values: str | list[str] = (),
    classes_order: str | list[str] | None = None,
) -> Listing:
    """Read the class, and optionally part and group, from each file's name.

    Args:
        root: holds the images, at any depth.
        pattern: regular expression searched in the name, or in the path below the root if it holds a slash, with a
            group named `class`, and optionally `split` (train or test, as people call them) and `group`; for example
            `^(?P<class>cat|dog)_`.
        unmatched: "ignore" passes over names that do not match; otherwise they are an error.
        validation_values: value or values of `split` that mean validation; without them, val means test.
        classes_order: see `in_order`.

    Raises:
        Problem: the pattern is faulty, or a name does not match.
    """
    compiled = pattern_with("class", "pattern", pattern)
    left = LeftOut()
    held = set(map(str.lower, listed_values(validation_values)))
    items, odd = [], []
    for path in find_images(root, left):
        name = path.relative_to(root).as_posix()
        match = compiled.search(name if "/" in pattern else path.name)
        if not match or not match["class"]:
            odd.append(name)
            continue
        fields = match.groupdict()
        split = fields.get("split")
        if "split" in fields:
            kind = "validation" if split and split.lower() in held else part_of(split or "")[0]
            if kind not in PARTS:
                raise Problem(
                    f"{path}: its part reads {split!r}; correct options: pattern, so that it is train or test, or name "
                    "it in validation_values"
                )
            split = kind
        items.append(Item(name, fields["class"], Span(path), split, fields.get("group")))
    if odd and unmatched != "ignore":
        raise Problem(
            f"{root}: {len(odd)} images do not match {pattern!r}: {named(odd, SHOWN)}; "
            "widen options: pattern, or set unmatched: ignore"
        )
    left["unmatched"] = len(odd)
    return Listing(items, in_order((item.label for item in items), classes_order), left)
