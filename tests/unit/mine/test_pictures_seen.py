"""What is found in pictures that are listed already: parts, sizes, what is odd, and what is refused."""

from typing import ClassVar

import pytest
from data_helpers import JPEG, encoded, picture

from apr.basics.problems import Problem
from apr.data.reading.groups import BY_NUMBER
from apr.data.reading.listing import Item, Listing
from mine import seen as seeing
from mine.layouts import Layout
from mine.seen import seen_in, split_of


class File:
    """Where a picture's bytes come from, noting that they were read."""

    read_so_far: ClassVar[list] = []

    def __init__(self, data):
        self.data = data

    def read(self):
        self.read_so_far.append(self)
        if isinstance(self.data, Exception):
            raise self.data
        return self.data


def layout(counts, parts=(), sizes=((12, 10),), name="{0}{1:c}x", notes=(), hint=None, data=()):
    """So many pictures of each class, in parts by turns, of sizes by turns; the first have other data."""
    pictures = [*map(File, [*data, *(encoded(picture(0, size)) for size in sizes)])]
    items = []
    for label, count in counts.items():
        for number in range(count):
            source = pictures[len(items)] if len(items) < len(data) else pictures[len(data) + len(items) % len(sizes)]
            split = parts[number % len(parts)] if parts else None
            items.append(Item(name.format(label, 0x3B1 + number % 24, number), label, source, split))
    return Layout("f", {"a": 1}, "words", Listing(items, list(counts), group_hint=hint), list(notes))


def refused(found):
    with pytest.raises(Problem) as caught:
        seen_in(found)
    return str(caught.value)


def test_all_that_is_seen(monkeypatch):
    clock = iter([10.0, 10.5])
    monkeypatch.setattr(seeing.time, "perf_counter", lambda: next(clock))
    found = seen_in(layout({"b": 15, "a": 3, "c": 7}, sizes=((12, 10), (20, 30), (15, 11)), notes=["said before"]))
    assert (found.layout, found.format, found.options) == ("words", "f", {"a": 1})
    assert (found.classes, found.per_class, found.count) == (["b", "a", "c"], [15, 3, 7], 25)
    assert (found.parts, found.split) == ({}, {"test_fraction": 0.3, "validation_fraction": 0.15})
    assert (found.sides, found.seconds) == ((10, 12, 30), 0.02)  # the middle of 25 pairs: 10, 11, 12 x 9, 15, …
    unlike = "its largest class holds 15 pictures, its smallest 3: errors say little of small classes"
    assert found.notes[-2:] == ["said before", unlike]
    assert (found.groups, found.handed) == ("", True)  # one letter each


def test_classes_less_unlike_than_five_times_are_not_noted():
    assert not any("largest class" in note for note in seen_in(layout({"dog": 14, "cat": 3})).notes)


def test_some_pictures_are_decoded_of_many():
    File.read_so_far.clear()
    seen_in(layout({"dog": 400, "cat": 205}, sizes=((12, 10), (13, 10))))
    assert len(File.read_so_far) == 200
    assert len(set(File.read_so_far)) == 2  # every third, which are of both sizes
    File.read_so_far.clear()
    seen_in(layout({"dog": 100, "cat": 5}))
    assert len(File.read_so_far) == 105


def test_parts_that_are_shipped_are_kept_and_names_show_nothing_then():
    found = seen_in(layout({"dog": 9, "cat": 9}, ("train", "train", "test"), name="{0}/t{2}_{1:c}.jpg"))
    assert (found.parts, found.split, found.groups) == ({"train": 12, "test": 6}, {"validation_fraction": 0.15}, "")


def test_a_column_that_groups_is_taken_from_the_hint():
    hint = "its column 'p' seems to name it: set split: {by: group}, options: {group: p}"
    found = seen_in(layout({"dog": 9, "cat": 9}, hint=hint, name="{0}/t{2}_{1:c}.jpg"))
    assert found.groups == "split: {by: group}, options: {group: p}"
    assert found.notes[-1] == hint
    assert not any("names seem to show" in note for note in found.notes)


