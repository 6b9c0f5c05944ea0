"""What the readers of folders, names and tables make of small datasets and say, whole, as it was looked at."""

import pytest
from data_helpers import put
from golden import checked_rows
from listings_told import told


def of_folders(root):
    def case(title, names, how="class_folders", **options):
        put(root / title, *names)
        return title, told(root / title, how, **options)

    yield case("plain", ["b/1.png", "a/2.jpg", "a/x/3.png", "a/notes.txt", "top.png", "readme.md", ".hidden"])
    yield case("depth", ["x/b/1.png", "x/a/1.png", "y/b/1.png", "y/1.png"], depth=2)
    yield case("order", ["b/1.png", "a/2.jpg"], classes_order=["b", "a"])
    yield case("left out", ["b/1.png", "a/2.jpg", "c/1.png"], leave_out="c")
    yield case("left out that is not there", ["b/1.png", "a/2.jpg"], leave_out=["d", "c"])
    yield case("documents", ["b/1.png", "a/2.jpg", "doc/a.pdf", "doc/b.txt", "doc/c.txt"])
    yield case("documents of one of two", ["a/2.jpg", "doc/a.pdf"])
    yield case("clutter", ["b/1.png", "a/2.jpg", "257.clutter/1.png", "257.clutter/2.png"])
    yield case("clutter that is listed", ["clutter/1.png", "a/2.jpg"], classes_order=["a", "clutter"])
    yield case("no image", ["b/1.png", "a/2.heic", "a/3.txt"])
    yield case("flat", ["cat.1.png", "cat.2.png", "dog.1.png", "dog.2.png", "dog.3.png", "dog.4.png"])
    yield case("flat without words", ["1.png", "2.png", "3.png", "4.txt"])
    yield case("nothing deep", ["a/1.png", "b/1.png"], depth=3)
    both = [f"{part}/{label}/{n}.png" for part in ("train", "test", "val") for label in "ab" for n in (1, 2)]
    yield case("parts", both, "split_folders")
    yield case("three parts", both, "split_folders", validation="val")
    yield case("parts given", both, "split_folders", train=["train", "val"], test="test")
    yield case("parts twice", both, "split_folders", train=["train", "test"])
    yield case("a part that is not there", both, "split_folders", validation="dev")
    yield case("no train", [name.replace("train", "learn") for name in both], "split_folders")
    yield case("doubled", [f"{name.split('/')[0]}/{name}" for name in both], "split_folders", test="test")
    yield case("deeper", [f"x/y/{name}" for name in both] + ["x/z/1.png", "x/1.txt"], "split_folders")
    yield case("valid", [name.replace("test", "empty") for name in both], "split_folders")
    yield case("one alone", [*both, "train/c/1.png"], "split_folders", missing="drop")
    yield case("one kept", [*both, "train/c/1.png"], "split_folders", missing="keep")
    yield case("rooted", [f"deep/{name}" for name in both] + ["readme.txt"], "split_folders", root="deep")
    yield case("root in one", ["only/deep/a/1.png", "only/deep/b/1.png", "only/c/1.png"], root="deep")
    yield case("no root", ["x/a/1.png", "x/b/1.png", "y/b/1.png"], root="z")
    yield case("most dropped", ["a/1.png", "b/1.png", "a/2.heic", "a/3.heic", "b/4.heic"])
    yield case("most ignored", ["a/1.png", "b/1.png", "a/2.heic", "a/3.heic", "b/4.heic"], others="ignore")
    yield case("group", ["a/x_1.png", "b/y_2.png"], group=r"/(?P<group>[a-z])_")
    yield case("no images", ["a/1.txt", "b/2.txt"])


def of_names(root):
    def case(title, names, **options):
        put(root / title, *names)
        return title, told(root / title, "file_names", **options)

    names = ["x/cat_train_p1.png", "x/dog_TEST_p2.png", "y/cat_val_p3.png", "y/dog_train_p1.png"]
    whole = r"^(?P<class>[a-z]+)_(?P<split>[A-Za-z]+)_(?P<group>p\d)"
    yield case("whole", names, pattern=whole)
    yield case("validation", names, pattern=whole, validation_values="VAL")
    yield case("folders", names, pattern="(?P<class>[xy])/")
    yield case("unmatched", [*names, "y/odd.png", "y/1.png"], pattern=whole)
    yield case("ignored", [*names, "y/odd.png", "y/1.png"], pattern=whole, unmatched="ignore")
    yield case("other parts", [*names, "y/cat_odd_p1.png"], pattern=whole)
    yield case("order", names, pattern="(?P<class>cat|dog)", classes_order=["dog", "cat"])
    yield case("empty", [*names, "z/_train_p1.png"], pattern="^(?P<class>[a-z]*)_", unmatched="ignore")


