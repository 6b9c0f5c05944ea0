"""How a user's pictures lie is found without YAML; what cannot be used is refused with what is needed."""

import re

import pytest
from data_helpers import JPEG, class_folders, counts, make_tar, make_zip, put, real, tree

from apr.basics.problems import Problem
from mine import layouts
from mine.layouts import Labels, found_place, opened
from mine.seen import seen_in

TWO = {"cat": 4, "dog": 5}


def grid(places, labels=("cat", "dog"), each=3):
    return [f"{place}/{label}/{n}.jpg" for place in places for label in labels for n in range(each)]


def table(text, name="labels.csv"):
    return lambda root: put(root, name, data=text.encode())


def flat(*names):
    return lambda root: put(root, *names)


def pictures(*texts):
    """Pictures a0 to a5 in a folder, and tables beside it."""

    def made(root):
        put(root, *(f"imgs/a{number}.jpg" for number in range(6)))
        for text in texts:
            table(text)(root)

    return made


ROWS = "".join(f"a{number},{label}\n" for number, label in enumerate(["x", "y"] * 3))
LISTED = {("x", None): 3, ("y", None): 3}
HOT = "image,x,y\n" + "".join(f"a{n},{int(n % 2 == 0)},{int(n % 2)}\n" for n in range(6))
MANY = "id,patient_id,age,label\n" + "".join(f"a{n},p{n // 3},{n % 3},{'xy'[n % 2]}\n" for n in range(6))

# what there is, the labels if any, the format and options that are found, and the pictures of each class and part
FOUND = {
    "class folders": (
        lambda root: class_folders(root, TWO),
        None,
        ("class_folders", {}),
        {("cat", None): 4, ("dog", None): 5},
    ),
    "class folders in a folder beside a README": (
        flat("README.md", *grid(["pictures"])),
        None,
        ("class_folders", {"root": "pictures"}),
        {("cat", None): 3, ("dog", None): 3},
    ),
    "train and test": (
        flat(*grid(["train", "test"])),
        None,
        ("split_folders", {"train": ["train"], "test": ["test"]}),
        {(label, part): 3 for label in ("cat", "dog") for part in ("train", "test")},
    ),
    "train, test and val with their own words": (
        flat(*grid(["data/images_train", "data/images_test", "data/images_val"])),
        None,
        ("split_folders", {"train": ["images_train"], "test": ["images_test"], "validation": ["images_val"]}),
        {(label, part): 3 for label in ("cat", "dog") for part in ("train", "test", "validation")},
    ),
    "train and val alone": (
        flat(*grid(["train", "val"])),
        None,
        ("split_folders", {"train": ["train"], "test": ["val"]}),
        {(label, part): 3 for label in ("cat", "dog") for part in ("train", "test")},
    ),
    "classes in file names": (
        flat(*(f"{label}.{number}.jpg" for label in ("cat", "dog") for number in range(6))),
        None,
        ("file_names", {"pattern": "^(?P<class>[A-Za-z]+)[._-]"}),
        {("cat", None): 6, ("dog", None): 6},
    ),
    "a table of two columns": (
        pictures("file,what\n" + ROWS),
        Labels("labels.csv"),
        ("csv_labels", {"table": "labels.csv", "image": "file", "label": "what"}),
        LISTED,
    ),
    "a table with many columns": (
        pictures(MANY),
        Labels("labels.csv"),
        ("csv_labels", {"table": "labels.csv", "image": "id", "label": "label"}),
        LISTED,
    ),
    "a table whose classes are columns": (
        pictures(HOT),
        Labels("labels.csv"),
        ("csv_labels", {"table": "labels.csv", "image": "image", "label": ["x", "y"]}),
        LISTED,
    ),
    "a table, its columns said": (
        pictures("a,b,c\n" + "".join(f"a{n},{'xy'[n % 2]},{'uv'[n // 3]}\n" for n in range(6))),
        Labels("labels.csv", None, "b"),
        ("csv_labels", {"table": "labels.csv", "image": "a", "label": "b"}),
        LISTED,
    ),
}


