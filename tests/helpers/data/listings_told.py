"""What a reader makes of a small dataset, and says of it, in plain values to compare as text."""

import numpy as np
from data_helpers import encoded, picture

from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.reading.listing import Span
from apr.data.reading.snippets import Channels, Snippet

PNG = encoded(picture(1, (4, 3)).convert("L"), "PNG")


def source(one, root):
    """Where an image comes from, in a few words."""
    if isinstance(one, Span):
        return one.path.relative_to(root).as_posix(), one.offset, one.size
    if isinstance(one, Snippet):
        return one.path.name, one.row, one.column, one.size
    if isinstance(one, Channels):
        return [path.name for path in one.paths]
    return one.shape, int((one.reshape(-1).astype(int) * np.arange(one.size)).sum() % 9973)


def told(root, name, /, **options):
    """The listing of a folder, or why there is none."""
    try:
        found = read_listing(root, name, options)
    except Problem as problem:
        return f"refused: {problem}".replace(str(root), "").replace(str(root.parent), "")
    items = [
        tuple(part for part in (one.name, one.label, source(one.source, root), one.split, one.group, one.fold) if part)
        for one in found.items
    ]
    left = {key: count for key, count in sorted(found.ignored.items()) if count}
    about = {"left": left, "notes": found.ignored.notes, "hint": found.group_hint, "bare": found.ungrouped}
    return found.classes, items, {key: value for key, value in about.items() if value}
