"""Snippets around annotated points."""

import tracemalloc

import numpy as np
import pytest
from data_helpers import SHIPPED, counts, encoded, picture, put

from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.packed import open_packed
from apr.data.packing import pack_dataset

NAMES = ["2008/reef_qu1.png", "2008/reef_qu2.png"]
OPTIONS = {"classes": ["Turf", "CCA"], "size": 10}


def reef(root, points, names=NAMES, size=(60, 40), header="# Row; Col; Label"):
    """Pictures, each with the same points beside it."""
    for seed, name in enumerate(names):
        put(root, name, data=encoded(picture(seed, size), "PNG"))
        lines = [header, *("; ".join(map(str, point)) for point in points)]
        put(root, f"{name}.txt", data="\r\n".join(lines).encode())
    return root


def test_points_of_the_classes_become_images(tmp_path):
    reef(tmp_path, [(5, 6, "CCA"), (7, 8, "Off"), (9, 10, "turf"), (11, 12, "cca"), (13, 14, "Fung")])
    put(tmp_path, "readme.txt", "2008/lonely.png")
    listing = read_listing(tmp_path, "point_annotations", OPTIONS)
    assert listing.classes == ["Turf", "CCA"]
    assert [(item.name, item.label, item.group) for item in listing.items[:3]] == [
        ("2008/reef_qu1.png/000", "CCA", "2008/reef_qu1.png"),
        ("2008/reef_qu1.png/002", "Turf", "2008/reef_qu1.png"),
        ("2008/reef_qu1.png/003", "CCA", "2008/reef_qu1.png"),
    ]
    assert counts(listing) == {("CCA", None): 4, ("Turf", None): 2}
    assert +listing.ignored == {"label Off": 2, "label Fung": 2, "picture_without_points": 1, "not_an_image": 1}


def test_other_columns_delimiters_and_suffixes(tmp_path):
    put(tmp_path, "a.png", data=encoded(picture(0, (60, 40)), "PNG"))
    put(tmp_path, "a.png.csv", data=b"what,y,x\nCCA,20,30\nTurf,10,10\n")
    layout = {"suffix": ".csv", "delimiter": ",", "row": "y", "column": "x", "label": "what"}
    place = read_listing(tmp_path, "point_annotations", OPTIONS | layout).items[0].source
    assert (place.row, place.column) == (20, 30)


@pytest.mark.parametrize(
    ("row", "column", "rows", "columns"),
    [
        (20, 30, range(15, 25), range(25, 35)),
        (2, 58, [3, 2, 1, 0, 1, 2, 3, 4, 5, 6], [53, 54, 55, 56, 57, 58, 59, 58, 57, 56]),
    ],
)
def test_the_point_is_in_the_middle_and_borders_are_mirrored(tmp_path, row, column, rows, columns):
    reef(tmp_path, [(row, column, "CCA"), (0, 0, "Turf")])
    image = read_listing(tmp_path, "point_annotations", OPTIONS).items[0].source.decode().image
    whole = np.asarray(picture(0, (60, 40)))
    np.testing.assert_array_equal(np.asarray(image), whole[list(rows)][:, list(columns)])
    np.testing.assert_array_equal(np.asarray(image)[5, 5], whole[row, column])


