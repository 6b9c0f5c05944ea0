"""What is said of a dataset when it is packed: copies, torn groups, dark pictures, few test images."""

import io
import json
import logging
import re

import numpy as np
import pytest
from data_helpers import class_folders, encoded, picture, put, real
from packed_sets import deep, pack, said
from PIL import Image

from apr.basics.problems import Problem
from apr.data.formats import Listing, read_listing
from apr.data.packed import open_packed
from apr.data.reading.groups import shown_groups
from apr.data.reading.listing import Item
from apr.data.reading.snippets import Snippet
from apr.data.sources.archives import unpack_all

# --- copies


@pytest.mark.parametrize("storage", ["pixels", "encoded"])
def test_identical_pictures_across_parts_and_under_two_labels(tmp_path, storage, caplog):
    for number in range(4):
        for label, start in (("cat", 0), ("dog", 50)):
            data = encoded(picture(start + number, (40, 40)), "PNG")
            put(tmp_path / "in", f"train/{label}/{number}.png", data=data)
            put(
                tmp_path / "in",
                f"test/{label}/{number}.png",
                data=data if number < 2 else encoded(picture(900 + number + start)),
            )
    put(tmp_path / "in", "train/dog/twin.png", data=encoded(picture(0, (40, 40)), "PNG"))
    put(tmp_path / "in", "train/cat/again.png", data=encoded(picture(3, (40, 40)), "PNG"))
    with caplog.at_level(logging.WARNING, "apr"):
        manifest = pack(read_listing(tmp_path / "in", "split_folders"), tmp_path, storage)
    assert manifest["copies"] == {"test_in_train": 4, "two_labels": 1, "within": 1, "near_test_in_train": 0}
    note = said(manifest, "pixel by pixel")
    assert note.startswith("4 of 8 test images are also in train")
    assert "test/cat/0.png = train/cat/0.png" in note
    assert "as it was shipped" in note
    assert "train/cat/0.png (cat) = train/dog/twin.png (dog)" in said(manifest, "two labels")
    assert all(note in caplog.text for note in manifest["notes"])


def test_copies_across_a_drawn_split_say_how_to_mend_it(tmp_path):
    for label, start in (("cat", 0), ("dog", 50)):
        for number in range(4):
            data = encoded(picture(start + number, (40, 40)), "PNG")
            put(tmp_path / "in", f"{label}/{number}.png", f"{label}/{number} - Copy.png", data=data)
    manifest = pack(read_listing(tmp_path / "in", "class_folders"), tmp_path)
    assert manifest["copies"]["test_in_train"] == 2
    note = said(manifest, "pixel by pixel")
    assert "split: {by: group}, options: {group: '" in note
    group = {"group": note.split("group: '")[1].split("'}")[0]}
    whole = pack(read_listing(tmp_path / "in", "class_folders", group), tmp_path, by="group")
    assert whole["copies"]["test_in_train"] == 0
    assert whole["n_groups"] == 8


@pytest.mark.parametrize("change", ["jpeg", "smaller", "brighter"])
def test_near_copies_across_parts(tmp_path, change):
    rng = np.random.default_rng(0)
    items = []
    for number in range(60):
        small = Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8))
        image = small.resize((96, 96), Image.Resampling.BICUBIC)
        items.append(Item(f"train/{number:02d}", "ab"[number % 2], np.asarray(image), "train"))
        if number < 6:
            near = {
                "jpeg": lambda image: Image.open(io.BytesIO(encoded(image, quality=60))),
                "smaller": lambda image: image.resize((70, 80)),
                "brighter": lambda image: image.point(lambda value: min(255, value + 6)),
            }[change](image)
            items.append(Item(f"test/{number:02d}", "ab"[number % 2], np.asarray(near), "test"))
        else:
            other = Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8)).resize((96, 96))
            items.append(Item(f"test/{number:02d}", "ab"[number % 2], np.asarray(other), "test"))
    manifest = pack(Listing(items, ["a", "b"]), tmp_path)
    assert manifest["copies"]["test_in_train"] == 0
    assert manifest["copies"]["near_test_in_train"] == 6
    assert "test/00 = train/00" in said(manifest, "nearly equal")


