"""Folders as people have them: parts for classes, links, leftovers of systems, files of other kinds."""

import os

import pytest
from data_helpers import SHIPPED, class_folders, counts, put, refused_as

from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.packing import pack_dataset
from apr.data.reading.survey import survey_folder
from apr.data.reading.walking import walk


def parts(root, *names, labels=("cat", "dog"), each=2, inner=False):
    for name in names:
        folder = f"{name}/{name}" if inner else name
        put(root, *(f"{folder}/{label}/{number}.png" for label in labels for number in range(each)))
    return root


# --- parts


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (("test_set", "training_set"), "train: training_set, test: test_set"),
        (("train", "test", "sample"), "train: train, test: test"),
        (("seg_train", "seg_test", "seg_pred"), "train: seg_train, test: seg_test"),
        (("Training", "Validation"), "train: Training, test: Validation"),
        (("images_train", "images_val"), "train: images_train, test: images_val"),
        (("train2017", "val2017"), "train: train2017, test: val2017"),
        (("trainset", "testset", "misc"), "train: trainset, test: testset"),
        (("TrainData", "TestData"), "train: TrainData, test: TestData"),
        (("train", "val", "test"), "train: train, test: test"),
        (("train set", "test set"), 'train: "train set", test: "test set"'),
    ],
)
def test_parts_are_refused_as_classes_with_the_options_that_read_them(tmp_path, names, options):
    parts(tmp_path, *names)
    with pytest.raises(Problem, match="use format: split_folders") as caught:
        read_listing(tmp_path, "class_folders")
    assert f"options: {{{options}}}" in str(caught.value)
    with pytest.raises(Problem, match="use format: split_folders"):
        read_listing(tmp_path, "class_folders", {"depth": 2})
    told = dict(one.split(": ") for one in options.replace('"', "").split(", "))
    listing = read_listing(tmp_path, "split_folders", told)
    assert counts(listing) == {(label, part): 2 for label in ("cat", "dog") for part in ("train", "test")}
    assert read_listing(tmp_path, "class_folders", {"classes_order": sorted(names)}).classes == sorted(names)


@pytest.mark.parametrize(
    "names", [("bus", "car", "train"), ("sample", "control"), ("valid", "invalid"), ("real", "test")]
)
def test_classes_may_be_called_like_parts(tmp_path, names):
    put(tmp_path, *(f"{name}/{number}.png" for name in names for number in range(2)))
    assert read_listing(tmp_path, "class_folders").classes == sorted(names)


@pytest.mark.parametrize("depth", [1, 2])
def test_parts_inside_the_class_folders_are_refused_and_can_be_read(tmp_path, depth):
    put(
        tmp_path,
        *(f"{label}/{part}/{n}.png" for label in ("cat", "dog") for part in ("train", "val") for n in range(2)),
    )
    with pytest.raises(Problem, match="use format: file_names") as caught:
        read_listing(tmp_path, "class_folders", {"depth": depth})
    pattern = str(caught.value).split("pattern: '")[1].split("'")[0]
    listing = read_listing(tmp_path, "file_names", {"pattern": pattern})
    assert counts(listing) == {(label, part): 2 for label in ("cat", "dog") for part in ("train", "test")}


def test_a_part_beside_unlabelled_pictures_says_the_root(tmp_path):
    put(parts(tmp_path, "train"), "unlabelled/1.png", "unlabelled/2.png")
    with pytest.raises(Problem, match=r"use options: root: train \(a test part is drawn then\); if they are classes"):
        read_listing(tmp_path, "class_folders")
    assert read_listing(tmp_path, "class_folders", {"root": "train"}).classes == ["cat", "dog"]


def test_split_folders_that_are_called_otherwise_are_named(tmp_path):
    parts(tmp_path, "training_set", "test_set")
    with pytest.raises(Problem, match=r"no folder 'train' .*options: \{train: training_set, test: test_set\}"):
        read_listing(tmp_path, "split_folders")


def test_pictures_of_other_parts_are_said(tmp_path):
    listing = read_listing(parts(tmp_path, "train", "test", "val"), "split_folders")
    assert listing.ignored["in_other_folders"] == 4
    assert listing.ignored.notes == [
        "val: 4 pictures of neither part are left out; set options: validation: val to read them as the validation part"
    ]


# --- one class, alike classes


@pytest.mark.parametrize("name", ["class_folders", "split_folders"])
def test_one_class_is_refused(tmp_path, name):
    if name == "class_folders":
        put(tmp_path, "only/1.png", "only/2.png", "readme.txt")
    else:
        parts(tmp_path, "train", "test", labels=("only",))
    count = 2 if name == "class_folders" else 4
    with refused_as(
        f"{tmp_path}: all {count} images are of one class, 'only': nothing to classify; add the pictures of "
        "another class"
    ):
        read_listing(tmp_path, name)


