"""Tables of labels as people have them: encodings, delimiters, gaps, paths, and what a miss says."""

import unicodedata

import pytest
from data_helpers import SHIPPED, counts, put
from user_tables import COLUMNS, NAMES, PLAIN, RIGHT, labels, read

from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.packing import pack_dataset

# --- encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "utf-16-le", "utf-16-be"])
def test_every_encoding_is_read_and_said(tmp_path, encoding):
    text = PLAIN.replace("dog", "Käfer") + "".join(f"p{n}.png,cat\n" for n in range(4, 12))
    listing = read(tmp_path, text, [f"p{n}.png" for n in range(12)], encoding)
    assert listing.classes == ["Käfer", "cat"]
    said = " ".join(listing.ignored.notes)
    if encoding == "cp1252":
        assert "t.csv: line 3: is not UTF-8 (byte 0xe4); it is read as Windows-1252 ('p1.png,Käfer')" in said
        assert "save it as UTF-8" in said
    else:
        assert ("UTF-16" in said) == encoding.startswith("utf-16")


@pytest.mark.parametrize(
    ("word", "encoding"),
    [("кошка", "cp1251"), ("猫", "shift_jis"), ("犬", "shift_jis"), ("狗", "gbk"), ("käse", "mac_roman")],
)
def test_an_encoding_that_cannot_be_told_has_to_be_given(tmp_path, word, encoding):
    text = PLAIN.replace("dog", word)
    if encoding != "shift_jis" or word == "犬":
        with pytest.raises(Problem, match=r"line 3: is not UTF-8 \(byte 0x..\).*options: encoding"):
            read(tmp_path, text, encoding=encoding)
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    put(tmp_path, *(f"imgs/{name}" for name in NAMES))
    listing = read_listing(tmp_path, "csv_labels", COLUMNS | {"encoding": encoding})
    assert listing.classes == ["cat", word]
    with pytest.raises(Problem, match="Python knows no such encoding"):
        read_listing(tmp_path, "csv_labels", COLUMNS | {"encoding": "utf-9"})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04...", "is a spreadsheet or another zip"),
        (b"\xd0\xcf\x11\xe0....", "is an old spreadsheet"),
        (b"", "is empty"),
        (b"<!doctype html><html>", "a file of kind html"),
        (b"image,label\np0.png,\x00cat\n", "line 2: holds null bytes"),
        (b"image,label\n", "has no row below its header"),
        (b"p0.png,cat\np1.png,dog\n", "its first line looks like data, not a header .* such as `image,label`"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, data, words):
    with pytest.raises(Problem, match=words):
        read(tmp_path, data)


# --- delimiters and lines


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_delimiters_are_found(tmp_path, sign):
    listing = read(tmp_path, PLAIN.replace(",", sign))
    assert labels(listing) == RIGHT
    assert bool(listing.ignored.notes) == (sign != ",")


@pytest.mark.parametrize("given", ["\\t", "\t", "tab", "Tab"])
def test_a_tab_has_many_names(tmp_path, given):
    assert labels(read(tmp_path, PLAIN.replace(",", "\t"), delimiter=given)) == RIGHT


