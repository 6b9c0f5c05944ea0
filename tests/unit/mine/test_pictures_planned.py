"""How much of a user's pictures is taken, and what they are noticed for."""

import pytest
from data_helpers import put

from mine.layouts import recognised
from mine.plans import EPOCHS, FEWEST, plan_of
from mine.seen import Seen, described, seen_in, split_of


def seen(per_class, parts=None, **more):
    classes = [f"c{number}" for number in range(len(per_class))]
    settings = {"layout": "words", "format": "class_folders", "options": {}, "classes": classes, "per_class": per_class}
    settings |= {
        "parts": parts or {},
        "split": split_of(per_class, parts or {}),
        "sides": (32, 32, 32),
        "seconds": 0.001,
    }
    return Seen(**settings | {"notes": [], "groups": "", "handed": False} | more)


def plan(per_class, minutes=10, cores=2, **more):
    return plan_of(seen(per_class), minutes=minutes, cores=cores, architectures=24, **more)


def test_few_pictures_are_all_taken_and_shown_often():
    small = plan([40] * 5)
    assert (small.classes, small.cap) == (None, None)
    assert small.epochs > EPOCHS[0]
    assert small.images == pytest.approx(200 * (1 - 0.3 - 0.15), abs=5)


def test_many_pictures_are_capped_and_it_takes_as_long():
    large = plan([50_000, 10_000, 100])
    assert large.classes is None
    assert 100 < large.cap < 10_000
    assert large.epochs == EPOCHS[0]
    assert large.images < 5_000


def test_of_many_classes_some_are_drawn():
    many = plan([30] * 900)
    assert 2 <= many.classes < 900
    assert many.images >= FEWEST * many.classes / 2


def test_more_minutes_cores_and_trainings_that_are_there_take_more():
    sizes = [5_000] * 10
    base = plan(sizes)
    for more in (plan(sizes, minutes=30), plan(sizes, cores=8), plan(sizes, gpu=True), plan(sizes, trained=True)):
        assert more.images > base.images
    assert plan(sizes, minutes=30).minutes > base.minutes
    assert not base.tuned
    assert plan(sizes, gpu=True).tuned
    assert plan(sizes, gpu=True).resolution is None


def test_pretrained_models_see_pictures_as_finely_as_there_is_time():
    few = plan([20] * 3, minutes=60)
    assert (few.tuned, few.resolution) == (True, None)
    assert few.tuning["epochs"] == 3
    order = [64, 128, None]
    sides = [order.index(plan([300] * 10, minutes=minutes).resolution) for minutes in (1, 10, 60, 600)]
    assert sides == sorted(sides)
    assert sides[0] < sides[-1]


@pytest.mark.parametrize(
    ("count", "parts", "wanted"),
    [
        (300, {}, {"test_fraction": 0.3, "validation_fraction": 0.15}),
        (2_000, {}, {"test_fraction": 0.2, "validation_fraction": 0.15}),
        (90_000, {}, {"test_fraction": 0.1, "validation_fraction": 0.1}),
        (300, {"train": 200, "test": 100}, {"validation_fraction": 0.15}),
        (300, {"train": 200, "test": 50, "validation": 50}, {}),
    ],
)
def test_parts_are_drawn_where_none_are_shipped(count, parts, wanted):
    assert split_of([count], parts) == wanted


NOTICED = {
    "digits": (["0", "1", "2"], "{0}/{1}.jpg", "handed"),
    "letters": (["A", "B", "C"], "{0}/{1}.jpg", "handed"),
    "signs": (["sign 30", "sign 50", "stop_sign"], "{0}/{1}.jpg", "handed"),
    "turns": (["turn_left", "turn_right"], "{0}/{1}.jpg", "handed"),
    "things": (["leftovers", "bright", "ab"], "{0}/{1}.jpg", None),
    "tracks": (["cat", "dog"], "{0}/track{2}_{1}.jpg", "groups"),
}


@pytest.mark.parametrize(("classes", "name", "wanted"), NOTICED.values(), ids=NOTICED)
def test_groups_and_hands_are_noticed(tmp_path, classes, name, wanted):
    put(tmp_path, *(name.format(label, n, n // 3) for label in classes for n in range(12)))
    found = seen_in(recognised(tmp_path))
    assert found.handed == (wanted == "handed")
    assert bool(found.groups) == (wanted == "groups")
    assert any("belongs together" in note for note in found.notes) == (wanted == "groups")


def test_classes_of_unlike_sizes_are_noticed(tmp_path):
    put(tmp_path, *(f"cat/{n}.jpg" for n in range(30)), *(f"dog/{n}.jpg" for n in range(4)))
    found = seen_in(recognised(tmp_path))
    assert [note for note in found.notes if "largest class holds 30" in note]
    said = list(described("pets", found))
    assert said[0] == "pets: 34 pictures of 2 classes (4 to 30 each), read as a folder for each class"
    assert said[2] == "sizes: sides of 10 to 12 pixels, half of them up to 11"
