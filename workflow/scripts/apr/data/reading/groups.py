"""Images that belong together (frames of a track, pictures of a patient): given by a pattern, or shown by names."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from apr.basics.problems import Problem
from apr.data.reading.listing import Item
from apr.data.reading.walking import named

BY_NUMBER, BY_FOLDER = r"^(?P<group>.+?)[ _.-]*(frame|img|image|f|t|z)?[ _.-]*\d+\.[^.]+$", "^(?P<group>.+)/"
# Names of copies and of changed pictures: "1 (2).jpg", "1 - Copy.jpg"; "1_flip.png", "1_rot.png".
COPY = r"^(?P<group>.+?)([ _-]*\(\d+\)|[ _-]+[Cc]opy([ _-]*\(?\d+\)?)?)?\.[^.]+$"
CHANGED = r"^(?P<group>.*?\d+)[^/\d]*\.[^.]+$"
FEWEST_GROUPS, LARGEST_GROUP = 3, 200  # of a class, to be taken for groups: two kinds of camera are none
COLUMNS = re.compile(
    r"(patient|subject|lesion|case|study|series|participant|person|individual|animal|specimen|slide|track|video|clip|session|"
    r"sequence|seq|scene|burst|plant|tree|location|site|donor|mouse|group)s?([ _.-]*(id|no|nr|number|name|key))?",
    re.IGNORECASE,
)


def is_pattern(group: str) -> bool:
    """Whether an option `group` is a regular expression rather than the name of a column."""
    return "(?P<group>" in group


def pattern_with(group: str, option: str, text: str) -> re.Pattern[str]:
    """The regular expression that an option gives, which has a group of some name.

    Raises:
        Problem: it is none, or has no such group.
    """
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise Problem(f"options: {option}: {text!r} is not a regular expression ({error})") from error
    if group not in pattern.groupindex:
        raise Problem(f"options: {option}: {text!r} has no group (?P<{group}>...), searched in the path of each image")
    return pattern


def with_groups(items: Sequence[Item], pattern: str) -> list[Item]:
    """Give each image the group that a regular expression finds in its path within the dataset.

    Raises:
        Problem: the pattern is faulty, or finds nothing in a path.
    """
    compiled = pattern_with("group", "group", pattern)
    found, odd = [], []
    for item in items:
        match = compiled.search(item.name)
        if match and match["group"]:
            found.append(replace(item, group=match["group"]))
        else:
            odd.append(item.name)
    if odd:
        raise Problem(
            f"options: group: {pattern!r} finds no group in {len(odd)} of {len(items)} paths ({named(odd)}); widen it, "
            "so that an image of its own is a group, too"
        )
    return found


def group_yaml(option: str) -> str:
    """The YAML that keeps groups whole."""
    return f"split: {{by: group}}, options: {{group: {option}}}"


def shown_groups(items: Iterable[Item]) -> tuple[str, dict[str, str]] | None:
    """Groups that names show: a prefix with a running number, or folders inside the class folders.

    Returns:
        The pattern that finds them, and the group of each image by its name; None where most classes show none.
    """
    names: dict[str, list[str]] = defaultdict(list)
    for item in items:
        names[item.label].append(item.name)
    for pattern in (BY_NUMBER, BY_FOLDER):
        compiled = re.compile(pattern)
        groups = {}
        showing = 0
        for members in names.values():
            keys = {name: match["group"] for name in members if (match := compiled.search(name))}
            groups |= keys
            showing += len(members) * _are_groups(keys, len(members))
        if 2 * showing > sum(map(len, names.values())):
            return pattern, groups
    return None


def uniting_pattern(items: Sequence[Item], pairs: Iterable[tuple[int, int]]) -> str | None:
    """A pattern under which both rows of each pair are of one group, and each class has several groups; None without.

    Args:
        items: all images.
        pairs: rows of images that show the same.
    """
    pairs = list(pairs)
    for pattern in (COPY, CHANGED, BY_NUMBER, BY_FOLDER):
        found = [re.search(pattern, item.name) for item in items]
        if not all(found) or any(found[one]["group"] != found[other]["group"] for one, other in pairs):
            continue
        of: dict[str, set[str]] = defaultdict(set)
        for item, match in zip(items, found, strict=True):
            for label in item.labels:
                of[label].add(match["group"])
        if all(len(groups) >= FEWEST_GROUPS for groups in of.values()):
            return pattern
    return None


def column_hint(columns: dict[str, list[str]]) -> str | None:
    """Say which column of a table seems to name what belongs together.

    Args:
        columns: cells of each column that has another meaning than image, label and part.
    """
    for name, cells in columns.items():
        distinct = len(set(cells))
        if COLUMNS.fullmatch(name) and 1 < distinct < len(cells):
            return (
                f"its column {name!r} seems to name what belongs together ({distinct:,} of {len(cells):,} images), but "
                "the "
                f"test part is drawn image by image: set {group_yaml(name)}"
            )
    return None


def _are_groups(keys: dict[str, str], count: int) -> bool:
    sizes = Counter(keys.values())
    several = [size for size in sizes.values() if size > 1]
    return (
        len(several) >= FEWEST_GROUPS
        and 5 * sum(several) >= 4 * count
        and sorted(several)[len(several) // 2] <= LARGEST_GROUP
    )