def test_wrong_delimiters_are_named(tmp_path):
    with pytest.raises(Problem, match="its columns are separated by semicolon; correct options: delimiter"):
        read(tmp_path, PLAIN.replace(",", ";"), delimiter=",")
    with pytest.raises(Problem, match="delimiter: 'tabs': one character, or one of comma, semicolon, tab, pipe, space"):
        read(tmp_path, delimiter="tabs")


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace(",", " , "),
        PLAIN.replace("cat", '"cat"'),
        PLAIN.replace(",", " , ").replace("cat", '"cat"').replace("p1.png", '"p1.png"'),
        PLAIN + "\n,\n\n",
        "sep=,\n" + PLAIN,
        ",image,label\n0,p0.png,cat\n1,p1.png,dog\n2,p2.png,cat\n3,p3.png,dog\n",
        PLAIN.replace("cat\n", "cat,\n"),
        PLAIN.replace("dog", "dog\u00a0").replace("cat", "\u200bcat"),
        PLAIN.rstrip("\n"),
        "# " + PLAIN,
    ],
)
def test_harmless_forms_of_a_table(tmp_path, text):
    assert labels(read(tmp_path, text)) == RIGHT


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PLAIN.replace("p1.png,dog", "p1.png"), r"line 3: has 1 cells where the header has 2 \('p1.png'\)"),
        (PLAIN.replace("dog\np2", "dog,big\np2"), r"line 3: has 3 cells where the header has 2"),
        (PLAIN.replace("p1.png,dog", 'p1.png,"dog'), r"line 3: .*look for a quote that is not closed"),
        (PLAIN.replace("p1.png,dog", "p1.png,"), "line 3: column 'label' is empty; complete or remove"),
        (PLAIN.replace("p1.png,dog", "p1.png,NaN"), "line 3: column 'label' says 'NaN', which means an empty cell"),
        (PLAIN.replace("p1.png,dog", ",dog"), "line 3: column 'image' is empty"),
        (PLAIN.replace("label", "label,label").replace("g\n", "g,x\n").replace("t\n", "t,x\n"), "column 'label' twice"),
        (PLAIN.replace("cat", "1").replace("p3.png,dog", "p3.png,1.0"), r"labels '1' \(line 2\) and '1.0' \(line 5\)"),
        (PLAIN.replace("p3.png,dog", "p3.png,Dog"), "classes 'Dog' and 'dog' are the same but for case or spaces"),
        (PLAIN + "p0.png,cat\n", r"p0.png appears 2 times in the table, in lines 2 \(cat\), 6 \(cat\)"),
        (
            PLAIN + "imgs/p0.png,dog\n",
            r"p0.png appears 2 times .* under different labels in lines 2 \(cat\), 6 \(dog\)",
        ),
        (PLAIN.replace("dog", "cat"), "of one class, 'cat'"),
        (PLAIN.replace("dog", "train").replace("cat", "test"), "are parts, not classes; correct what gives the class"),
    ],
)
def test_what_is_wrong_with_a_line_is_named(tmp_path, text, words):
    with pytest.raises(Problem, match=words):
        read(tmp_path, text)


def test_a_class_may_be_called_none_if_the_user_says_so(tmp_path):
    assert read(tmp_path, PLAIN.replace("dog", "none"), classes_order=["cat", "none"]).classes == ["cat", "none"]


def test_classes_spread_over_columns(tmp_path):
    text = "image,MEL,NV\np0.png,1.0,0.0\np1.png,0.0,1.0\np2.png,1,0\np3.png,0,1\n"
    with pytest.raises(Problem, match=r"no column 'label': the classes are spread .*options: label: \[MEL, NV\]"):
        read(tmp_path, text)
    assert labels(read(tmp_path, text, label=["MEL", "NV"])) == dict(zip(NAMES, ["MEL", "NV"] * 2, strict=True))
    with pytest.raises(Problem, match=r"line 5: one column of options: label has to be 1.*MEL 1, NV 1"):
        read(tmp_path, text.replace("p3.png,0", "p3.png,1"), label=["MEL", "NV"])


# --- paths


def test_paths_are_compared_as_paths(tmp_path):
    text = "image,label\ncat/0.png,cat\ncat/1.png,cat\ndog/0.png,dog\ndog/1.png,dog\n"
    names = ["cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png"]
    right = {name: name.split("/")[0] for name in names}
    forms = [text, text.replace(".png", ""), text.replace("/", "\\"), text.replace("\nc", "\n./c")]
    forms += [text.replace("\nc", f"\n{top}c").replace("\nd", f"\n{top}d") for top in ("/home/me/set/", "C:\\set\\")]
    forms += [text.replace("\nc", "\nimgs/c").replace("\nd", "\nimgs/d")]
    for form in forms:
        assert labels(read(tmp_path, form, names)) == right, form


def test_a_name_never_means_a_file_in_another_folder(tmp_path):
    text = "image,label\n" + "".join(f"A/{n}.png,{'cat' if n % 2 else 'dog'}\n" for n in range(8))
    names = [f"{'A' if n < 6 else 'B'}/{n}.png" for n in range(8)]
    with pytest.raises(Problem, match=r"2 of 8 images are missing: A/6.png \(there is imgs/B/6.png, in another folder"):
        read(tmp_path, text, names)
    with pytest.raises(Problem, match="8 of 8 images are missing"):
        read(tmp_path, text.replace("A/", "C/"), names)
    deep = text.replace("A/6", "Z/B/6").replace("A/7", "Z/B/7")
    with pytest.raises(Problem, match=r"2 of 8 images are missing: Z/B/6.png"):
        read(tmp_path, deep, names)


