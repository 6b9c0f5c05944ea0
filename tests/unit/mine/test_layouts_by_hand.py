"""Tables of labels and folders at the edge of what is recognised; what is said of them, word for word."""

from types import SimpleNamespace

import pytest
from data_helpers import counts, put

from apr.basics.problems import Problem
from mine import layouts
from mine.layouts import TAKEN, Labels, _image_column, _label_column, found_place, recognised


def table(text):
    """A table by its lines."""
    columns, *rows = (line.split(",") for line in text.split())
    cells = [SimpleNamespace(cells=dict(zip(columns, row, strict=True))) for row in rows]
    return SimpleNamespace(path="t.csv", columns=columns, rows=cells)


def message(call, *arguments):
    with pytest.raises(Problem) as caught:
        call(*arguments)
    return str(caught.value)


@pytest.fixture(autouse=True)
def no_spread(monkeypatch, request):
    if "tmp_path" not in request.fixturenames:
        monkeypatch.setattr(layouts, "one_hot_columns", lambda table: [])


STEMS = {"a1", "a2", "a3", "a1.jpg"}


def test_the_column_of_the_picture_is_that_most_of_whose_cells_name_one():
    assert _image_column(table("x,y\nu,a1\na2,a2\nv,w"), STEMS) == "y"  # 2 of 3
    assert _image_column(table("x,y\na1,in/a1\na2,in\\a1.jpg\nv,a3"), STEMS) == "y"
    half = "none of its columns (x, y) names the pictures in DATA; correct DATA or LABELS, or say which one does: "
    assert message(_image_column, table("x,y\nu,a1\nv,w"), STEMS) == f"t.csv: {half}IMAGE=column"  # 1 of 2
    header = "has no header: add a first line that names the columns, such as `image,label`"
    assert message(_image_column, table("in/a1,b\na2,c"), STEMS) == f"t.csv: {header}"


def rows(*columns):
    """A table of an image column and others, each by its cells."""
    names = ["im", *(name for name, _ in columns)]
    lines = zip([f"a{n}" for n in range(len(columns[0][1]))], *(cells for _, cells in columns), strict=True)
    return table("\n".join(",".join(line) for line in [names, *lines]))


def test_the_column_of_the_class_is_called_so_or_the_only_one_that_fits():
    assert _label_column(rows(("b", "xxyy"), ("c", "wxyz")), "im") == "b"  # two classes of two each, as few as may be
    assert _label_column(rows(("b", "xxyy"), ("kind", "uuvv"), ("label", "uuvv")), "im") == "label"
    assert _label_column(rows(("split", "xxyy"), ("c", "uuvv")), "im") == "c"  # a part is one if nothing else is
    assert _label_column(rows(("split", "xxyy"), ("c", "wxyz")), "im") == "split"
    assert _label_column(rows(("patient_id", "xxyy"), ("c", "uuvv")), "im") == "c"
    assert message(_label_column, rows(("b", "xxyy"), ("c", "uuvv")), "im") == (
        "t.csv: which column is the class? Say it: LABEL=b or LABEL=c"
    )
    assert message(_label_column, rows(("b", "xyz"), ("c", "uuu")), "im") == (
        "t.csv: none of its columns (im, b, c) holds classes (at least two, with several pictures each); say which one "
        "does: LABEL=column"
    )
    assert message(_label_column, rows(("class", "xxyy"), ("species_name", "uuvv")), "im").endswith(
        "LABEL=class or LABEL=species_name"
    )


def pictures(root, text, place="t.csv"):
    put(root, *(f"imgs/a{number}.jpg" for number in range(6)))
    return put(root, place, data=text.encode())


SPLIT = "image,kind,split,fold\n" + "".join(f"a{n},{'xy'[n % 2]},{'uv'[n // 3]},1\n" for n in range(6))