def test_a_folder_too_high_says_where_the_classes_are(tmp_path):
    put(tmp_path, "set/cat/1.png", "set/dog/1.png", "readme.txt")
    with pytest.raises(Problem, match=r"cat, dog.*set options: root: set"):
        read_listing(tmp_path, "class_folders")
    assert read_listing(tmp_path, "class_folders", {"root": "set"}).classes == ["cat", "dog"]
    with pytest.raises(Problem, match="depth: 0: has to be at least 1"):
        read_listing(tmp_path / "set", "class_folders", {"depth": 0})


def test_unicode_forms_of_a_class_are_one(tmp_path):
    put(tmp_path, "train/Caf\u00e9/1.png", "test/Cafe\u0301/1.png", "train/dog/1.png", "test/dog/1.png")
    listing = read_listing(tmp_path, "split_folders")
    assert listing.classes == ["Caf\u00e9", "dog"]
    assert counts(listing)["Caf\u00e9", "test"] == 1


@pytest.mark.parametrize(("one", "other"), [("Cat", "cat"), ("sea lion", "sealion"), ("1", "01"), ("2", "2.0")])
def test_classes_that_are_alike_to_a_person_are_refused(tmp_path, one, other):
    class_folders(tmp_path, {one: 2, other: 2})
    with pytest.raises(Problem, match="write them alike"):
        read_listing(tmp_path, "class_folders")
    assert read_listing(tmp_path, "class_folders", {"classes_order": [one, other]}).classes == [one, other]


def test_letters_in_two_cases_are_classes(tmp_path):
    assert read_listing(class_folders(tmp_path, {"A": 2, "a": 2}), "class_folders").classes == ["A", "a"]


@pytest.mark.parametrize("name", [b"ca\xff", b"ca\nt", b"ca\tt"])
def test_names_that_no_list_can_hold_are_refused(tmp_path, name):
    put(tmp_path, "dog/1.png", "cow/1.png")
    os.rename(tmp_path / "cow", os.path.join(os.fsencode(tmp_path), name))
    with refused_as(
        f"{tmp_path}: the name {os.fsdecode(name)!a} holds a line break or another control character, or bytes that "
        "are not UTF-8 (2 in all); rename it (convmv converts names of another encoding)"
    ):
        read_listing(tmp_path, "class_folders")


# --- links


def test_a_loop_counts_nothing_twice_and_is_named(tmp_path):
    class_folders(tmp_path, {"cat": 4, "dog": 4})
    (tmp_path / "cat" / "all").symlink_to("..")
    (tmp_path / "dog" / "self").symlink_to(".")
    listing = read_listing(tmp_path, "class_folders")
    assert counts(listing) == {("cat", None): 4, ("dog", None): 4}
    assert listing.ignored["loop"] == 2
    assert listing.ignored.notes[0] == "cat/all: is a link to a folder that it lies in: not followed"


def test_folders_that_link_to_each_other_end(tmp_path):
    class_folders(tmp_path, {"cat": 2, "dog": 2})
    (tmp_path / "cat" / "other").symlink_to("../dog")
    (tmp_path / "dog" / "other").symlink_to("../cat")
    listing = read_listing(tmp_path, "class_folders")
    assert counts(listing) == {("cat", None): 2, ("dog", None): 2}
    assert (listing.ignored["same_file_again"], listing.ignored["linked_folder_again"]) == (4, 2)


def test_class_folders_that_are_links_are_followed(tmp_path):
    class_folders(tmp_path / "far" / "away", {"cat": 3, "dog": 2})
    for label in ("cat", "dog"):
        (tmp_path / "set").mkdir(exist_ok=True)
        (tmp_path / "set" / label).symlink_to(tmp_path / "far" / "away" / label)
    assert survey_folder("x", tmp_path / "set")["count"] == 5
    assert counts(read_listing(tmp_path / "set", "class_folders")) == {("cat", None): 3, ("dog", None): 2}
    assert len(walk(tmp_path / "set")) == 5


def test_hard_links_count_once_and_never_in_two_classes(tmp_path):
    class_folders(tmp_path, {"cat": 3, "dog": 3})
    os.link(tmp_path / "cat" / "000.jpg", tmp_path / "cat" / "copy.jpg")
    listing = read_listing(tmp_path, "class_folders")
    assert counts(listing)["cat", None] == 3
    assert listing.ignored.notes == ["1 images are links to others and count once: cat/copy.jpg"]
    assert listing.ignored["same_file_again"] == 1
    os.link(tmp_path / "cat" / "000.jpg", tmp_path / "dog" / "twin.jpg")
    with refused_as(
        f"{tmp_path}: one file is in two classes: cat/000.jpg (cat) and dog/twin.jpg (dog); remove one of the links"
    ):
        read_listing(tmp_path, "class_folders")


def test_a_class_of_links_alone_is_refused(tmp_path):
    class_folders(tmp_path, {"dog": 2})
    put(tmp_path, "cow/1.jpg")
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "one.jpg").symlink_to("../cow/1.jpg")
    with refused_as(f"{tmp_path}: class 'cat' holds nothing but links to images of other classes; remove it"):
        read_listing(tmp_path, "class_folders")