def test_pictures_that_are_merely_plain_are_no_copies(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.integers(100, 104, (80, 32, 32, 3)).astype(np.uint8)
    items = [Item(f"{n:02d}", "ab"[n % 2], values[n], "train" if n < 40 else "test") for n in range(80)]
    assert set(pack(Listing(items, ["a", "b"]), tmp_path)["copies"].values()) == {0}


def test_real_datasets_raise_no_false_alarm(tmp_path):
    unpack_all(real("powerline.zip"), tmp_path / "power")
    listing = read_listing(tmp_path / "power", "file_names", {"pattern": r"^(VL|IR)[ _]+(?P<class>TV|TY)[ _]"})
    assert shown_groups(listing.items) is None
    unpack_all(real("intel-image-classification.zip"), tmp_path / "natural")
    listing = read_listing(tmp_path / "natural", "split_folders", {"train": "seg_train", "test": "seg_test"})
    manifest = pack(listing, tmp_path)
    assert set(manifest["copies"].values()) == {0}
    assert len(manifest["notes"]) == 1
    assert "holds 180 images" in manifest["notes"][0]


# --- groups


def tracks(root, name="{track:05d}_{frame:05d}.png", count=6, frames=5):
    for label, start in (("stop", 0), ("yield", 500)):
        for track in range(count):
            for frame in range(frames):
                data = encoded(picture(start + 10 * track + frame), "PNG")
                put(root, f"{label}/{name.format(track=track, frame=frame)}", data=data)
    return root


@pytest.mark.parametrize(
    "name",
    [
        "{track:05d}_{frame:05d}.png",
        "IMG_{track:04d}_frame{frame}.png",
        "patient{track}-{frame}.png",
        "v_g{track:02d}_c01.f{frame:03d}.png",
        "subject {track}/{frame}.png",
    ],
)
def test_groups_that_names_show_are_said_with_the_line_that_keeps_them_whole(tmp_path, name):
    manifest = pack(read_listing(tracks(tmp_path / "in", name), "class_folders"), tmp_path, test_fraction=0.2)
    note = said(manifest, "seems to belong with")
    assert note.startswith("12 of 12 test images have one in train")
    assert "split: {by: group}, options: {group: '" in note
    pattern = note.split("group: '")[1].split("'}")[0]
    listing = read_listing(tmp_path / "in", "class_folders", {"group": pattern})
    torn = pack(listing, tmp_path, test_fraction=0.2)
    assert torn["n_groups"] == 12
    assert "of the same group" in said(torn, "split: {by: group}")
    whole = pack(listing, tmp_path, test_fraction=0.2, by="group")
    assert not said(whole, "in train")
    assert whole["per_class"]["test"] == [5, 5]


@pytest.mark.parametrize(
    "name", ["cat.{number}.png", "{number:04d}.png", "n01440764_{number}.png", "VL _ {number:04d}.png"]
)
def test_plain_running_numbers_are_no_groups(tmp_path, name):
    items = [
        Item(f"{label}/{name.format(number=n)}", label, np.zeros((1, 1), np.uint8)) for label in "ab" for n in range(99)
    ]
    assert shown_groups(items) is None


def test_groups_torn_by_a_publisher_are_said_honestly(tmp_path):
    for number, path in enumerate(sorted(tracks(tmp_path / "all").rglob("*.png"))):
        part = "test" if number % 5 == 0 else "train"
        put(tmp_path / "in", f"{part}/{path.parent.name}/{path.name}", data=path.read_bytes())
    note = said(pack(read_listing(tmp_path / "in", "split_folders"), tmp_path), "seems to belong with")
    assert note.startswith("12 of 12 test images")
    assert "as it was shipped" in note


def test_a_column_that_names_groups_is_said(tmp_path):
    rows = [f"p{n}.png,{'cat' if n % 2 else 'dog'},L{n // 4}" for n in range(24)]
    put(tmp_path / "in", *(f"p{n}.png" for n in range(24)))
    (tmp_path / "in" / "t.csv").write_text("\n".join(["image,label,lesion_id", *rows]))
    options = {"table": "t.csv", "image": "image", "label": "label"}
    note = said(pack(read_listing(tmp_path / "in", "csv_labels", options), tmp_path), "lesion_id")
    assert "6 of 24 images" in note
    assert "split: {by: group}, options: {group: lesion_id}" in note
    by_pattern = read_listing(tmp_path / "in", "csv_labels", options | {"group": r"p(?P<group>\d)"})
    assert {item.group for item in by_pattern.items} == set("0123456789")


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", r"^options: group: '\(' is not a regular expression \(missing \), .*\)$"),
        ("cat", r"^options: group: 'cat' has no group \(\?P<group>\.\.\.\), searched in the path of each image$"),
        (
            r"(?P<group>x\d)",
            r"^options: group: '.*' finds no group in 60 of 60 paths \(stop/00000_00000\.png, .* and 57 more\); "
            "widen it, so that an image of its own is a group, too$",
        ),
    ],
)
def test_a_bad_pattern_of_groups_is_named(tmp_path, pattern, words):
    with pytest.raises(Problem, match=words):
        read_listing(tracks(tmp_path), "class_folders", {"group": pattern})


