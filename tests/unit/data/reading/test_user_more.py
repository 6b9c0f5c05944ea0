"""More folders as people have them: thumbnails, parts further down, folds, masks, wrappers, documents."""

import re
import unicodedata

import pytest
import yaml
from data_helpers import class_folders, counts, put

from apr.basics.problems import Problem
from apr.data.formats import read_listing


def grid(root, places, labels=("cat", "dog"), each=3):
    return put(
        root,
        *(f"{place}/{label}/{n}.png".replace("./", "") for place in places for label in labels for n in range(each)),
    )


def refusal(root, name="class_folders", options=None):
    with pytest.raises(Problem) as caught:
        read_listing(root, name, options)
    return str(caught.value)


def remedy(text):
    """The format and options that a message names, as YAML reads them."""
    name = re.search(r"use format: (\w+)", text)
    found = re.search(r"options: (\{.*?\})(?=$|; | \(|, or)", text) or re.search(r"options: (root: \S+)", text)
    options = yaml.safe_load(found[1])
    return (name[1] if name else "class_folders"), options


def follow(root, text):
    name, options = remedy(text)
    return read_listing(root, name, options)


# --- thumbnails


def test_thumbnails_are_left_out_and_counted(tmp_path):
    class_folders(tmp_path, {"cat": 3, "dog": 3})
    for label in ("cat", "dog"):
        put(
            tmp_path / label,
            "thumbs/000.jpg",
            "_thumbs/1.jpg",
            "a/thumbnails/2.jpg",
            "thumb/3.jpg",
            ".thumbnails/4.jpg",
        )
        put(tmp_path / label, "000_thumb.jpg", "001-thumb.jpg", "thumb_002.jpg", "002.thumb.jpg")
    put(tmp_path, "thumbs/000.jpg")
    listing = read_listing(tmp_path, "class_folders")
    assert counts(listing) == {("cat", None): 3, ("dog", None): 3}
    assert listing.ignored["thumbnail"] == 16
    assert "thumbs: a folder of thumbnails, left out" in listing.ignored.notes[0]
    named = read_listing(tmp_path, "class_folders", {"classes_order": ["cat", "dog", "thumbs"]})
    assert counts(named)["thumbs", None] == 1


def test_a_class_of_thumbs_is_kept(tmp_path):
    put(tmp_path, *(f"{label}/{label}_{n}.png" for label in ("thumb", "index") for n in range(3)))
    put(tmp_path, *(f"ring/thumbs/{n}.png" for n in range(3)))
    assert counts(read_listing(tmp_path, "class_folders")) == {(one, None): 3 for one in ("thumb", "index", "ring")}


# --- parts


def test_parts_further_down_are_refused_and_can_be_read(tmp_path):
    for part in ("train", "validation"):
        put(tmp_path, *(f"{label}/images/{part}/{n}.png" for label in ("cat", "dog") for n in range(2)))
    listing = read_listing(tmp_path, *remedy(refusal(tmp_path)))
    assert counts(listing) == {(label, part): 2 for label in ("cat", "dog") for part in ("train", "test")}


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (("labeled", "unlabeled", "test"), {"train": "labeled", "test": "test"}),
        (("gallery", "query", "train"), {"train": "train", "test": ["gallery", "query"]}),
        (("entra\u00eenement", "validation"), {"train": "entra\u00eenement", "test": "validation"}),
        (("tr", "te"), {"train": "tr", "test": "te"}),
        (("support", "query"), {"train": "support", "test": "query"}),
        (("Trainingsdaten", "Testdaten"), {"train": "Trainingsdaten", "test": "Testdaten"}),
        (("entrenamiento", "prueba"), {"train": "entrenamiento", "test": "prueba"}),
        (("fold1", "fold2", "fold10"), {"train": ["fold1", "fold2"], "test": "fold10"}),
        (("trainA", "trainB", "testA", "testB"), {"train": ["trainA", "trainB"], "test": ["testA", "testB"]}),
        (("train", "test", "background"), {"train": "train", "test": "test"}),
    ],
)
def test_parts_of_the_same_classes_are_refused(tmp_path, names, options):
    grid(tmp_path, names)
    text = refusal(tmp_path)
    assert remedy(text) == ("split_folders", options)
    assert follow(tmp_path, text).classes == ["cat", "dog"]


@pytest.mark.parametrize(
    "names", [("train", "car", "bus", "plane"), ("tr", "te", "en", "de"), ("gallery", "museum"), ("one", "two")]
)
def test_classes_with_views_are_no_parts(tmp_path, names):
    grid(tmp_path, names, labels=("day", "night"))
    assert read_listing(tmp_path, "class_folders").classes == sorted(names)


def test_flat_parts_are_refused(tmp_path):
    put(tmp_path, *(f"{part}/{n}.jpg" for part in ("labeled", "trainset_flat", "unlabeled") for n in range(4)))
    assert "use format: csv_labels with a table" in refusal(tmp_path)


@pytest.mark.parametrize("options", [("class_folders", None), ("split_folders", {"test": "test1"})])
def test_classes_in_the_names_of_a_flat_part(tmp_path, options):
    put(
        tmp_path,
        *(f"train/{label}.{n}.jpg" for label in ("cat", "dog") for n in range(5)),
        "test1/1.jpg",
        "test1/2.jpg",
    )
    text = refusal(tmp_path, *options)
    assert remedy(text) == ("file_names", {"root": "train", "pattern": "^(?P<class>[A-Za-z]+)[._-]"})
    assert follow(tmp_path, text).classes == ["cat", "dog"]