def of_tables(root):
    names = [f"imgs/{letter}.png" for letter in "abcd"]

    def case(title, text, names=names, **options):
        put(root / title, *names)
        for name, content in ({"t.csv": text} if isinstance(text, str) else text).items():
            put(root / title, name, data=content.encode())
        common = {"table": "t.csv", "image": "image", "label": "label"}
        return title, told(root / title, "csv_labels", **common | options)

    rows = ["a,cat,train,0,p1,3", "b,dog,Testing,1,-1,4", "c,cat,val,2,,5", "d,dog,old,-1,p1,5"]
    text = "\n".join(["image,label,part,fold,patient,age", *rows, ""])
    yield case("plain", text)
    yield case("suffix", text, suffix="png")
    yield case("other suffix", text, suffix=".jpg")
    yield case("own suffix", text, suffix="_x.png")
    yield case("parts", text, split="part")
    yield case("parts given", text, split="part", validation_values="val", ignore_values="OLD")
    yield case("parts all", text, split="part", train_values=["train", "old"], test_values=["testing", "val"])
    yield case("parts ignored", text, split="part", ignore_values=["old", "val", "train", "testing"])
    yield case("folds", text, fold="fold")
    yield case("odd folds", text.replace(",2,", ",2.5,"), fold="fold")
    yield case("long folds", text.replace(",2,", ",2.0,").replace(",0,", ",00,"), fold="fold")
    yield case("groups", text, group="patient")
    yield case("no groups", text, group="patient", no_group="-1")
    yield case("column of groups", text.replace("age", "patient_id").replace("patient,", "x,"))
    yield case("missing column", text, split="prt")
    yield case("double column", text.replace("age", "label"))
    yield case("empty name", text.replace("\nb,", "\n,"))
    yield case("twice", text.replace("\nb,", "\na,"))
    yield case("twice alike", text.replace("\nb,dog", "\na,cat").replace("\nd", "\nc"))
    yield case("missing image", text.replace("\nb,", "\nx,").replace("\nd,", "\ny,"))
    yield case("no table", {"u.csv": text, "v.tsv": text, "w.md": "x"})
    yield case("no folder", text, table="deep/t.csv")
    yield case("delimiter", text.replace(",", "|"), delimiter="pipe")
    yield case("order", text, classes_order=["dog", "cat"])
    yield case("renamed", text, labels_as={"cat": "pet", "others": "beast"})
    yield case("spread", "image,cat,dog\na,1,0\nb,0,1\nc,1,0\nd,0,1\n")
    columns = "image,cat,dog,eel\na,1,0,0\nb,0,True,0\nc,1,1,0\nd,0,0,0\n"
    yield case("columns", columns, label=["cat", "dog", "eel"])
    yield case("columns of several", columns, label=["cat", "dog", "eel"], multi_label=True)
    yield case("odd columns", columns.replace("c,1,1", "c,2,1"), label=["cat", "dog"], multi_label=True)
    yield case("columns and a separator", columns, label=["cat", "dog"], label_separator=" ")
    yield case("several in one", text, multi_label=True)
    yield case("empty separator", text, label_separator="")
    tables = {f"{place}/t.csv": text.replace(",old,-1", f",{place},3") for place in ("one", "two")}
    places = [f"{place}/{letter}.png" for place in ("one", "two") for letter in "abcde"]
    yield case("two tables", tables, places, table=["one/t.csv", "two/t.csv"], fold="fold", group="patient")
    yield case("two tables without folds", tables, places, table=["one/t.csv", "two/t.csv"])


def of_labels(root):
    put(root, *(f"{letter}.png" for letter in "abcd"))

    def case(*cells, **options):
        (root / "t.csv").write_text(
            "image\tlabel\n" + "".join(f"{n}\t{c}\n" for n, c in zip("abcd", cells, strict=True))
        )
        found = told(root, "csv_labels", table="t.csv", image="image", label="label", **options)
        if isinstance(found, str):
            return cells, found
        return cells, [one[:2] for one in found[1]], [note for note in found[2]["notes"] if "separated by" not in note]

    yield case("cat", "dog", "", "cat")
    yield case("cat", "dog", "NA", "cat")
    yield case("cat", "dog", "NA", "cat", classes_order=["NA", "cat", "dog"])
    yield case("1", "2", "1.0", "2")
    yield case("1", "2", "01", "2")
    yield case("1e1", "2", "10", "2")
    yield case("16 0", "0", "1", "0, 2")
    yield case("16 0", "0", "1", "cat")
    yield case("16;0", "0", "1", "2", classes_order=["0", "1", "2", "16;0"])
    yield case("a|b", "a", "b", "c")
    yield case("a|b", "a", "c", "c|d")
    yield case("a;b", "a", "b", "a,b")
    yield case("16 0", "0", "0 1", "1", label_separator=" ")
    yield case("a| b", "a b", "b", "c|a", label_separator="|")
    yield case("a|b", "a;c", "c|b c", "c", label_separator="|")
    yield case("a|b", "x y", "u v", "b", label_separator="|")
    yield case("a|a", "a", "b", "c", label_separator="|")
    yield case("|", "a", "b", "c", label_separator="|")
    yield case("a|z", "a", "b", "c", label_separator="|", classes_order=["a", "b", "c"])
    yield case("a|zz", "a", "b", "zebra", label_separator="|", classes_order=["a", "b", "zebra"])
    yield case("a", "b", "c", "d", labels_as={"a": "x", "b": "y", "c": "x", "d": "y"})
    yield case("a", "b", "c", "d", labels_as={"a": "x", "b": "y"})
    yield case("a", "b", "c", "d", labels_as={"aa": "x", "others": "y"})
    yield case("a|b", "b", "c", "c|a", labels_as={"a": "x", "others": "y"}, label_separator="|")


KINDS = {"folders": of_folders, "names": of_names, "tables": of_tables, "labels": of_labels}


@pytest.mark.parametrize("kind", KINDS)
def test_names_make_and_say_what_they_did(kind, tmp_path):
    checked_rows(f"reading/formats/{kind}", KINDS[kind](tmp_path), tmp_path)
