"""Tables of labels in which an image has several, another name, a fold, or a table beside it."""

import pytest
from data_helpers import put
from user_tables import NAMES, labels, read

from apr.basics.problems import Problem
from apr.data.formats import multi_label, options_problems, read_listing

LISTS = "image,label\np0.png,16 0\np1.png,0\np2.png,25\np3.png,0 25\n"
COLUMNS = "image,cat,dog,eel\np0.png,1,0,0\np1.png,1,1,0\np2.png,0,0,0\np3.png,0,1,1\n"


def test_several_labels_in_a_cell(tmp_path):
    listing = read(tmp_path, LISTS, label_separator=" ")
    assert listing.classes == ["0", "16", "25"]
    assert labels(listing) == {"p0.png": ("16", "0"), "p1.png": ("0",), "p2.png": ("25",), "p3.png": ("0", "25")}


def test_words_with_blanks_are_one_label(tmp_path):
    text = "image;label\np0.png;small cat|dog\np1.png;dog\np2.png;small cat\np3.png;dog | small cat\n"
    listing = read(tmp_path, text, label_separator="|")
    assert listing.classes == ["dog", "small cat"]
    assert labels(listing)["p3.png"] == ("dog", "small cat")


def joined(listing):
    return [note for note in listing.ignored.notes if "read as one label" in note]


def test_labels_that_may_be_two_are_said(tmp_path):
    text = "image,label\np0.png,green|wild\np1.png,green\np2.png,green wild\np3.png,wild\n"
    [note] = joined(read(tmp_path, text, label_separator="|"))
    assert (
        "line 4: 'green wild' is read as one label; 'green' and 'wild' stand there by themselves, too; if it is" in note
    )
    assert note.endswith("write '|' between them")
    [note] = joined(read(tmp_path, text.replace("green wild", "green;wild"), label_separator="|"))
    assert "'green;wild' is read as one label; 'green' and 'wild' stand" in note
    [note] = joined(read(tmp_path, text.replace("green wild", "big cat"), label_separator="|"))
    assert "line 4: 'big cat' is read as one label; a label may have a blank in its name" in note
    order = ["green", "wild", "green wild"]
    assert not joined(read(tmp_path, text, label_separator="|", classes_order=order))  # it was said to be one
    assert not joined(read(tmp_path, text.replace("green wild", "wild|green"), label_separator="|"))


def test_a_column_that_is_never_one_is_said(tmp_path):
    text = COLUMNS.replace(",eel", ",eel,owl,yak").replace("\np", ",0,0\np").replace("eel,owl,yak,0,0", "eel,owl,yak")
    listing = read(tmp_path, f"{text.strip()},0,0\n", label=["cat", "dog", "eel", "owl", "yak"], multi_label=True)
    assert listing.classes == ["cat", "dog", "eel"]
    [note] = [note for note in listing.ignored.notes if "0 in every row" in note]
    assert "the columns 'owl', 'yak' of options: label are 0 in every row, so that there is no such class" in note
    whole = read(tmp_path, COLUMNS, label=["cat", "dog", "eel"], multi_label=True)
    assert not [note for note in whole.ignored.notes if "0 in every row" in note]


def test_several_columns_of_ones(tmp_path):
    options = {"label": ["cat", "dog", "eel"], "multi_label": True}
    assert labels(read(tmp_path, COLUMNS, **options)) == {
        "p0.png": ("cat",),
        "p1.png": ("cat", "dog"),
        "p2.png": (),
        "p3.png": ("dog", "eel"),
    }
    with pytest.raises(Problem, match=r"line 3: one column .* has to be 1 .*set options: multi_label: true"):
        read(tmp_path, COLUMNS, label=["cat", "dog", "eel"])
    with pytest.raises(
        Problem, match=r"line 4: each column of options: label has to be 0 or 1 \(cat 0, dog 2, eel 0\)"
    ):
        read(tmp_path, COLUMNS.replace("p2.png,0,0", "p2.png,0,2"), **options)


def test_lists_of_numbers_are_no_classes(tmp_path):
    remedy = (
        r"set options: label_separator: ' ', or, if each such cell is one class, list all in options: classes_order"
    )
    with pytest.raises(
        Problem, match=rf"line 2: column 'label' says '16 0', which looks like several labels; {remedy}"
    ):
        read(tmp_path, LISTS)
    kept = read(tmp_path, LISTS, classes_order=["0", "25", "16 0", "0 25"])
    assert labels(kept)["p0.png"] == "16 0"
    words = read(tmp_path, LISTS.replace("16 0", "big cat").replace("0 25", "big dog"))
    assert "big cat" in words.classes
    assert not [note for note in words.ignored.notes if "several" in note]