@pytest.mark.parametrize("name", ["class_folders", "split_folders"])
def test_a_flat_test_part_is_passed_over_for_one_with_classes(tmp_path, name):
    put(grid(tmp_path / "dataset", ["train", "valid"]), "test/1.jpg", "test/2.jpg")
    (tmp_path / "names.json").write_text("{}")
    options = {"root": "dataset"} if name == "class_folders" else None
    text = refusal(tmp_path, name, options)
    told = options or {}
    assert counts(read_listing(tmp_path, "split_folders", told | remedy(text)[1]))["dog", "test"] == 3
    by_default = read_listing(tmp_path, "split_folders", {"root": "dataset"})
    assert counts(by_default)["dog", "test"] == 3
    assert "test: 2 pictures of neither part are left out" in by_default.ignored.notes


# --- masks


def test_masks_within_the_classes(tmp_path):
    for label in ("a", "b"):
        put(tmp_path, *(f"{label}/images/{n}.jpg" for n in range(3)), *(f"{label}/masks/{n}.png" for n in range(3)))
    listing = follow(tmp_path, refusal(tmp_path))
    assert counts(listing) == {("a", None): 3, ("b", None): 3}
    assert {item.name.split("/")[1] for item in listing.items} == {"images"}


def test_masks_within_the_classes_of_two_parts(tmp_path):
    places = [f"{part}/{label}/{kind}" for part in ("train", "test") for label in "ab" for kind in ("imgs", "gt")]
    put(tmp_path, *(f"{place}/{n}.png" for place in places for n in range(3)))
    listing = follow(tmp_path, refusal(tmp_path, "split_folders"))
    assert counts(listing) == {(label, part): 3 for label in "ab" for part in ("train", "test")}


@pytest.mark.parametrize("masks", ["masks", "Annotations", "ground_truth", "labels"])
def test_masks_beside_the_images(tmp_path, masks):
    grid(tmp_path / "wrapper", ("images", masks))
    put(tmp_path, "readme.txt")
    text = refusal(tmp_path, "class_folders", {"root": "wrapper"})
    assert remedy(text)[1] == {"root": "wrapper/images"}
    assert follow(tmp_path, text).classes == ["cat", "dog"]


# --- wrappers


@pytest.mark.parametrize("place", ["CUB_200_2011/images", "GTSRB/Final Training/Images"])
def test_classes_further_down_are_found(tmp_path, place):
    put(grid(tmp_path, [place]), f"{place.split('/')[0]}/readme.txt", "attributes.txt")
    text = refusal(tmp_path)
    assert f"root: {place}" in text.replace('"', "")
    assert read_listing(tmp_path, "class_folders", {"root": place}).classes == ["cat", "dog"]


@pytest.mark.parametrize("place", ["car_data/car_data", "dataset"])
def test_parts_further_down_are_found(tmp_path, place):
    put(grid(tmp_path, [f"{place}/train", f"{place}/test"]), "names.csv")
    for name in ("split_folders", "class_folders"):
        text = refusal(tmp_path, name)
        assert remedy(text)[1] == {"root": place, "train": "train", "test": "test"}
    assert counts(follow(tmp_path, text))["cat", "test"] == 3


def test_a_root_is_found_in_a_single_folder(tmp_path):
    put(tmp_path / "only" / "set", "train/cat/1.png", "train/dog/1.png", "unlabelled/1.png")
    assert follow(tmp_path, refusal(tmp_path)).classes == ["cat", "dog"]


# --- folders that are no classes


def test_a_folder_of_documents_is_left_out_and_said(tmp_path):
    class_folders(tmp_path, {"cat": 2, "dog": 2})
    put(tmp_path, "docs/readme.txt", "docs/more/paper.pdf")
    listing = read_listing(tmp_path, "class_folders")
    assert listing.classes == ["cat", "dog"]
    assert listing.ignored.notes == ["docs: holds documents alone (.pdf 1, .txt 1): left out"]
    assert "'docs' holds no image" in refusal(tmp_path, options={"classes_order": ["cat", "docs", "dog"]})


def test_folders_can_be_left_out(tmp_path):
    class_folders(tmp_path, {"cat": 2, "dog": 2, "figures": 1})
    (tmp_path / "empty").mkdir()
    assert "or set options: leave_out: empty" in refusal(tmp_path)
    assert read_listing(tmp_path, "class_folders", {"leave_out": ["figures", "empty"]}).classes == ["cat", "dog"]
    assert "no class folder 'figure'" in refusal(tmp_path, options={"leave_out": ["figure", "empty"]})


@pytest.mark.parametrize("name", ["BACKGROUND_Google", "257.clutter", "unlabeled"])
def test_a_folder_whose_name_is_that_of_no_class_is_said(tmp_path, name):
    class_folders(tmp_path, {"cat": 2, "dog": 2, "backgrounder": 2, name: 3})
    (note,) = read_listing(tmp_path, "class_folders").ignored.notes
    assert note.startswith(f"{name}: is read as a class of 3 images, though its name says that it may be none")
    left = read_listing(tmp_path, "class_folders", yaml.safe_load(note.partition("set options: ")[2]))
    assert name not in left.classes
    assert left.ignored.notes == []
    named = ["backgrounder", "cat", "dog", name]
    assert read_listing(tmp_path, "class_folders", {"classes_order": named}).ignored.notes == []


def test_two_unicode_forms_of_a_folder_are_said(tmp_path):
    put(tmp_path, "caf\u00e9/1.png", unicodedata.normalize("NFD", "caf\u00e9") + "/2.png", "tea/1.png")
    listing = read_listing(tmp_path, "class_folders")
    assert listing.classes == ["caf\u00e9", "tea"]
    assert listing.ignored.notes == [
        "'caf\u00e9': written in two Unicode forms (composed and decomposed, as macOS does): taken for one class"
    ]