def test_names_that_group_are_shown_by_two_of_one_group():
    counts = {"dog": 24, "cat": 24}
    found = layout(counts)
    items = [
        Item(f"{item.label}/t{number // 3}_{number % 3}.jpg", item.label, item.source)
        for number, item in enumerate(found.listing.items)
    ]
    seen = seen_in(Layout("f", {}, "words", Listing(items, list(counts))))
    assert (
        "names seem to show what belongs together (dog/t0_0.jpg, dog/t0_1.jpg), and the parts are drawn image by image"
        in seen.notes
    )
    assert seen.groups == f"split: {{by: group}}, options: {{group: '{BY_NUMBER}'}}"


@pytest.mark.parametrize(
    ("total", "parts", "wanted"),
    [
        (1333, {}, {"test_fraction": 0.3, "validation_fraction": 0.15}),
        (1600, {}, {"test_fraction": 0.25, "validation_fraction": 0.15}),
        (3999, {}, {"test_fraction": 0.1, "validation_fraction": 0.15}),
        (4000, {}, {"test_fraction": 0.1, "validation_fraction": 0.1}),
        (3000, {"train": 1}, {"validation_fraction": 0.15}),
    ],
)
def test_the_test_part_is_of_400_pictures_but_10_to_30_percent(total, parts, wanted):
    assert split_of([total - 5, 5], parts) == wanted


@pytest.mark.parametrize(
    ("classes", "handed"),
    [
        (["a", "b", "dog", "cat"], False),
        (["a", "b", "c", "dog", "cat"], True),
        (["set/7", "set/42", "set/dog"], True),
        (["set/7", "set/423", "set/dog"], False),
        (["Road Sign 12", "letters-x", "dog"], True),
        (["cleft", "brighter", "dog"], False),
        (["dog", "Turn LEFT", "cat"], True),
        (["dog", "right-hand", "cat"], True),
    ],
)
def test_left_and_right_matter_for_most_signs_or_any_turn(classes, handed):
    assert seeing._handed(classes) == handed


PARTED = "every part needs one of every class, train 2 where validation is drawn from it"
ALONE = "the train, the validation and the test part each need one of every class, so that it takes 3 at least"
LITTLE = {
    "of one class": ({"dog": 3, "cat": 2}, (), f"2 pictures of class 'cat': {ALONE}"),
    "of three": (
        {"dog": 2, "cat": 1, "eel": 2},
        (),
        f"2 pictures of class 'dog' and too few of 2 more classes: {ALONE}",
    ),
    "to train": ({"dog": 3, "cat": 2}, ("train", "test", "train"), f"1 train pictures of class 'cat': {PARTED}"),
    "to validate": (
        {"dog": 3, "cat": 2},
        ("train", "test", "validation"),
        f"0 validation pictures of class 'cat': {PARTED}",
    ),
}


@pytest.mark.parametrize(("counts", "parts", "said"), LITTLE.values(), ids=LITTLE)
def test_too_few_pictures(counts, parts, said):
    assert refused(layout(counts, parts)) == f"DATA holds {said}; add pictures, or take such classes out"


def test_as_many_as_are_needed_suffice():
    assert seen_in(layout({"dog": 3, "cat": 3})).count == 6
    assert seen_in(layout({"dog": 3, "cat": 3}, ("train", "test", "train"))).parts == {"train": 4, "test": 2}
    assert seen_in(layout({"dog": 3, "cat": 3}, ("train", "test", "validation"))).split == {}


def test_several_labels_and_too_many_classes_are_refused():
    found = layout({"dog": 3, "cat": 3})
    listed = [Item(item.name, (item.label,), item.source) for item in found.listing.items]
    several = Layout("f", {}, "words", Listing(listed, ["dog", "cat"]))
    assert (
        refused(several)
        == "DATA has pictures of several labels, which `make mine` does not take; write own.yaml by hand"
    )
    many = {f"c{number}": 3 for number in range(1001)}
    assert refused(layout(many)).startswith(
        "DATA holds 1,001 classes, and each is taken for a class: more than 1,000 are"
    )
    many.popitem()
    assert len(seen_in(layout(many)).classes) == 1000


def test_damaged_pictures_are_counted_and_named():
    gone = OSError(5, "Input/output error")
    said = refused(layout({"dog": 4, "cat": 4}, data=[b"nothing", gone]))
    assert said.startswith("DATA: 2 of 8 pictures that were tried cannot be read: dogαx is not a picture")
    assert said.endswith("dogβx Input/output error; repair or remove these and their like")
    assert seen_in(layout({"dog": 4, "cat": 4}, data=[JPEG])).sides == (10, 11, 12)
