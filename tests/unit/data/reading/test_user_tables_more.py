"""More tables and files as people have them: headers, other delimiters, parts to leave out, links, archives inside."""

import re

import numpy as np
import pytest
import yaml
from data_helpers import SHIPPED, class_folders, counts, put
from user_tables import COLUMNS, PLAIN, RIGHT, labels, read

from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.packing import pack_dataset


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PLAIN.replace("image,label\n", ""), "looks like data, not a header .*: add a line .* `image,label`"),
        (PLAIN.replace("image,label\n", "").replace(".png", ""), "looks like data, not a header"),
        (PLAIN.replace(",", "^"), r"separated by '\^': set options: delimiter: '\^'"),
        (PLAIN.replace(",", "~"), "separated by '~': set options: delimiter: '~'"),
    ],
)
def test_a_first_line_that_is_no_header(tmp_path, text, words):
    with pytest.raises(Problem, match=words):
        read(tmp_path, text)
    if "delimiter" in words:
        assert labels(read(tmp_path, text, delimiter=words[-2])) == RIGHT


def test_row_names_as_r_writes_them(tmp_path):
    lines = PLAIN.splitlines()
    text = "\n".join([lines[0], *(f'"{number}",{line}' for number, line in enumerate(lines[1:]))])
    listing = read(tmp_path, text)
    assert labels(listing) == RIGHT
    assert "one cell more than the header" in " ".join(listing.ignored.notes)
    with pytest.raises(Problem, match="has 3 cells where the header has 2"):
        read(tmp_path, PLAIN.replace("cat", "cat, tabby").replace("dog", "dog, pug"))
    with pytest.raises(Problem, match="has 3 cells where the header has 2"):
        read(tmp_path, text.replace('"1"', '"0"'))


@pytest.mark.parametrize("value", ["valid", ""])
def test_rows_of_another_part_can_be_left_out(tmp_path, value):
    parts = ["train", "train", "test", "test", value, value]
    rows = [f"p{n}.png,{'cat' if n % 2 else 'dog'},{part}\n" for n, part in enumerate(parts)]
    text, names = "image,label,split\n" + "".join(rows), [f"p{n}.png" for n in range(6)]
    with pytest.raises(Problem, match=rf'ignore_values: \["{value}"\] to leave such rows out'):
        read(tmp_path, text, names, split="split")
    listing = read(tmp_path, text, names, split="split", ignore_values=[value])
    assert counts(listing) == {(label, part): 1 for label in ("cat", "dog") for part in ("train", "test")}
    assert listing.ignored["row_left_out"] == 2
    assert listing.ignored["not_in_table"] == 0
    with pytest.raises(Problem, match="ignore_values: needs options: split"):
        read(tmp_path, text, names, ignore_values=[value])


@pytest.mark.parametrize("above", ["", "set"])
def test_the_remedy_for_another_folder_works(tmp_path, above):
    root = tmp_path / above
    put(root, *(f"test/p{n}.png" for n in range(4)))
    (tmp_path / "readme.txt").write_text("x")
    (root / "t.csv").write_text(PLAIN.replace("p", "train/p").replace(".train/png", ".png"))
    options = COLUMNS | ({"root": above} if above else {})
    with pytest.raises(Problem, match="4 of 4 images are missing") as caught:
        read_listing(tmp_path, "csv_labels", options)
    text = str(caught.value)
    assert text.count("root: ") == 1
    told = yaml.safe_load(re.search(r"options: (\{.*?\})", text)[1])
    assert read_listing(tmp_path, "csv_labels", options | told).classes == ["cat", "dog"]


def test_names_read_as_numbers_and_a_suffix_without_dot(tmp_path):
    names = [f"{n}.png" for n in range(4)]
    text = "image,label\n" + "".join(f"{n}.0,{'cat' if n % 2 else 'dog'}\n" for n in range(4))
    missing = "0.0 (there is imgs/0.png: the names were read as numbers; read the column as text), 1.0 (there"
    with pytest.raises(Problem, match=rf"t\.csv: 4 of 4 images are missing: {re.escape(missing)}"):
        read(tmp_path, text, names)
    assert len(read(tmp_path, text.replace(".0", ""), names, suffix="png").items) == 4


def test_only_damage_is_fetched_again(tmp_path):
    root = class_folders(tmp_path / "in", {"cat": 3, "dog": 3})
    put(root, "cat/empty.jpg", data=b"")
    (root / "dog" / "lost.png").symlink_to("/nowhere/lost.png")

    def said():
        listing = read_listing(root, "class_folders")
        with pytest.raises(Problem) as caught:
            pack_dataset(listing, tmp_path / "x", tmp_path / "x.json", name="x", storage="pixels", split=SHIPPED)
        assert "archive" not in str(caught.value)
        return str(caught.value)

    text = said()
    assert "cat/empty.jpg is empty" in text
    assert "dog/lost.png is a link that leads nowhere (/nowhere/lost.png)" in text
    assert text.endswith("Replace or remove these files")
    put(root, "cat/half.jpg", data=(root / "cat" / "000.jpg").read_bytes()[:300])
    assert "Fetch what is damaged again" in said()


def test_archives_inside_are_said(tmp_path):
    class_folders(tmp_path, {"cat": 3, "dog": 3})
    put(tmp_path, "more.zip", "cat/raw.tar.gz")
    notes = read_listing(tmp_path, "class_folders").ignored.notes
    assert any("not looked into: more.zip" in note and "nested: true" in note for note in notes)
    assert any("raw.tar.gz" in note for note in notes)


def test_the_names_of_medmnist(tmp_path):
    pixels = np.arange(12 * 8 * 8 * 3, dtype=np.uint8).reshape(12, 8, 8, 3)
    numbers = np.arange(12)[:, None] % 2
    arrays = {f"{part}_images": pixels for part in ("train", "val", "test")}
    np.savez(tmp_path / "x.npz", **arrays, **{f"{part}_labels": numbers for part in ("train", "val", "test")})
    listing = read_listing(tmp_path, "npz")
    assert counts(listing) == {(label, part): 6 for label in "01" for part in ("train", "test")}
    assert "val_images, val_labels" in listing.ignored.notes[0]
    np.savez(tmp_path / "x.npz", x_train=pixels, y_train=numbers * 1.5)
    with pytest.raises(Problem, match="labels are float64: save them as integers"):
        read_listing(tmp_path, "npz")
