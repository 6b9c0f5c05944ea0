"""Pictures of a colour each, and a table with all labels of an image."""

import numpy as np
import pytest
from data_helpers import encoded, make_zip, picture, real
from packed_sets import pack, said
from PIL import Image
from prepared import REGISTRY, prepare

from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.packed import multi_hot, open_packed
from apr.data.sources.archives import unpack_all

COLOURS = ("red", "green", "blue", "yellow")
NAMES = ["nucleus", "membrane", "golgi"]
TARGETS = {"a-1": "0", "b-2": "2 0", "c-3": "1", "d-4": "1 2", "e-5": "0 1 2", "f-6": "2"}
SPLIT = {"a-1": "train", "b-2": "train", "c-3": "train", "d-4": "val", "e-5": "test", "f-6": "train"}


def gray(seed, size=(8, 6)):
    return picture(seed, size).convert("L")


def table(targets=TARGETS, split=None):
    head = "Id,Target,Split" if split else "Id,Target"
    rows = [f"{image},{own}" + (f",{split[image]}" if split else "") for image, own in targets.items()]
    return "\n".join([head, *rows, ""]).encode()


def atlas(colours=COLOURS, **files):
    """Members of an archive, by their path."""
    members = {
        f"train/{image}_{colour}.png": encoded(gray(10 * row + column), "PNG")
        for row, image in enumerate(TARGETS)
        for column, colour in enumerate(COLOURS)
        if colour in colours
    }
    return members | {"train.csv": table(), "split.csv": table(split=SPLIT)} | files


@pytest.fixture
def read(tmp_path):
    def reads(members=None, **options):
        path = make_zip(tmp_path / "hpa.zip", members or atlas())
        unpack_all([path], tmp_path / "hpa")
        return read_listing(tmp_path / "hpa", "hpa", {"labels": NAMES} | options)

    return reads


def pixels(listing, folder):
    pack(listing, folder)
    packed = open_packed(folder / "set", "pixels")
    names = (folder / "set.files.txt").read_text().splitlines()
    return {name: packed.read(row) for row, name in enumerate(names)}


def test_one_picture_of_three_files(read, tmp_path):
    listing = read(split_table="split.csv", validation_values="val")
    assert listing.classes == NAMES
    assert [(item.name, item.label, item.split) for item in listing.items[:2]] == [
        ("train/a-1", ("nucleus",), "train"),
        ("train/b-2", ("golgi", "nucleus"), "train"),
    ]
    assert any("yellow picture of each image is left out" in note for note in listing.ignored.notes)
    manifest = pack(listing, tmp_path)
    assert manifest["label_sets"] == [[0], [0, 1, 2], [0, 2], [1], [1, 2], [2]]
    assert manifest["per_class"] == {"train": [2, 1, 2], "test": [1, 1, 1], "validation": [0, 1, 1]}
    assert said(manifest, "no validation image of 1 of 3 classes: 'nucleus'")
    packed = open_packed(tmp_path / "set", "pixels")
    names = (tmp_path / "set.files.txt").read_text().splitlines()
    for row, name in enumerate(names):
        first = 10 * list(TARGETS).index(name.removeprefix("train/"))
        levels = np.stack([np.asarray(gray(first + column)) for column in range(3)], axis=-1)
        np.testing.assert_array_equal(packed.read(row), levels)
    hot = multi_hot(packed.index["label"], manifest["label_sets"], 3)
    assert hot[names.index("train/e-5")].tolist() == [1, 1, 1]


def test_yellow_is_added_to_red_and_green(read, tmp_path):
    images = pixels(read(yellow="add"), tmp_path / "out")
    red, green, blue, yellow = (np.asarray(gray(20 + column), int) for column in range(4))
    wanted = np.stack([np.minimum(red + yellow, 255), np.minimum(green + yellow, 255), blue], axis=-1)
    np.testing.assert_array_equal(images["train/c-3"], wanted)
    with pytest.raises(Problem, match=r"pictures of 6 of 6 images are missing: a-1 has no yellow"):
        read(atlas(COLOURS[:3]), yellow="add")


