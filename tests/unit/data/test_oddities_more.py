"""What notes propose works, and what cannot be proposed is not."""

import io

import numpy as np
import pytest
from data_helpers import encoded, picture, put
from packed_sets import deep, pack, said
from PIL import Image

from apr.data.formats import read_listing


def group_of(note):
    return note.split("group: '")[1].split("'}")[0]


@pytest.mark.parametrize("copy", ["{number} (1).png", "{number}_copy.png", "{number}_big.png", "big/{number}.png"])
def test_a_proposed_group_unites_the_copies(tmp_path, copy):
    for label, start in (("cat", 0), ("dog", 50)):
        for number in range(6):
            data = encoded(picture(start + number, (40, 40)), "PNG")
            put(tmp_path / "in" / label, f"{number}.png", copy.format(number=number), data=data)
    manifest = pack(read_listing(tmp_path / "in", "class_folders"), tmp_path, test_fraction=0.3)
    assert manifest["copies"]["test_in_train"] > 0
    note = said(manifest, "pixel by pixel")
    assert "..." not in note
    assert not said(manifest, "seems to belong")
    if copy.startswith("big/"):
        assert note.endswith("; remove the copies")
        return
    listing = read_listing(tmp_path / "in", "class_folders", {"group": group_of(note)})
    assert pack(listing, tmp_path, by="group", test_fraction=0.3)["copies"]["test_in_train"] == 0


def test_near_copies_say_what_they_may_be(tmp_path):
    for label, start in (("cat", 0), ("dog", 50)):
        for number in range(6):
            data = encoded(picture(start + number, (96, 96)), "PNG")
            smaller = encoded(Image.open(io.BytesIO(data)).resize((80, 70)), "PNG")
            put(tmp_path / "in" / label, f"{number}.png", data=data)
            put(tmp_path / "in" / label, f"{number}_small.png", data=smaller)
    manifest = pack(read_listing(tmp_path / "in", "class_folders"), tmp_path, test_fraction=0.3)
    note = said(manifest, "nearly equal")
    assert "frames of one scene, one picture changed, or merely similar" in note
    listing = read_listing(tmp_path / "in", "class_folders", {"group": group_of(note)})
    assert pack(listing, tmp_path, by="group", test_fraction=0.3)["copies"]["near_test_in_train"] == 0


@pytest.mark.parametrize(("fraction", "said_so"), [(0.1, True), (0.3, False)])
def test_a_test_part_of_another_size_is_said(tmp_path, fraction, said_so):
    put(tmp_path / "in", *(f"{label}/{number}.png" for label in "abc" for number in range(3)))
    note = said(pack(read_listing(tmp_path / "in", "class_folders"), tmp_path, test_fraction=fraction), "test_fraction")
    assert note.startswith("its test part holds 33% of the images (3 of 9) where test_fraction is 0.1") == said_so


@pytest.mark.parametrize(
    ("low", "high", "words"), [(39000, 40000, "between 39000 and 40000 and fill 5"), (0, 40000, "")]
)
def test_sixteen_bits_of_narrow_range_are_said(tmp_path, low, high, words):
    for number in range(3):
        values = np.linspace(low, high, 64).reshape(8, 8) - number * (low == 0)
        put(tmp_path / "in", f"a/{number}.png", f"b/{number}.png", data=deep(values.clip(0)))
    note = said(pack(read_listing(tmp_path / "in", "class_folders"), tmp_path), "gray level")
    assert words in note
    assert bool(words) == bool(note)
