import csv
import gzip
import hashlib
from collections import Counter

import numpy as np
import pytest
from data_helpers import real, refused_as

from apr.basics.problems import Problem
from apr.basics.randomness import generator
from apr.data.formats import Listing
from apr.data.packing import pack_dataset
from apr.data.reading.listing import Item
from apr.data.splits import (
    folds_as_released,
    rows_as_released,
    split_by_group,
    split_by_image,
    validation_by_group,
    validation_by_image,
)

LABELS = ["a"] * 100 + ["b"] * 24 + ["c"] * 2
NAMES = [f"{label}/{row:04d}" for row, label in enumerate(LABELS)]


def in_test(labels, test):
    return Counter(label for label, chosen in zip(labels, test, strict=True) if chosen)


def test_each_class_gives_its_tenth_and_keeps_one():
    assert in_test(LABELS, split_by_image(NAMES, LABELS, 0.1, 0)) == {"a": 10, "b": 2, "c": 1}
    assert in_test(LABELS, split_by_image(NAMES, LABELS, 0.99, 0)) == {"a": 99, "b": 23, "c": 1}


def test_the_seed_decides_and_nothing_else():
    test = split_by_image(NAMES, LABELS, 0.1, 0)
    np.testing.assert_array_equal(split_by_image(NAMES, LABELS, 0.1, 0), test)
    assert not np.array_equal(split_by_image(NAMES, LABELS, 0.1, 1), test)
    order = np.random.default_rng(0).permutation(len(NAMES))
    shuffled = split_by_image([NAMES[i] for i in order], [LABELS[i] for i in order], 0.1, 0)
    np.testing.assert_array_equal(shuffled, test[order])


def test_a_new_class_leaves_the_others_alone():
    more = split_by_image([*NAMES, "d/1", "d/2"], [*LABELS, "d", "d"], 0.1, 0)
    np.testing.assert_array_equal(more[: len(NAMES)], split_by_image(NAMES, LABELS, 0.1, 0))


def test_a_class_with_one_image_is_named():
    alone = (
        "class 'c' has one image, which cannot be both in train and in test: add images, or leave it out (options: "
        "leave_out, where classes are folders)"
    )
    with refused_as(alone):
        split_by_image(["1", "2", "3"], ["a", "a", "c"], 0.1, 0)
    with refused_as(alone):
        split_by_group(["a", "a", "c"], ["1", "2", "3"], 0.1, 0)


def test_groups_stay_whole():
    rng = np.random.default_rng(0)
    groups = [f"g{rng.integers(40)}{label}" for label in LABELS[:-2]] + ["x", "y"]
    test = split_by_group(LABELS, groups, 0.1, 0)
    assert not {g for g, t in zip(groups, test, strict=True) if t} & {
        g for g, t in zip(groups, test, strict=True) if not t
    }
    chosen = in_test(LABELS, test)
    assert 5 <= chosen["a"] <= 10
    assert chosen["c"] == 1
    assert not np.array_equal(split_by_group(LABELS, groups, 0.1, 1), test)


def test_groups_that_cannot_be_parted():
    with refused_as(
        "class 'b': its 3 images in 1 group(s) cannot be divided into train and test by group; split by image, or "
        "leave the class out"
    ):
        split_by_group(["a", "a", "b", "b", "b"], ["1", "2", "3", "3", "3"], 0.1, 0)
    # r has the fewest images and takes one of its groups; s lies in one of them whole: it goes along, or stays behind
    for seed in range(4):
        with pytest.raises(Problem, match=r"^class 's': its 3 images in 1 group\(s\) cannot be divided"):
            split_by_group(["r", "r", "s", "s", "s"], ["1", "2", "1", "1", "1"], 0.4, seed)


def test_large_groups_still_give_a_test_part():
    test = split_by_group(["a"] * 20, ["1"] * 12 + ["2"] * 8, 0.1, 0)
    assert in_test(["a"] * 20, test) == {"a": 8}