@pytest.mark.parametrize(("make", "labels", "reading", "wanted"), FOUND.values(), ids=FOUND)
def test_layouts_are_recognised_in_a_folder_and_in_an_archive_of_it(tmp_path, make, labels, reading, wanted):
    root = tmp_path / "my pictures"
    make(root)
    with opened(found_place(str(root)), tmp_path / "work", labels) as layout:
        assert (layout.format, layout.options) == reading
        assert counts(layout.listing) == wanted
    archive = make_zip(tmp_path / "a b.zip", {f"above/{name}": data for name, data in tree(root).items()})
    with opened(found_place(str(archive)), tmp_path / "work", labels) as layout:
        assert (layout.format, counts(layout.listing)) == (reading[0], wanted)
    assert tree(tmp_path / "work") == {}


def test_archives_in_an_archive_are_unpacked_where_nothing_else_is_found(tmp_path):
    inner = make_zip(tmp_path / "inner.zip", dict.fromkeys(grid(["."]), JPEG))
    outer = make_tar(tmp_path / "outer.tar", {"part/inner.zip": inner.read_bytes()})
    with opened(outer, tmp_path / "work") as layout:
        assert layout.options["nested"] is True
        assert counts(layout.listing) == {("cat", None): 3, ("dog", None): 3}


def test_a_table_elsewhere_is_named_by_its_whole_path(tmp_path):
    pictures()(tmp_path / "data")
    table("file,what\n" + ROWS)(tmp_path / "elsewhere")
    with opened(tmp_path / "data", tmp_path, Labels(str(tmp_path / "elsewhere/labels.csv"))) as layout:
        assert layout.options["table"] == str(tmp_path / "elsewhere/labels.csv")
        assert counts(layout.listing) == LISTED


def test_a_folder_that_may_be_no_class_is_named(tmp_path):
    class_folders(tmp_path, TWO | {"BACKGROUND_Google": 4})
    with opened(tmp_path, tmp_path / "work") as layout:
        found = [note for note in seen_in(layout).notes if "BACKGROUND_Google" in note]
    assert len(found) == 1
    assert "leave_out: BACKGROUND_Google" in found[0]


# what there is, the labels if any, and what the message says: what is wrong, and what is needed
REFUSED = {
    "nothing in it": (lambda root: root.mkdir(), None, "holds no file; put the pictures there, or name another folder"),
    "a single class": (
        lambda root: class_folders(root, {"cat": 9}),
        None,
        "the only folder, 'cat', would be a single class",
    ),
    "a single class beside a document": (
        flat("notes.txt", *grid(["."], ["cat"])),
        None,
        "all 3 images are of one class, 'cat': nothing to classify",
    ),
    "a single class in parts": (flat(*grid(["train", "test"], ["cat"])), None, "are of one class, 'cat'"),
    "too few for three parts": (
        lambda root: class_folders(root, {"cat": 9, "dog": 2, "eel": 1}),
        None,
        "holds 2 pictures of class 'dog' and too few of 1 more classes: .* 3 at least; add pictures",
    ),
    "a part without a class": (
        flat(*grid(["train"]), *grid(["test"], ["cat"])),
        None,
        "0 test pictures of class 'dog': every part needs one",
    ),
    "unsorted": (
        flat(*(f"IMG{number}.jpg" for number in range(9))),
        None,
        "9 pictures in no order .* a folder for each class, or give LABELS=table.csv",
    ),
    "unsorted, beside a table": (
        flat(*(f"IMG{number}.jpg" for number in range(9)), "truth.csv"),
        None,
        "or give LABELS=truth.csv",
    ),
    "a folder of pictures beside a table": (pictures("image,label\n" + ROWS), None, "name it: LABELS=labels.csv"),
    "pictures that are none": (
        lambda root: put(class_folders(root, TWO), *(f"cat/x{n}.jpg" for n in range(3)), data=b"nothing"),
        None,
        r"3 of 12 pictures that were tried cannot be read: cat/x0.jpg is not a picture",
    ),
    "no such table": (pictures("image,label\n" + ROWS), Labels("truth.csv"), "LABELS=truth.csv: .*there is labels.csv"),
    "a table of others": (pictures("image,label\nz1,x\nz2,y\n"), Labels("labels.csv"), "none of its columns .* IMAGE="),
    "a table without a header": (pictures(ROWS), Labels("labels.csv"), "has no header"),
    "two columns that may be the class": (
        pictures("image,a,b\n" + "".join(f"a{n},{n % 2},{n // 3}\n" for n in range(6)).replace("0\n", "z\n")),
        Labels("labels.csv"),
        "which column is the class.* LABEL=a or LABEL=b",
    ),
    "no column that may be the class": (
        pictures("image,note\n" + "".join(f"a{n},n{n}\n" for n in range(6))),
        Labels("labels.csv"),
        "LABEL=column",
    ),
    "a column that the table lacks": (
        pictures("image,kind\n" + "".join(f"a{n},k{n % 2}\n" for n in range(6))),
        Labels("labels.csv", None, "kinds"),
        r"^LABEL=kinds: labels.csv has no such column \(did you mean kind\?\); correct it",
    ),
    "a picture that is missing": (
        pictures("image,kind\n" + "".join(f"a{n},k{n % 2}\n" for n in range(9))),
        Labels("labels.csv"),
        r"images are missing: .*; correct or remove their lines, or add them",
    ),
    "options that it does not take": (
        flat(*grid(["cat/images", "cat/masks", "dog/images", "dog/masks"], ["a"])),
        None,
        "own.yaml by hand",
    ),
}