def test_what_is_recognised_in_a_table_is_said_and_parts_that_are_not_used(tmp_path):
    found = recognised(pictures(tmp_path, SPLIT, "in/t.csv"), Labels("t.csv"))
    assert found.words == "a table, t.csv, whose column 'image' names the picture, and 'kind' its class"
    assert found.options == {"table": "in/t.csv", "image": "image", "label": "kind"}
    assert found.notes == [
        f"t.csv: its column {name!r} may say which part a picture is of, and is not used; "
        "options: split in own.yaml would"
        for name in ("split", "fold")
    ]
    assert counts(found.listing) == {("x", None): 3, ("y", None): 3}
    asked = recognised(tmp_path, Labels("in/t.csv", "image", "split"))
    assert asked.options["label"] == "split"
    assert len(asked.notes) == 1
    hot = "image,x,y\n" + "".join(f"a{n},{int(n % 2 == 0)},{n % 2}\n" for n in range(6))
    spread = recognised(pictures(tmp_path / "hot", hot), Labels("t.csv"))
    assert spread.words.endswith("names the picture, and 2 columns of 0 and 1 its class")


def test_tables_that_are_not_there_or_have_no_pictures(tmp_path):
    pictures(tmp_path, SPLIT)
    said = "there is no such table, here or in DATA (there is t.csv); correct it"
    assert message(recognised, tmp_path, Labels("u.csv")) == f"LABELS=u.csv: {said}"
    put(tmp_path / "bare", "t.csv", data=SPLIT.encode())
    said = f"{tmp_path}/bare: holds no picture, beside LABELS=t.csv; give the folder of its pictures"
    assert message(recognised, tmp_path / "bare", Labels("t.csv")) == said
    put(tmp_path / "none", "a.jpg")
    said = "LABELS=t.csv: there is no such table, here or in DATA; correct it"
    assert message(recognised, tmp_path / "none", Labels("t.csv")) == said


def test_parts_in_words(tmp_path):
    places = [f"{part}/{label}/{n}.jpg" for part in ("train", "test", "val") for label in ("c", "d") for n in range(2)]
    found = recognised(put(tmp_path, *places))
    assert found.words == "folders of parts (train, test, val) with a folder for each class in them"
    assert found.options == {"train": ["train"], "test": ["test"], "validation": ["val"]}


def test_pictures_in_no_order_are_told_of(tmp_path):
    put(tmp_path, *(f"IMG{number}.jpg" for number in range(3)))
    end = "sort them, a folder for each class, or give LABELS=table.csv with a line for each picture"
    said = f"{tmp_path}: holds 3 pictures in no order (IMG0.jpg, IMG1.jpg, IMG2.jpg) and no folders of classes: {end}"
    assert message(recognised, tmp_path) == said
    put(tmp_path / "above", *(f"cat/IMG{number}.jpg" for number in range(3)), "cat/t.csv")
    said = message(recognised, tmp_path / "above")
    alone = (
        "(the only folder, 'cat', would be a single class): sort them, a folder for each class, or give LABELS=t.csv"
    )
    assert said.endswith(f"and no folders of classes {alone}, if that is it")


def test_a_thousand_folders_are_walked_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(layouts, "read_listing", lambda *_: "listing")
    for count in (1000, 1001):
        (tmp_path / f"c{count - 1000}").mkdir()
    for number in range(998):
        (tmp_path / f"d{number}").mkdir()
    assert recognised(tmp_path).words == "a folder for each class"
    (tmp_path / "one_more").mkdir()
    assert message(recognised, tmp_path).startswith(
        "DATA holds 1,001 folders, and each is taken for a class: more than"
    )


def test_a_file_that_is_no_archive_is_told_what_to_give(tmp_path):
    put(tmp_path, "n.txt", "t.TSV", data=b"a")
    assert message(found_place, str(tmp_path / "n.txt")) == (
        f"DATA={tmp_path}/n.txt: is a file, and no archive; give {TAKEN}"
    )
    assert message(found_place, str(tmp_path / "t.TSV")) == (
        f"DATA={tmp_path}/t.TSV: is a file, and no archive; give the folder of its pictures, and LABELS="
        f"{tmp_path}/t.TSV"
    )