# --- values


@pytest.mark.parametrize(("highest", "bits"), [(200, 8), (1000, 10), (4095, 12), (16383, 14), (20000, 16), (65535, 16)])
def test_one_depth_holds_for_all_sixteen_bit_pictures(tmp_path, highest, bits):
    root = class_folders(tmp_path / "in", {"a": 2, "b": 2})
    for number, share in enumerate((4, 1)):  # a dark picture stays dark beside a bright one
        put(root, f"a/deep{number}.png", data=deep([[0, highest // share]]))
        put(root, f"b/deep{number}.tif", data=deep([[1, highest // share]], "TIFF"))
    manifest = pack(read_listing(root, "class_folders"), tmp_path)
    assert manifest["bits"] == bits
    assert manifest["converted"] == {"sixteen_bit": 4}
    assert (f"hold no value above {highest}: read as {bits} bits" in said(manifest, "16 bits")) == (bits < 16)
    packed = open_packed(tmp_path / "set", "pixels")
    names = (tmp_path / "set.files.txt").read_text().split()
    shown = {name: int(packed.read(row).max()) for row, name in enumerate(names)}
    assert shown["a/deep0.png"] == (highest // 4) >> (bits - 8)
    assert shown["b/deep1.tif"] == highest >> (bits - 8)


def test_pictures_without_sixteen_bits_are_not_asked(tmp_path, monkeypatch):
    monkeypatch.setattr("apr.data.depth.Depth._ranges", lambda self: 1 / 0)
    assert "bits" not in pack(read_listing(class_folders(tmp_path / "in", {"a": 3, "b": 3}), "class_folders"), tmp_path)


def test_snippets_of_deep_pictures_keep_their_contrast(tmp_path):
    put(tmp_path, "x.png", data=deep(np.full((20, 20), 2048)))
    assert np.asarray(Snippet(tmp_path / "x.png", 10, 10, 4).decode(lambda: 12).image).max() == 128


def test_masks_are_noticed(tmp_path):
    pixels = np.tile(np.arange(20, dtype=np.uint8), (20, 1))
    items = [Item(f"{n}", "ab"[n % 2], pixels + n % 3, "train" if n < 10 else "test") for n in range(20)]
    assert "no pixel is brighter than 21 of 255" in said(pack(Listing(items, ["a", "b"]), tmp_path), "masks")


@pytest.mark.parametrize(
    ("count", "words"), [(8, "8 images: .* up to 17.7 points"), (199, "199 images: .* up to 3.5"), (200, "")]
)
def test_a_small_test_part_says_its_standard_error(tmp_path, count, words):
    pixels = np.random.default_rng(0).integers(0, 256, (count + 4, 6, 6, 3)).astype(np.uint8)
    items = [Item(f"{n:03d}", "ab"[n % 2], pixels[n], "test" if n < count else "train") for n in range(count + 4)]
    note = said(pack(Listing(items, ["a", "b"]), tmp_path), "standard error")
    assert bool(note) == bool(words)
    assert not words or re.search(words, note)


def test_what_was_left_out_is_in_the_manifest(tmp_path):
    root = class_folders(tmp_path / "in", {"a": 3, "b": 3})
    put(root, "readme.md", "a/x.heic", "b/.hidden")
    manifest = pack(read_listing(root, "class_folders"), tmp_path)
    assert manifest["ignored"] == {"hidden": 1, "not_an_image": 1, "outside_class_folders": 1}
    assert manifest["ignored_suffixes"] == {".heic": 1, ".md": 1}
    assert "(.heic 1, .md 1)" in said(manifest, "left out")
    assert json.loads((tmp_path / "set.json").read_text()) == manifest