def test_a_test_part_that_links_to_train_is_refused(tmp_path):
    parts(tmp_path, "train")
    (tmp_path / "test").symlink_to("train")
    with refused_as(
        f"{tmp_path}: one file is in two parts: test/cat/0.png (test) and train/cat/0.png (train); remove one of "
        "the links"
    ):
        read_listing(tmp_path, "split_folders")


def test_links_that_lead_nowhere_are_named(tmp_path):
    root = class_folders(tmp_path / "in", {"cat": 3, "dog": 3})
    (root / "dog" / "lost.png").symlink_to("/nowhere/lost.png")
    survey_folder("x", root)
    listing = read_listing(root, "class_folders")
    with pytest.raises(
        Problem,
        match=r"1 of 7 images .*: dog/lost.png is a link that leads nowhere \(/nowhere",
    ):
        pack_dataset(listing, tmp_path / "x", tmp_path / "x.json", name="x", storage="pixels", split=SHIPPED)
    (root / "cow").symlink_to("/nowhere/cow")
    with refused_as(f"{root}/cow: is a link that leads nowhere (/nowhere/cow); correct it, or remove it"):
        read_listing(root, "class_folders")


def test_pipes_are_not_opened(tmp_path):
    class_folders(tmp_path, {"cat": 2, "dog": 2})
    os.mkfifo(tmp_path / "cat" / "pipe.png")
    assert read_listing(tmp_path, "class_folders").ignored["special_file"] == 1


# --- leftovers and other kinds


def test_leftovers_of_systems_are_no_classes(tmp_path):
    class_folders(tmp_path, {"cat": 2, "dog": 2})
    for folder in (
        "@eaDir",
        "cat/@eaDir/000.jpg",
        ".AppleDouble",
        "__MACOSX/cat",
        ".ipynb_checkpoints",
        "$RECYCLE.BIN",
    ):
        put(tmp_path, f"{folder}/SYNOPHOTO_THUMB_M.jpg")
    put(tmp_path, "#recycle/x.png", "lost+found/y.png", "cat/Thumbs.db", "dog/._000.jpg", "dog/DESKTOP.INI")
    listing = read_listing(tmp_path, "class_folders")
    assert counts(listing) == {("cat", None): 2, ("dog", None): 2}
    assert listing.ignored["hidden"] == 11


def test_most_of_the_files_may_not_be_dropped(tmp_path):
    class_folders(tmp_path, {"cat": 3, "dog": 3})
    put(tmp_path, *(f"cat/{n}.heic" for n in range(12)), *(f"dog/{n}.avif" for n in range(6)))
    put(tmp_path, *(f"dog/none{n}" for n in range(3)), *(f"dog/blank{n}.png " for n in range(3)))
    with pytest.raises(Problem, match=r"24 of 30 files .*\.heic 12, \.avif 6, '\.png ' 3, no suffix 3.*others: ignore"):
        read_listing(tmp_path, "class_folders")
    listing = read_listing(tmp_path, "class_folders", {"others": "ignore"})
    assert counts(listing) == {("cat", None): 3, ("dog", None): 3}
    assert "24 of 30 files" in listing.ignored.notes[0]


def test_notes_and_annotations_beside_pictures_are_no_error(tmp_path):
    class_folders(tmp_path, {"cat": 3, "dog": 3})
    put(tmp_path, "readme.md", "cat/notes.txt", "cat/labels.csv", *(f"dog/00{n}.xml" for n in range(3)))
    put(tmp_path, *(f"dog/00{n}.json" for n in range(3)), "dog/000.jpg.txt")
    listing = read_listing(tmp_path, "class_folders")
    assert listing.ignored["not_an_image"] == 9
    assert listing.ignored.suffixes == {".md": 1, ".txt": 2, ".csv": 1, ".xml": 3, ".json": 3}


def test_pictures_beside_class_folders(tmp_path):
    class_folders(tmp_path, {"cat": 3, "dog": 3})
    put(tmp_path, "cover.png")
    notes = read_listing(tmp_path, "class_folders").ignored.notes
    assert notes == ["1 pictures beside the class folders are left out: cover.png"]
    put(tmp_path, *(f"more{n}.png" for n in range(5)))
    with refused_as(
        f"{tmp_path}: 6 pictures lie beside the class folders (cover.png, more0.png, more1.png and 3 more) and 6 in "
        "them: move each into the folder of its class, or set options: others: ignore"
    ):
        read_listing(tmp_path, "class_folders")
    beside = read_listing(tmp_path, "class_folders", {"others": "ignore"}).ignored
    assert beside["outside_class_folders"] == 6
    assert beside.notes[0].endswith("and 6 in them: move each into the folder of its class")
    put(tmp_path / "net", "train/n01/1.JPEG", "train/n02/1.JPEG", "val/n01/2.JPEG", "val/n02/2.JPEG")
    put(tmp_path / "net", *(f"val/{n}.JPEG" for n in range(8)))
    with pytest.raises(Problem, match=r"8 pictures lie beside the class folders .* and 2 in them"):
        read_listing(tmp_path / "net", "ilsvrc")