def test_another_machine_s_folders_may_be_missing_here(tmp_path):
    put(tmp_path, *NAMES)
    (tmp_path / "t.csv").write_text(PLAIN.replace("\np", "\n/data/train_images/p"))
    assert labels(read_listing(tmp_path, "csv_labels", COLUMNS)) == RIGHT


def test_unicode_forms_are_matched_and_said(tmp_path):
    text = PLAIN.replace("p0", "é0")
    listing = read(tmp_path, text, [unicodedata.normalize("NFD", "é0.png"), *NAMES[1:]])
    assert sorted(label for label in labels(listing).values()) == ["cat", "cat", "dog", "dog"]
    assert listing.ignored.notes == ["t.csv: 1 names are written in another Unicode form than the files: é0.png"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["p0.JPG", "p1.JPG", "p2.JPG", "p3.JPG"], "4 names differ from the files in their suffix"),
        (["p0.PNG", "p1.PNG", "p2.PNG", "p3.PNG"], "4 names differ from the files in case only"),
    ],
)
def test_another_suffix_is_taken_and_said(tmp_path, names, words):
    listing = read(tmp_path, names=names)
    assert counts(listing) == {("cat", None): 2, ("dog", None): 2}
    assert words in listing.ignored.notes[0]


@pytest.mark.parametrize(
    ("names", "change", "words"),
    [
        (["P0.png", *NAMES[1:]], {}, r"1 of 4 .* p0.png \(there is imgs/P0.png, which differs in case only"),
        (["p00.png", *NAMES[1:]], {}, r"p0.png \(there is imgs/p00.png, with leading zeros"),
        (["p_0.png", *NAMES[1:]], {}, r"p0.png \(there is imgs/p_0.png, which differs in spaces or signs only"),
        (["p0.heic", *NAMES[1:]], {}, r"1 of 4 images are missing: p0.png; correct or"),
        ([*NAMES[1:], "p0.jpg"], {}, r"1 of 4 .* p0.png \(there is imgs/p0.jpg, with another suffix"),
        (NAMES, {"suffix": ".png"}, r"p0.png.png \(there is imgs/p0.png: options: suffix adds what the table has"),
        ([*NAMES, "x/p0.png"], {}, r"line 2: p0.png is ambiguous: imgs/p0.png and imgs/x/p0.png"),
    ],
)
def test_a_miss_names_the_likely_reason(tmp_path, names, change, words):
    with pytest.raises(Problem, match=words):
        read(tmp_path, names=names, **change)


def test_a_kind_that_is_not_read_is_named(tmp_path):
    with pytest.raises(Problem, match=r"p0.heic \(is there, but .heic is no kind that is read: convert it"):
        read(tmp_path, PLAIN.replace("p0.png", "p0.heic"), ["p0.heic", *NAMES[1:]])


# --- groups


def test_a_row_without_a_group_is_named_where_it_matters(tmp_path):
    text = "image,label,patient\np0.png,cat,a\np1.png,dog,NA\np2.png,cat,b\np3.png,dog,c\n"
    listing = read(tmp_path, text, group="patient")
    place = {"name": "x", "storage": "pixels"}
    with pytest.raises(Problem, match=r"line 3: column 'patient' is empty \(1 of 4 rows\); fill it"):
        pack_dataset(listing, tmp_path / "x", tmp_path / "x.json", split=SHIPPED | {"by": "group"}, **place)
    assert pack_dataset(listing, tmp_path / "x", tmp_path / "x.json", split=SHIPPED, **place)["n_groups"] == 4


@pytest.mark.parametrize("values", ["val", ["val", "dev"]])
def test_values_of_the_part(tmp_path, values):
    text = "image,label,part\np0.png,cat,train\np1.png,dog,Train\np2.png,cat,val\np3.png,dog,VAL\n"
    assert counts(read(tmp_path, text, split="part", test_values=values))["dog", "test"] == 1