def test_points_are_drawn_by_the_seed_picture_by_picture(tmp_path):
    reef(tmp_path, [(number, number, ["CCA", "Turf", "Off"][number % 3]) for number in range(30)])

    def drawn(per_image, seed=0):
        listing = read_listing(tmp_path, "point_annotations", OPTIONS | {"per_image": per_image, "seed": seed})
        return {item.name for item in listing.items}, listing.ignored["point_not_drawn"]

    names, left = drawn(8)
    assert (len(names), left) == (16, 24)
    assert drawn(8)[0] == names
    assert drawn(8, seed=1)[0] != names
    assert drawn(50) == (drawn(None)[0], 0)
    first = {name for name in names if "qu1" in name}
    assert {name.replace("qu1", "qu2") for name in first} != names - first
    (tmp_path / NAMES[1]).unlink()
    (tmp_path / f"{NAMES[1]}.txt").unlink()
    assert drawn(8)[0] == first


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# Row; Column; Label\n1; 2; CCA", r"reef_qu1\.png\.txt: has no column 'Col' .did you mean Column"),
        ("", r"reef_qu1\.png\.txt: has no column 'Row'"),
        ("# Row; Col; Label\n\n1; 2; CCA\n3; CCA\n", r"reef_qu1\.png\.txt: line 4: '3; CCA' is no point"),
        ("# Row; Col; Label\nx; 2; CCA\n", r"line 2: 'x; 2; CCA' is no point"),
    ],
)
def test_a_bad_list_is_named(tmp_path, text, words):
    reef(tmp_path, [(5, 5, "CCA"), (6, 6, "Turf")])
    (tmp_path / f"{NAMES[0]}.txt").write_text(text)
    with pytest.raises(Problem, match=words):
        read_listing(tmp_path, "point_annotations", OPTIONS)


def test_what_is_missing_is_named(tmp_path):
    reef(tmp_path, [(5, 5, "CCA")])
    with pytest.raises(Problem, match="class 'Turf' has no image"):
        read_listing(tmp_path, "point_annotations", OPTIONS)
    (tmp_path / NAMES[0]).unlink()
    with pytest.raises(Problem, match=r"reef_qu1\.png\.txt: its picture is missing"):
        read_listing(tmp_path, "point_annotations", OPTIONS)
    with pytest.raises(Problem, match="size: 0: has to be at least 1"):
        read_listing(tmp_path, "point_annotations", OPTIONS | {"size": 0})


def pack(folder, out, **more):
    listing = read_listing(folder, "point_annotations", OPTIONS | more)
    settings = {"name": "reef", "storage": "pixels", "split": SHIPPED, "threads": 3}
    return pack_dataset(listing, out / "reef", out / "reef.json", **settings)


def test_a_point_outside_its_picture_is_named(tmp_path):
    reef(tmp_path / "in", [(5, 5, "CCA"), (6, 6, "Turf"), (41, 6, "CCA"), (6, 61, "Turf"), (40, 60, "CCA")])
    outside = r"4 of 10 .*reef_qu1\.png/002 lies at row 41, column 6, outside the picture of 40 x 60 pixels"
    with pytest.raises(Problem, match=outside):
        pack(tmp_path / "in", tmp_path)


def test_threads_pack_the_right_snippet_under_each_name(tmp_path):
    points = [(number % 40, 2 * number, ["CCA", "Turf"][number % 2]) for number in range(30)]
    names = [f"{number:02d}.png" for number in range(20)]
    reef(tmp_path / "in", points, names)
    manifest = pack(tmp_path / "in", tmp_path)
    assert manifest["n_groups"] == 20
    assert manifest["sizes"]["height"] == manifest["sizes"]["width"] == {"min": 10, "median": 10, "max": 10}
    packed = open_packed(tmp_path / "reef", "pixels")
    for row, name in enumerate((tmp_path / "reef.files.txt").read_text().splitlines()):
        whole = np.asarray(picture(int(name[:2]), (60, 40)))
        at_row, at_column, label = points[int(name.partition("\t")[0][-3:])]
        np.testing.assert_array_equal(packed.read(row)[5, 5], whole[at_row, at_column])
        assert manifest["classes"][packed.index["label"][row]] == label


def test_few_pictures_are_in_memory_at_once(tmp_path):
    data = encoded(picture(0, (500, 500)), "BMP")
    for number in range(60):
        put(tmp_path / "in", f"{number}.bmp", data=data)
        put(tmp_path / "in", f"{number}.bmp.txt", data=b"# Row; Col; Label\n5; 5; CCA\n6; 6; Turf\n")
    tracemalloc.start()
    pack(tmp_path / "in", tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 25_000_000 < 60 * 750_000
