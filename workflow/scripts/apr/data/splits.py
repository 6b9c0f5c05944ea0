"""Train and test parts where a publisher ships none: stratified, seeded, reproducible."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from apr.basics.problems import Problem
from apr.basics.randomness import generator


def split_by_image(names: Sequence[str], labels: Sequence[str], fraction: float, seed: int) -> np.ndarray:
    """Draw a test part of round(fraction * n) of each class, at least 1 and at most all but 1.

    The draw of a class depends on its own images alone, so that a new class leaves the others as they are.

    Args:
        names: unique name of each image, [N].
        labels: class of each image, [N].
        fraction: share of the test part, between 0 and 1.
        seed: of the draw.

    Returns:
        bool [N], true for the test part.

    Raises:
        Problem: a class has a single image.
    """
    members = _members(labels)
    test = np.zeros(len(names), bool)
    for label, rows in members.items():
        rows = sorted(rows, key=names.__getitem__)
        drawn = generator("split", seed, label).permutation(len(rows))[: _target(len(rows), fraction)]
        test[[rows[i] for i in drawn]] = True
    return test


def split_by_group(labels: Sequence[str], groups: Sequence[str], fraction: float, seed: int) -> np.ndarray:
    """Draw a test part of whole groups (patients, lesions), about `fraction` of each class; no group is in both.

    Groups are taken in random order as long as the class stays within its share, the rarest class first.

    Args:
        labels: class of each image, [N].
        groups: group of each image, [N].
        fraction: share of the test part, between 0 and 1.
        seed: of the draw.

    Returns:
        bool [N], true for the test part.

    Raises:
        Problem: a class has a single image, or its groups cannot be parted.
    """
    members = _members(labels)
    in_group: dict[str, Counter[str]] = defaultdict(Counter)
    for label, group in zip(labels, groups, strict=True):
        in_group[group][label] += 1
    test_groups: set[str] = set()
    decided: set[str] = set()
    for label in sorted(members, key=lambda name: (len(members[name]), name)):
        target = _target(len(members[label]), fraction)
        own = sorted(group for group in in_group if in_group[group][label])
        order = [own[i] for i in generator("split by group", seed, label).permutation(len(own))]
        taken = sum(in_group[group][label] for group in own if group in test_groups)
        for group in (group for group in order if group not in decided):
            if taken + in_group[group][label] <= target:
                test_groups.add(group)
                taken += in_group[group][label]
        free = [group for group in order if group not in decided and group not in test_groups]
        if not taken and free:
            # Every group is larger than the share: the smallest must do.
            test_groups.add(min(free, key=lambda group: in_group[group][label]))
        decided.update(own)
    test = np.array([group in test_groups for group in groups])
    for label, rows in members.items():
        if test[rows].all() or not test[rows].any():
            count = len({groups[row] for row in rows})
            raise Problem(
                f"class {label!r}: its {len(rows)} images in {count} group(s) cannot be divided into train and test "
                "by group; split by image, or leave the class out"
            )
    return test


def _members(labels: Sequence[str]) -> dict[str, list[int]]:
    members: dict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(labels):
        members[label].append(row)
    for label, rows in members.items():
        if len(rows) < 2:
            raise Problem(
                f"class {label!r} has one image, which cannot be both in train and in test: add images, or leave it "
                "out (options: leave_out, where classes are folders)"
            )
    return members


def _target(count: int, fraction: float) -> int:
    return min(max(1, round(fraction * count)), count - 1)