def test_real_lesions_are_not_torn_apart():
    with open(*real("HAM10000_metadata.csv"), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    labels, lesions = [row["dx"] for row in rows], [row["lesion_id"] for row in rows]
    test = split_by_group(labels, lesions, 0.1, 0)
    torn = {g for g, t in zip(lesions, test, strict=True) if t} & {
        g for g, t in zip(lesions, test, strict=True) if not t
    }
    assert not torn
    for label, count in Counter(labels).items():
        assert abs(in_test(labels, test)[label] - 0.1 * count) <= max(2, 0.02 * count)
    by_image = split_by_image([row["image_id"] for row in rows], labels, 0.1, 0)
    assert {g for g, t in zip(lesions, by_image, strict=True) if t} & {
        g for g, t in zip(lesions, by_image, strict=True) if not t
    }


def test_generator_depends_on_its_key_alone():
    assert generator("a", 1).integers(1 << 60) == generator("a", 1).integers(1 << 60)
    assert len({generator(*key).integers(1 << 60).item() for key in (("a", 1), ("a", 2), ("b", 1), ("a1",))}) == 4


def test_a_group_that_fills_the_share_is_taken():
    test = split_by_group(
        ["a"] * 10, ["1"] * 5 + ["2"] * 5, 0.5, 0
    )  # a share of 5: one whole group, whichever is first
    assert in_test(["a"] * 10, test) == {"a": 5}
    singles = split_by_group(["a"] * 10, [str(i) for i in range(10)], 0.3, 0)
    assert in_test(["a"] * 10, singles) == {"a": 3}


def test_the_rarest_class_chooses_first():
    # Two images of r alone in groups with images of f: whatever f would take, r has its one of two.
    labels = ["f"] * 100 + ["r"] * 4
    groups = [f"g{i}" for i in range(100)] + ["g0", "g1", "g2", "g3"]
    for seed in range(10):
        assert in_test(labels, split_by_group(labels, groups, 0.25, seed))["r"] == 1


def by_part(labels, test, validation):
    parts = np.where(validation, "validation", np.where(test, "test", "train"))
    return {part: Counter(np.array(labels)[parts == part].tolist()) for part in ("train", "test", "validation")}


def test_a_validation_part_is_cut_out_of_train_alone():
    test = split_by_image(NAMES, LABELS, 0.1, 0)
    validation = validation_by_image(NAMES, LABELS, test, 0.2, 0)
    assert not (test & validation).any()
    assert by_part(LABELS, test, validation) == {
        "train": {"a": 70, "b": 17, "c": 1},  # c has two images: one of them is the test part's
        "test": {"a": 10, "b": 2, "c": 1},
        "validation": {"a": 20, "b": 5},
    }
    assert not np.array_equal(validation_by_image(NAMES, LABELS, test, 0.2, 1), validation)
    order = np.random.default_rng(0).permutation(len(NAMES))
    shuffled = [NAMES[i] for i in order], [LABELS[i] for i in order], test[order]
    np.testing.assert_array_equal(validation_by_image(*shuffled, 0.2, 0), validation[order])
    more = validation_by_image([*NAMES, "d/1"], [*LABELS, "d"], np.append(test, False), 0.2, 0)
    np.testing.assert_array_equal(more, np.append(validation, False))  # the only image of d stays in train


def test_no_group_is_in_two_of_three_parts():
    rng = np.random.default_rng(0)
    groups = [f"g{rng.integers(40)}{label}" for label in LABELS[:-2]] + ["x", "y"]
    test = split_by_group(LABELS, groups, 0.1, 0)
    validation = validation_by_group(LABELS, groups, test, 0.2, 0)
    codes = test + 2 * validation
    assert len({(group, code) for group, code in zip(groups, codes.tolist(), strict=True)}) == len(set(groups))
    found = by_part(LABELS, test, validation)
    assert 15 <= found["validation"]["a"] <= 20
    assert found["validation"]["c"] == 0
    assert not np.array_equal(validation_by_group(LABELS, groups, test, 0.2, 1), validation)
    large = validation_by_group(["a"] * 20, ["1"] * 12 + ["2"] * 8, np.zeros(20, bool), 0.1, 0)
    assert large.sum() == 8  # each group is larger than the share: the smaller one is taken


def test_a_class_that_validation_leaves_without_a_training_image_is_named():
    # the rarer class r chooses first, and all images of s are in one of its two groups
    labels, groups = ["r", "r", "s", "s", "s"], ["1", "2", "1", "1", "1"]
    with refused_as(
        "class 's': its groups hold images of other classes, and all of them outside the test part (3 images) would go "
        "to the validation part, none to train; lower split: validation_fraction, take another seed, split by image, "
        "or leave the class out"
    ):
        [validation_by_group(labels, groups, np.zeros(5, bool), 0.4, seed) for seed in range(20)]


# --- as the code released with Fang et al. 2023 draws


def starts(texts, sign, digest):
    return hashlib.sha256(sign.join(texts).encode()).hexdigest().startswith(digest)


@pytest.mark.parametrize(
    ("table", "image", "label", "counts", "first", "digest"),
    [
        (
            "aptos_train.csv",
            "id_code",
            "diagnosis",
            [361, 74, 199, 38, 59],
            ["73a07e2ea23e", "f7116e7b2f4e", "a6356a3c5d11"],
            "c746b311aab019d2",
        ),
        (
            "cassava_train.csv",
            "image_id",
            "label",
            [217, 437, 477, 2631, 515],
            ["1094295442.jpg", "3968083899.jpg", "2150625929.jpg"],
            "ddb8d5250e3fc34b",
        ),
    ],
)
def test_the_released_splits_of_tables(table, image, label, counts, first, digest):
    with open(*real(f"study_b_tables/{table}"), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    drawn = rows_as_released([row[label] for row in rows], list("01234"), 0.2, 414)
    assert Counter(rows[row][label] for row in drawn) == dict(zip("01234", counts, strict=True))
    names = [rows[row][image] for row in drawn]
    assert names[:3] == first
    assert len(set(names)) == sum(counts)
    assert starts(sorted(names), "\n", digest)


def test_the_released_split_of_eurosat():
    with gzip.open(*real("study_b_tables/eurosat_rgb_files.csv.gz"), "rt", encoding="utf-8") as file:
        labels = [row["file"].split("/")[0] for row in sorted(csv.DictReader(file), key=lambda row: row["file"])]
    drawn = rows_as_released(labels, sorted(set(labels)), 0.2, 42)
    assert (len(labels), len(set(drawn)), drawn[:5]) == (27_000, 5_400, [1801, 1190, 1817, 251, 2505])
    assert starts(map(str, sorted(drawn)), ",", "c3416cc34620e8f2")


def test_released_folds_are_drawn_by_one_stream():
    folds = [(name, number % count) for name, count in (("2020", 15), ("2019", 30)) for number in range(90)]
    test = folds_as_released(folds, 0.2, 23)
    # the released lines, on numpy's global state
    np.random.seed(23)  # noqa: NPY002
    wanted = set()
    for name in ("2020", "2019"):
        there = {number for other, number in folds if other == name} | {-1}
        there = [number for number in there if number >= 0]
        train = np.random.choice(there, size=int(0.8 * len(there)), replace=False).tolist()  # noqa: NPY002
        wanted |= {(name, number) for number in there if number not in train}
    assert len(wanted) == 3 + 6
    assert {fold for fold, chosen in zip(folds, test, strict=True) if chosen} == wanted
    assert {fold for fold, chosen in zip(folds, test, strict=True) if not chosen} == set(folds) - wanted


def packed_parts(items, classes, tmp_path, **split):
    """The names in each part."""
    split = {"by": "released", "test_fraction": 0.2, "seed": 414} | split
    place = (tmp_path / "set", tmp_path / "set.json")
    pack_dataset(Listing(items, classes), *place, name="set", storage="pixels", split=split)
    names = [line.partition("\t")[0] for line in (tmp_path / "set.files.txt").read_text().splitlines()]
    codes = np.load(tmp_path / "set.index.npy")["split"].tolist()
    return [[name for name, code in zip(names, codes, strict=True) if code == part] for part in range(3)]


def test_packing_draws_as_released_from_the_images_in_their_order(tmp_path):
    pixels = np.zeros((2, 2), np.uint8)
    labels = ["b" if row % 3 else "a" for row in range(60)]
    items = [Item(f"{97 * row % 60:02d}", label, pixels) for row, label in enumerate(labels)]
    train, test, validation = packed_parts(items, ["b", "a"], tmp_path, validation_fraction=0.1)
    assert sorted(test) == sorted(items[row].name for row in rows_as_released(labels, ["b", "a"], 0.2, 414))
    assert (len(train), len(test), len(validation)) == (42, 12, 6)
    several = [Item(item.name, (item.label,), pixels) for item in items]
    with pytest.raises(Problem, match="by: released: draws of each class, and an image may have several labels"):
        packed_parts(several, ["b", "a"], tmp_path)


def test_packing_keeps_released_folds_whole(tmp_path):
    pixels = np.zeros((2, 2), np.uint8)
    items = [
        Item(f"{row:03d}", "ab"[row % 2], pixels, fold=("new" if row < 100 else "old", row % 10)) for row in range(200)
    ]
    parts = packed_parts(items, ["a", "b"], tmp_path, seed=23, validation_fraction=0.1)
    folds = [{items[int(name)].fold for name in names} for names in parts]
    assert [len(part) for part in folds] == [14, 4, 2]
    assert len(set.union(*folds)) == 20
    test = folds_as_released([item.fold for item in items], 0.2, 23)
    assert {int(name) for name in parts[1]} == set(np.flatnonzero(test).tolist())
