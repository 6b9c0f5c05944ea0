"""Test and validation parts where a publisher ships none: stratified, seeded, reproducible."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

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
    _need_two(members)
    targets = {label: _target(len(rows), fraction) for label, rows in members.items()}
    return _drawn_images(names, members, targets, "split", seed)


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
    _need_two(members)
    targets = {label: _target(len(rows), fraction) for label, rows in members.items()}
    test = _drawn_groups(labels, groups, members, targets, "split by group", seed)
    for label, rows in members.items():
        if test[rows].all() or not test[rows].any():
            count = len({groups[row] for row in rows})
            raise Problem(
                f"class {label!r}: its {len(rows)} images in {count} group(s) cannot be divided into train and test "
                "by group; split by image, or leave the class out"
            )
    return test


def rows_as_released(labels: Sequence[str], classes: Sequence[str], fraction: float, seed: int) -> list[int]:
    """Draw a test part as the code that Fang et al. 2023 released does for APTOS, Cassava and EuroSAT.

    int(fraction * n) of each class, one class after the other, from one stream of numpy's legacy generator: the result
    hangs on the order of images and classes. Source: mlfoundations/imagenet-applications-transfer 52100273, datasets/.

    Args:
        labels: class of each image, [N], in the publisher's order.
        classes: in their order.
        fraction: share of the test part, between 0 and 1.
        seed: of the stream.

    Returns:
        The rows of the test part in the order in which they are drawn.
    """
    stream, members = np.random.RandomState(seed), _members(labels)
    drawn = [stream.choice(members[label], int(fraction * len(members[label])), replace=False) for label in classes]
    return np.concatenate(drawn).astype(int).tolist()


def folds_as_released(folds: Sequence[tuple[str, int]], fraction: float, seed: int) -> np.ndarray:
    """Draw a test part of whole folds as the same code does for melanoma (datasets/melanoma.py).

    Of each set of folds, in the order of their first images, int((1 - fraction) * n) are drawn for train by one stream
    of numpy's legacy generator.

    Args:
        folds: set and number of each image's fold, [N].
        fraction: share of the folds that are test part, between 0 and 1.
        seed: of the stream.

    Returns:
        bool [N], true for the test part.
    """
    stream = np.random.RandomState(seed)
    train: set[tuple[str, int]] = set()
    for name in dict.fromkeys(name for name, _ in folds):
        numbers = sorted({number for other, number in folds if other == name})
        drawn = stream.choice(numbers, int((1 - fraction) * len(numbers)), replace=False)
        train |= {(name, number) for number in drawn.tolist()}
    return np.array([fold not in train for fold in folds])


def validation_by_image(
    names: Sequence[str], labels: Sequence[str], test: np.ndarray, fraction: float, seed: int
) -> np.ndarray:
    """Draw a validation part of round(fraction * n) of each class, at least 1, from its images outside the test part.

    The last image of a class stays in train: a class of which no other is left has no validation image. The test part
    is the same whether there is a validation part or not.

    Args:
        names: unique name of each image, [N].
        labels: class of each image, [N].
        test: true for the test part, bool [N].
        fraction: share of all images of a class, those of the test part included, between 0 and 1.
        seed: of the draw.

    Returns:
        bool [N], true for the validation part.
    """
    left, targets = _left(labels, test, fraction)
    return _drawn_images(names, left, targets, "validation", seed)


def validation_by_group(
    labels: Sequence[str], groups: Sequence[str], test: np.ndarray, fraction: float, seed: int
) -> np.ndarray:
    """Draw a validation part of whole groups, about `fraction` of each class, from those outside the test part.

    Args:
        labels: class of each image, [N].
        groups: group of each image, [N].
        test: true for the test part, bool [N].
        fraction: share of all images of a class, those of the test part included, between 0 and 1.
        seed: of the draw.

    Returns:
        bool [N], true for the validation part. A class of one group outside the test part has none.

    Raises:
        Problem: a class would be left without a training image.
    """
    left, targets = _left(labels, test, fraction)
    drawn = _drawn_groups(labels, groups, left, targets, "validation by group", seed)
    for label, rows in left.items():
        if drawn[rows].all():
            raise Problem(
                f"class {label!r}: its groups hold images of other classes, and all of them outside the test part "
                f"({len(rows)} images) would go to the validation part, none to train; lower split: "
                "validation_fraction, take another seed, split by image, or leave the class out"
            )
    return drawn


def strata(label_sets: Sequence[tuple[str, ...]]) -> list[str]:
    """What the images of a class are for a draw, where an image may have several labels: the rarest of its labels.

    So that rare labels come into each part. An image alone with its rarest label goes with the most frequent label,
    since nothing can be drawn of one image; where each image has one label, it is that label.
    """
    if all(len(labels) == 1 for labels in label_sets):
        return [label for (label,) in label_sets]
    counts = Counter(label for labels in label_sets for label in labels)
    drawn_by = [min(labels, key=lambda label: (counts[label], label), default="") for labels in label_sets]
    sizes = Counter(drawn_by)
    largest = max(sizes, key=lambda label: (sizes[label], label))
    return [label if sizes[label] > 1 else largest for label in drawn_by]


def _drawn_images(
    names: Sequence[str], members: Mapping[str, list[int]], targets: Mapping[str, int], purpose: str, seed: int
) -> np.ndarray:
    drawn = np.zeros(len(names), bool)
    for label, rows in members.items():
        rows = sorted(rows, key=names.__getitem__)
        chosen = generator(purpose, seed, label).permutation(len(rows))[: targets[label]]
        drawn[[rows[i] for i in chosen]] = True
    return drawn


def _drawn_groups(
    labels: Sequence[str],
    groups: Sequence[str],
    members: Mapping[str, list[int]],
    targets: Mapping[str, int],
    purpose: str,
    seed: int,
) -> np.ndarray:
    """Draw groups of the rows in `members`, until each class has about as many images as `targets` says."""
    in_group: dict[str, Counter[str]] = defaultdict(Counter)
    for label, rows in members.items():
        for row in rows:
            in_group[groups[row]][label] += 1
    drawn: set[str] = set()
    decided: set[str] = set()
    for label in sorted(members, key=lambda name: (len(members[name]), name)):
        own = sorted(group for group in in_group if in_group[group][label])
        order = [own[i] for i in generator(purpose, seed, label).permutation(len(own))]
        taken = sum(in_group[group][label] for group in own if group in drawn)
        for group in (group for group in order if group not in decided):
            if taken + in_group[group][label] <= targets[label]:
                drawn.add(group)
                taken += in_group[group][label]
        free = [group for group in order if group not in decided and group not in drawn]
        if not taken and free and len(own) > 1:
            # Every group is larger than the share: the smallest must do.
            drawn.add(min(free, key=lambda group: in_group[group][label]))
        decided.update(own)
    rows = [row for members_of in members.values() for row in members_of]
    chosen = np.zeros(len(labels), bool)
    chosen[[row for row in rows if groups[row] in drawn]] = True
    return chosen


def _left(labels: Sequence[str], test: np.ndarray, fraction: float) -> tuple[dict[str, list[int]], dict[str, int]]:
    """The rows of each class outside the test part, and how many of them the validation part takes."""
    left, targets = {}, {}
    for label, rows in _members(labels).items():
        left[label] = [row for row in rows if not test[row]]
        targets[label] = max(0, min(max(1, round(fraction * len(rows))), len(left[label]) - 1))
    return left, targets


def _members(labels: Sequence[str]) -> dict[str, list[int]]:
    members: dict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(labels):
        members[label].append(row)
    return members


def _need_two(members: Mapping[str, list[int]]) -> None:
    for label, rows in members.items():
        if len(rows) < 2:
            raise Problem(
                f"class {label!r} has one image, which cannot be both in train and in test: add images, or leave it "
                "out (options: leave_out, where classes are folders)"
            )


def _target(count: int, fraction: float) -> int:
    return min(max(1, round(fraction * count)), count - 1)