@pytest.mark.parametrize(("make", "labels", "wanted"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_is_refused_with_what_is_needed(tmp_path, make, labels, wanted):
    make(tmp_path / "data")
    with pytest.raises(Problem) as caught, opened(tmp_path / "data", tmp_path / "work", labels) as layout:
        seen_in(layout)
    assert re.search(wanted, str(caught.value)), caught.value


@pytest.mark.parametrize("files", [{"cat/1.jpg": JPEG}, {"a.bin": b"x"}, {"one.zip": b"PK\x03\x04 no more"}])
def test_an_archive_is_named_and_not_the_place_where_it_is_looked_at(tmp_path, files):
    with pytest.raises(Problem, match=r"a\.zip") as caught, opened(make_zip(tmp_path / "a.zip", files), tmp_path / "w"):
        pass
    assert "looking" not in str(caught.value)


def test_too_many_classes_are_refused_before_they_are_walked(tmp_path, monkeypatch):
    put(tmp_path, *(f"data/c{number}/a.jpg" for number in range(1001)))
    monkeypatch.setattr(layouts, "read_listing", None)
    with pytest.raises(Problem, match=r"holds 1,001 folders, .* more than 1,000"), opened(tmp_path / "data", tmp_path):
        pass


def test_too_many_classes_of_a_table_are_refused(tmp_path):
    rows = "".join(f"a{number},c{number // 2}\n" for number in range(2002))
    put(tmp_path, *(f"a{number}.jpg" for number in range(2002)))
    table("image,label\n" + rows)(tmp_path)
    with (
        pytest.raises(Problem, match="holds 1,001 classes"),
        opened(tmp_path, tmp_path, Labels("labels.csv")) as layout,
    ):
        seen_in(layout)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("nowhere/data", "there is no such folder or archive"),
        ("notes.txt", "is a file, and no archive"),
        ("table.csv", "give the folder of its pictures, and LABELS="),
    ],
)
def test_a_place_that_is_none_is_refused(tmp_path, name, wanted):
    put(tmp_path, "notes.txt", "table.csv", data=b"a,b\n")
    with pytest.raises(Problem, match=wanted):
        found_place(str(tmp_path / name))


def test_what_may_not_be_read_is_named(tmp_path, monkeypatch):
    archive = make_zip(tmp_path / "a.zip", {"cat/1.jpg": JPEG})

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(layouts, "kind_of_file", refuse)
    with pytest.raises(Problem, match=r"a.zip: cannot be read \(Permission denied\); correct its permissions"):
        found_place(str(archive))


def test_a_home_folder_and_a_relative_path_are_found(tmp_path, monkeypatch):
    class_folders(tmp_path / "shells", TWO)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    places = ("~/shells", "shells", "shells/", "shells/cat/..")
    assert {found_place(place) for place in places} == {tmp_path / "shells"}


@pytest.mark.parametrize(
    ("name", "classes", "parts"),
    [
        ("EuroSAT.zip", 10, {}),
        ("intel-image-classification.zip", 6, {"train": 660, "test": 180}),
        ("hymenoptera_data.zip", 2, None),
        ("concrete-cracks.zip", 2, {}),
    ],
)
def test_published_archives_are_recognised(tmp_path, name, classes, parts):
    (archive,) = real(name)
    with opened(archive, tmp_path) as layout:
        seen = seen_in(layout)
    assert len(seen.classes) == classes
    assert parts is None or seen.parts == parts
