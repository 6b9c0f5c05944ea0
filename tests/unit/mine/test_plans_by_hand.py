"""Plans of pictures, worked out by hand: seconds, images and what is left out."""

import pytest
from test_pictures_planned import seen

from mine import plans
from mine.plans import Plan, plan_of

DRAWN = {"test_fraction": 0.25, "validation_fraction": 0.15}
TUNED = {"epochs": 3, "grid": {"lr": [0.005, 0.02]}}
QUARTER = {"validation_fraction": 0.25}


def plan(per_class, parts, split, seconds, minutes, cores, architectures, **more):
    found = seen(per_class, parts, split=split, seconds=seconds)
    return plan_of(found, minutes=minutes, cores=cores, architectures=architectures, **more)


def test_seconds_by_hand():
    """Pages and runs take 150 + 24 s, so that the least of 60 s is left, half of it for 24 trainings.

    They show 30 / 24 / 0.0008 = 1562.5 images, eight epochs of 195; of 0.6 of each class, a cap of 79 takes 18 + 18 +
    2 x 79 = 194. Probes see two thirds as many more to test: 68 s at full size, 3 x (5 + 0.012 x 323) = 26.6 s at 128
    pixels. With 24 x 8 x 194 x 0.0008 = 29.8 s and 6.3 s of decoding it is 236.7 s.
    """
    found = plan([30, 5000, 30, 1200], None, DRAWN, 0.001, 1, 1, 24, trained=True)
    assert found == Plan(None, 79, 8, 16, 128, False, {}, 194, 4)


# As above: half of what is left trains, the other half holds the first of the ways of pretrained models that fits.
PLANS = {
    "by many runs": (
        ([7, 5000], None, {"test_fraction": 0.25, "validation_fraction": 0.1}, 0.25, 30, 4, 500),
        {},
        Plan(None, 984, 8, 32, 128, True, TUNED, 989, 25),
    ),
    "on a GPU": (
        ([1200, 400, 5000, 1200], {"train": 4680, "test": 3120}, QUARTER, 0.25, 30, 3, 10),
        {"gpu": True},
        Plan(None, None, 40, 64, None, True, {}, 3510, 34),
    ),
    "some of the classes": (
        ([40] * 50, None, {"test_fraction": 0.5, "validation_fraction": 0.15}, 0.001, 1, 4, 10),
        {},
        Plan(39, 12, 8, 32, 64, False, {}, 468, 2),
    ),
    "two classes at least": (
        ([6] * 50, {"train": 180, "test": 120}, QUARTER, 0.25, 1, 1, 500),
        {},
        Plan(2, None, 12, 2, 128, True, TUNED, 6, 17),
    ),
    "a small class": (
        ([3, 90], {"train": 55, "test": 38}, QUARTER, 0.001, 1, 16, 500),
        {},
        Plan(None, 12, 8, 2, 128, True, TUNED, 14, 1),
    ),
    "probed at full size": (
        ([10] * 90, {"train": 540, "test": 360}, QUARTER, 0.001, 5, 3, 10),
        {},
        Plan(None, None, 40, 32, None, False, {}, 450, 4),
    ),
}


@pytest.mark.parametrize(("asked", "more", "wanted"), PLANS.values(), ids=PLANS)
def test_plans(asked, more, wanted):
    assert plan(*asked, **more) == wanted


@pytest.mark.parametrize(("images", "batch"), [(49, 2), (50, 16), (299, 16), (300, 32), (1999, 32), (2000, 64)])
def test_steps_hold_more_images_where_there_are_more(images, batch):
    found = plan([2 * images], None, {"test_fraction": 0.5}, 0.001, 600, 2, 4)
    assert (found.images, found.batch) == (images, batch)


def test_seconds_of_pretrained_models():
    """Three models; each takes 5 s of regression and each image its seconds, once and by what is tested, or tuned."""
    found = [plans._seconds(side, 1000, 0.5, passes) for side, passes in ((None, 0), (128, 18), (64, 0))]
    assert found == pytest.approx([3 * (5 + 82.5), 3 * (5 + 234), 3 * (5 + 6)])


@pytest.mark.parametrize(
    ("counts", "most", "cap"),
    [([5, 3], 8, None), ([5, 3], 7, 4), ([9, 9, 1], 7, 3), ([9, 9, 1], 8, 3), ([9, 9, 1], 9, 4), ([4, 4], 1, 1)],
)
def test_the_cap_is_the_largest_that_stays_within(counts, most, cap):
    assert plans._cap(counts, most) == cap


def test_classes_that_just_have_their_dozen_of_images_all_stay():
    """600 s are left of 13 min, half of them shows 37,500 images to 10 networks: 4,687, 390 classes of twelve."""
    for classes, drawn in ((390, None), (391, 390)):
        found = plan([50] * classes, None, DRAWN, 0, (600 + 160) / 60, 1, 10, trained=True)
        assert found.classes == drawn