@pytest.mark.parametrize(
    ("files", "options", "says"),
    [
        ({"train.csv": table(TARGETS | {"c-3": "1 3"})}, {}, r"line 4: the label '3' is none of the 3 .* 0 to 2"),
        ({"train.csv": table(TARGETS | {"c-3": "1 1"})}, {}, r"line 4: .*'1 1'; write each label once"),
        ({"train.csv": table(TARGETS | {"c-3": ""})}, {}, r"line 4: column 'Target' is empty"),
        ({"train.csv": table(TARGETS) + b"a-1,1\n"}, {}, r"the image 'a-1' has several rows"),
        ({"train.csv": table(TARGETS | {"g-7": "1"})}, {}, r"1 of 7 images are missing: g-7 has no red, green, blue"),
        ({"test/a-1_red.png": b""}, {}, r"test/a-1_red\.png and train/a-1_red\.png have one name"),
        ({}, {"split_table": "other.csv"}, r"other\.csv: the table is missing; set options: table, split_table"),
        ({}, {"split_table": "split.csv"}, r"line 5: Split says 'val'; set options: train_values, validation_values"),
        (
            {"split.csv": table(TARGETS | {"b-2": "2"}, SPLIT)},
            {"split_table": "split.csv", "validation_values": "val"},
            r"other labels than in the table of images: b-2; take tables of one release",
        ),
        (
            {"train.csv": table(TARGETS | {"g-7": "1"})},
            {"split_table": "split.csv", "validation_values": "val"},
            r"split\.csv: has no row of 1 images: g-7",
        ),
    ],
)
def test_what_does_not_fit_is_named(read, files, options, says):
    with pytest.raises(Problem, match=says):
        read(atlas(**files), **options)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (
            encoded(picture(1, (8, 6)), "PNG"),
            r"\(a-1_green\.png\) is in colour, not the gray picture of one channel\. Rep",
        ),
        (encoded(gray(1, (9, 6)), "PNG"), r"\(a-1_green\.png\) has another size than a-1_red\.png\. Replace"),
        (encoded(gray(1), "PNG")[:60], r"\(a-1_green\.png\) is damaged"),
    ],
)
def test_a_picture_that_is_no_channel_is_named(read, tmp_path, data, says):
    with pytest.raises(Problem, match=says):
        pack(read(atlas() | {"train/a-1_green.png": data}), tmp_path)


def test_sixteen_bits_are_read_by_the_depth_of_all(read, tmp_path):
    members = atlas(COLOURS[:3])
    for name in list(members):
        if name.endswith("_red.png"):
            values = np.asarray(gray(3)).astype(np.uint16) << 4
            members[name] = encoded(Image.fromarray(values), "PNG")
    listing = read(members)
    images = pixels(listing, tmp_path / "out")
    np.testing.assert_array_equal(images["train/a-1"][:, :, 0], np.asarray(gray(3)))


def test_the_entry_has_the_names_and_the_released_split(tmp_path):
    (table_of_all, split_of_all) = real(
        "study_b_tables/hpa_train.csv", "study_b_tables/hpa_split.stratified.small.0.csv"
    )
    ids = [line.split(",")[0] for line in table_of_all.read_text().splitlines()[1:]]
    folder = tmp_path / "hpa"
    (folder / "train").mkdir(parents=True)
    (folder / "train.csv").symlink_to(table_of_all)
    (folder / "split.stratified.small.0.csv").symlink_to(split_of_all)
    for image in ids:
        for colour in COLOURS[:3]:
            (folder / f"train/{image}_{colour}.png").touch()
    listing = read_listing(folder, "hpa", REGISTRY["hpa"]["options"])
    parts = [item.split for item in listing.items]
    assert [parts.count(part) for part in ("train", "validation", "test")] == [22_582, 5_664, 2_826]
    positives = {label: sum(label in item.labels for item in listing.items) for label in listing.classes}
    assert list(positives) == REGISTRY["hpa"]["options"]["labels"]
    counts = list(positives.values())
    assert (counts[0], max(counts)) == (12_885, 12_885)
    assert [counts[number] for number in (8, 9, 10, 15, 27)] == [53, 45, 28, 21, 11]
    rare = [item.split for item in listing.items if "Rods & rings" in item.labels]
    assert [rare.count(part) for part in ("train", "validation", "test")] == [8, 2, 1]


def test_the_slice_lacks_channels_and_says_which(tmp_path):
    unpack_all(real("human-protein-atlas-image-classification.zip"), tmp_path / "hpa")
    with pytest.raises(Problem, match=r"pictures of 50 of 50 images are missing: .* has no red, blue"):
        read_listing(tmp_path / "hpa", "hpa", {"labels": REGISTRY["hpa"]["options"]["labels"], "missing": "keep"})


def test_from_archive_to_manifest(tmp_path):
    number = {name: str(row) for row, name in enumerate(REGISTRY["hpa"]["options"]["labels"])}
    one = number["Golgi apparatus"]
    targets = {image: f"{one} {row}" if row < 3 else one for row, image in enumerate(TARGETS)}
    split = dict(zip(TARGETS, ["train", "train", "train", "val", "test_val", "test_val"], strict=True))
    members = atlas() | {"train.csv": table(targets)}
    del members["split.csv"]
    path = make_zip(tmp_path / "human-protein-atlas-image-classification.zip", members)
    (tmp_path / "split.stratified.small.0.csv").write_bytes(table(targets, split))
    options = {"missing": "keep"}
    _, manifest = prepare(tmp_path, "hpa", [path, tmp_path / "split.stratified.small.0.csv"], options=options)
    assert (manifest["n_train"], manifest["n_validation"], manifest["n_test"]) == (3, 1, 2)
    assert manifest["per_class"]["test"][int(one)] == 2
    assert said(manifest, "no test image of 27 of 28 classes: 'Nucleoplasm', 'Nuclear membrane'")
    assert manifest["converted"] == {"channels_joined": 6}