def test_lists_of_words_are_said(tmp_path):
    text = "image,label\np0.png,mass|nodule\np1.png,mass\np2.png,nodule\np3.png,fine\n"
    [note] = [note for note in read(tmp_path, text).ignored.notes if "several" in note]
    assert "labels such as 'mass|nodule' look like several in one cell; if they are, set" in note
    assert "label_separator: '|'" in note
    alone = read(tmp_path, text.replace("p2.png,nodule", "p2.png,mass"))
    assert not [note for note in alone.ignored.notes if "several" in note]


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        (LISTS, {"classes_order": ["0", "25"]}, r"line 2: the label '16' is none of the 2 in options: classes_order"),
        (LISTS.replace("16 0", "0 0"), {}, r"line 2: column 'label' says '0 0'; write each label once"),
        (LISTS.replace("16 0", "01 0"), {}, None),
        (LISTS.replace("16 0", "00 1"), {}, r"the labels '00' \(line 2\) and '0' \(line 3\) are one number"),
        (LISTS.replace("16 0", ""), {}, r"line 2: column 'label' is empty"),
        (COLUMNS, {"label": ["cat", "dog"]}, r"label_separator: stands beside several columns"),
        (LISTS, {"label_separator": ""}, r"label_separator: is empty; write what stands between two labels"),
        (LISTS, {"label_separator": None, "multi_label": True}, r"multi_label: needs the columns of 0 and 1"),
    ],
)
def test_several_labels_that_are_wrong(tmp_path, text, options, says):
    if says is None:
        assert read(tmp_path, text, label_separator=" ").classes == ["0", "01", "25"]
        return
    with pytest.raises(Problem, match=says):
        read(tmp_path, text, **{"label_separator": " "} | options)


def test_labels_get_other_names(tmp_path):
    text = "image,label\np0.png,mel\np1.png,nv\np2.png,bkl\np3.png,mel\n"
    listing = read(tmp_path, text, labels_as={"mel": "melanoma", "others": "rest"}, classes_order=["rest", "melanoma"])
    assert listing.classes == ["rest", "melanoma"]
    assert labels(listing) == {"p0.png": "melanoma", "p1.png": "rest", "p2.png": "rest", "p3.png": "melanoma"}
    numbers = read(
        tmp_path, text.replace("mel", "1").replace("nv", "0").replace("bkl", "0"), labels_as={1: "a", 0: "b"}
    )
    assert labels(numbers)["p1.png"] == "b"
    with pytest.raises(Problem, match=r"no row has the label 'mell' of options: labels_as \(did you mean mel"):
        read(tmp_path, text, labels_as={"mell": "melanoma", "others": "rest"})
    with pytest.raises(
        Problem, match=r"labels_as names no class for 'bkl', 'nv'; add 'bkl', or others for all the rest"
    ):
        read(tmp_path, text, labels_as={"mel": "melanoma"})
    several = read(tmp_path, LISTS, label_separator=" ", labels_as={"25": "cytosol", "others": "nucleus"})
    assert labels(several)["p0.png"] == ("nucleus",)
    assert labels(several)["p3.png"] == ("nucleus", "cytosol")


def test_tables_in_folders_of_their_own(tmp_path):
    rows = {"new": "a,0,3,P1\nb,1,0,P2\nc,0,-1,P2\n", "old": "a,1,3,-1\nb,0,4,-1\n"}
    for folder, text in rows.items():
        put(tmp_path, *(f"{folder}/train/{row[0]}.jpg" for row in text.split()))
        put(tmp_path, f"{folder}/train.csv", data=f"image,label,fold,patient\n{text}".encode())
    options = {"table": ["new/train.csv", "old/train.csv"], "image": "image", "label": "label", "fold": "fold"}
    listing = read_listing(tmp_path, "csv_labels", options | {"group": "patient", "no_group": "-1"})
    assert [(item.name, item.label, item.group, item.fold) for item in listing.items] == [
        ("new/train/a.jpg", "0", "P1", ("new", 3)),
        ("new/train/b.jpg", "1", "P2", ("new", 0)),
        ("old/train/a.jpg", "1", None, ("old", 3)),
        ("old/train/b.jpg", "0", None, ("old", 4)),
    ]
    assert listing.ignored["row_left_out"] == 1
    put(tmp_path, "old/train.csv", data=b"image,label,fold,patient\na,1,x,-1\n")
    with pytest.raises(Problem, match=r"old/train\.csv: line 2: column 'fold' says 'x', which is no number of a fold"):
        read_listing(tmp_path, "csv_labels", options)


def test_the_order_of_the_rows_stays(tmp_path):
    text = "image,label\n" + "".join(f"{name},{'ab'[row % 2]}\n" for row, name in enumerate(reversed(NAMES)))
    assert [item.name for item in read(tmp_path, text).items] == [f"imgs/{name}" for name in reversed(NAMES)]


def test_a_configuration_knows_which_options_allow_several_labels():
    assert multi_label("hpa", {})
    assert multi_label("csv_labels", {"label_separator": "|"})
    assert multi_label("csv_labels", {"label": ["a", "b"], "multi_label": True})
    assert not multi_label("csv_labels", {"label": ["a", "b"]})
    assert not multi_label("class_folders", {})
    needed = {"table": "t", "image": "i", "label": "l"}
    assert options_problems("csv_labels", needed | {"labels_as": {"0": "a", 1: "b"}}) == []
    [(option, text)] = options_problems("csv_labels", needed | {"labels_as": {"0": 1}})
    assert (option, text) == ("labels_as", "0: 1 is an integer, expected string; write '1' in quotes")
    [(option, text)] = options_problems("csv_labels", needed | {"labels_as": "mel"})
    assert text == "'mel' is a string, expected mapping or null"
