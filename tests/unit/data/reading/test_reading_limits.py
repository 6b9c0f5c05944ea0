"""Rules for what people's folders, names and tables mean, each at both sides of its limits, as they were looked at."""

from pathlib import Path

import numpy as np
import pytest
from golden import checked_rows, told_by
from PIL import Image

from apr.basics.problems import Problem
from apr.data import likeness, oddities
from apr.data.reading import part_names
from apr.data.reading.checked import checked as all_checked
from apr.data.reading.checked import two_classes
from apr.data.reading.groups import column_hint, shown_groups, uniting_pattern
from apr.data.reading.headers import refuse_no_header, with_index_column
from apr.data.reading.label_table import decode_text, one_hot_columns, read_table
from apr.data.reading.layouts import in_names
from apr.data.reading.listing import Item, Listing, Span, in_order
from apr.data.reading.matching import Files
from apr.data.reading.part_names import part_of, parts_among, parts_of_same_classes, reading_of
from apr.data.reading.snippets import Snippet
from apr.data.reading.thumbnails import class_like, without_thumbnails
from apr.data.reading.walking import LeftOut, is_junk, listed_suffixes, named, pictures_among, suffix_of

said = told_by(Problem)

ROOT = Path("/pets")
PART_NAMES = (
    "train Training trainset TrainData train2017 train_cat_1 val valid testA test_b holdout samples tr te labeled seen"
)
PART_NAMES += (
    " gallery cats train_test entraînement Té data x TestDataSet set images_train tr_te validação training-trn"
)
FOLDERS = "train cat; train test; train_a test_a notes; train_a test_b x; train_a test_b; tr te; tr "
FOLDERS += "te cat; train; labeled unlabeled; train testA testB val; gallery query seen; fold1 fold2 "
FOLDERS += "fold10; fold1 split2; fold3 cats; train a; train a b; train test a b c; val predict"


def items(*names, label=None):
    return [Item(name, label or name.split("/")[0], Span(ROOT / name)) for name in names]


def listing(*names):
    own = items(*names)
    return Listing(own, sorted({item.label for item in own}))


def of_parts():
    for name in PART_NAMES.split(" "):
        yield name, part_of(name), part_of(name, weak=True)
    for names in map(str.split, FOLDERS.split("; ")):
        for find in (parts_among, parts_of_same_classes):
            parts = find(names)
            yield names, parts and (parts.train, parts.test, parts.other, part_names.tests_of(parts), reading_of(parts))


def of_layouts():
    trees = {
        "flat and deep": ("train/1.png", "train/2.png", "train/cat/3.png", "test/cat/4.png", "train/dog/5.png"),
        "half flat": ("train/1.png", "train/2.png", "train/cat/3.png", "train/dog/4.png", "test/cat/4.png"),
        "flat": ("train/cat.1.png", "train/cat.2.png", "train/dog.1.png", "train/dog.2.png", "test/cat.3.png"),
        "flat with more words": ("train/cat.1.png", "train/cat.2.png", "train/dog.1.png", "test/1.png"),
        "deep tests": ("train/cat/1.png", "train/dog/1.png", "test/1.png", "val/cat/1.png", "val/dog/2.png"),
        "same classes": ("a/cat/1.png", "a/dog/1.png", "train/cat/2.png", "train/dog/1.png"),
        "folds": ("fold1/cat/1.png", "fold1/dog/1.png", "fold2/cat/1.png", "fold2/dog/1.png"),
        "parts inside": ("cat/train/1.png", "cat/test/1.png", "dog/train/1.png", "dog/test/2.png", "owl/1.png"),
        "few parts inside": ("cat/train/1.png", "cat/test/1.png", "dog/1.png", "owl/2.png", "elk/1.png"),
        "parts in half": ("cat/train/1.png", "cat/test/1.png", "dog/a/1.png", "owl/2.png"),
        "deeper parts": ("cat/x/train/1.png", "cat/x/val/1.png", "dog/y/train/1.png", "dog/y/val/1.png"),
        "masks": ("images/cat/1.png", "images/dog/1.png", "masks/cat/1.png", "masks/dog/1.png"),
        "flat masks": ("images/1.png", "images/2.png", "masks/1.png", "masks/2.png"),
        "masks inside": ("cat/images/1.png", "cat/masks/1.png", "dog/photos/1.png", "dog/gt/1.png"),
        "masks of one": ("cat/images/1.png", "cat/masks/1.png", "dog/1.png", "dog/2.png"),
        "same folders": ("cat/left/1.png", "cat/right/1.png", "dog/left/1.png", "dog/right/1.png", "dog/up/1.png"),
        "other folders": ("cat/left/1.png", "cat/right/1.png", "dog/left/1.png", "dog/up/1.png"),
        "like": ("cat/1.png", "Cat/1.png"),
        "numbers": ("1/1.png", "01/2.png"),
        "letters": ("a/1.png", "A/1.png"),
        "one class": ("pets/cat/1.png", "pets/dog/1.png"),
        "one class with parts": ("pets/train/1.png", "pets/test/1.png"),
    }
    for title, names in trees.items():
        found = listing(*names)
        for how in ("class_folders", "split_folders", "csv_labels"):
            refused = said(all_checked, found, ROOT, how, {})
            yield title, how, refused if isinstance(refused, str) else refused.ignored.notes
        yield title, said(two_classes, found, ROOT, "class_folders")
    torn = [
        item.relabelled(lambda label, own=item: own.name[:-6]) for item in listing(*trees["parts inside"][:4]).items
    ]
    yield (
        "two deep",
        said(all_checked, Listing(torn, sorted({item.label for item in torn})), ROOT, "class_folders", {"depth": 2}),
    )
    for names in (["cat.1", "cat.2", "dog.1", "dog.2"] * 2, ["cat.1", "cat.2", "dog.1"] * 2, ["cat.1"] * 6):
        yield names, in_names("train", names), in_names("", [*names, "x"])
    for found, order in ((["10", "9"], None), (["10", "9"], "name"), (["b", "a"], "numeric"), (["1", "x"], ["x", "1"])):
        yield found, order, said(in_order, found, order), said(in_order, [*found, "z"], order)


def of_groups():
    def frames(groups, size, classes=1):
        return [f"c{c}/{c}g{chr(97 + g)}_{n}.png" for c in range(classes) for g in range(groups) for n in range(size)]

    for title, names in {
        "three of two": frames(3, 2),
        "two of two": frames(2, 2),
        "four in five": [*frames(4, 2), "c0/x1.png", "c0/y1.png"],
        "fewer": [*frames(4, 2), "c0/x1.png", "c0/y1.png", "c0/z1.png"],
        "large": frames(3, 200),
        "too large": frames(3, 201),
        "half of the classes": [*frames(3, 2), *(f"d/{letter}.png" for letter in "abcdef")],
        "most": [*frames(3, 2), *(f"d/{letter}.png" for letter in "abcde")],
        "folders": [f"c/{g}/{n}.png" for g in "abc" for n in "xy"],
    }.items():
        found = shown_groups(items(*names))
        yield title, found and (found[0], len(found[1]), sorted(set(found[1].values()))[:3])
    copies = ["a/1.png", "a/1 (2).png", "a/2.png", "a/3_copy.png", "b/1.png", "b/2.png", "b/3.png"]
    changed = ["a/1.png", "a/1_flip.png", "a/2.png", "a/3.png", "b/1.png", "b/2.png", "b/3x.png"]
    for names in (copies, changed, copies[:4] + copies[5:], frames(3, 2), ["a/x", "a/y"]):
        yield names[:2], uniting_pattern(items(*names), [(0, 1)])
    for name, cells in (("patient_id", "aab"), ("patient", "abc"), ("Patients no", "aaa"), ("age", "aab")):
        yield name, column_hint({name: list(cells)})


def of_tables(folder):
    def table(text, wanted=("image", "label"), **more):
        path = folder / "t.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        left = LeftOut()
        found = said(read_table, path, list(wanted), left, **more)
        rows = found if isinstance(found, str) else (found.columns, [(one.line, one.cells) for one in found.rows][-2:])
        return str((rows, left.notes)).replace(str(folder), "")

    for title, text in {
        "plain": "image,label\na,cat\n\nb,dog\n",
        "semicolon": "image;label\na;cat,x\n",
        "tab": "image\tlabel\na b\tcat\n",
        "spaces": "image label\na cat\n",
        "sep": "sep=;\nimage;label\na;cat\n",
        "comment": "# image,label\na,cat\n",
        "short row": "image,label\na\n",
        "long row": "image,label\na,cat,3\n",
        "empty cells": "image,label\na,cat,,\n",
        "row of 60": f"image,label\n{'x' * 54},cat,1\n",
        "row of 61": f"image,label\n{'x' * 55},cat,1\n",
        "open quote": 'image,label\n"a,cat\nb,dog\n',
        "line break": 'image,label\n"a\nb",cat\n',
        "blanks behind a quote": 'image,label\n"a" ,cat\n',
        "no rows": "image,label\n",
        "no header": "a.png,cat\nb.png,dog\n",
        "odd sign": "image^label\na^cat\n",
        "R": "image,label\n1,a,cat\n2,b,dog\n",
        "R with names that repeat": "image,label\n1,a,cat\n1,b,dog\n",
        "near": "imag,label\na,cat\n",
        "nulls": "image,label\na,c\0t\n",
        "Windows": "image,label\nx,caf\xe9\n".encode("cp1252"),
        "long Windows": f"image,label\nx,{'y' * 60}\xe9\n".encode("cp1252"),
        "mangled": "image,label\nx,\xe9\xe8\xe7\n".encode("cp1252"),
        "UTF-16": "image,label\nx,café\n".encode("utf-16"),
        "UTF-16 without mark": ("image,label\n" + "x,cat\n" * 20).encode("utf-16-be"),
        "little UTF-16 without mark": ("image,label\n" + "x,cat\n" * 7).encode("utf-16-le"),
        "too little UTF-16 without mark": ("image,label\n" + "x,cat\n" * 6).encode("utf-16-le"),
        "UTF-32": "image,label\nx,cat\n".encode("utf-32"),
        "mark": "\ufeffimage,label\nx,cat\n",
        "spreadsheet": b"PK\x03\x04xxxx",
        "Parquet": b"PAR1xxxx",
        "empty": b"",
    }.items():
        yield title, table(text)
    yield "given", table("image|label\na|cat\n", delimiter="pipe"), table("image,label\na,b\n", delimiter=";")
    yield "given odd", table("image,label\na,b\n", delimiter="ab"), table("x", encoding="utf-99")
    yield "own header", table("a;cat;1\n", ("image",), header=["image", "label", "x"])
    yield "pictures", table("one,cat\ntwo,dog\n", pictures=["one", "one.png"])
    yield "encoding", table("image,label\nx,caf\xe9\n".encode("latin-1"), encoding="latin-1")
    path = folder / "text"
    path.write_bytes(b"a\r\nb\rc\n")
    yield "ends", decode_text(path, LeftOut())
    for text in ("a,b\n1,0\n0,1\n", "a,b\n1,1\n0,1\n", "a,b,c\n1,0,x\n0,True,y\n", "a,c\n1,x\n1,y\n"):
        path.write_text(text)
        yield text, one_hot_columns(read_table(path, [], LeftOut()))
    yield "index", with_index_column(path, ["a"], [(1, ["x", ""]), (2, ["y", "1"])], LeftOut())
    yield "header", said(refuse_no_header, Path("t"), "a/one,x", ["a/one", "x"], ["image"], {"one"})


def of_files():
    paths = [ROOT / name for name in ("a/1.png", "a/2.png", "b/1.png", "b/c/3.JPG", "007.png", "x y.png")]
    files = Files(ROOT, paths, [ROOT / "4.heic"])
    for names in (
        ["a/1", "a/2.png"], ["1.png"], ["b/1.png", "2.png"], ["c/3.jpg"], ["b/c/3.png"], ["z/a/1.png", "z/a/2.png"],
        ["q/1.png", "q/2.png"], ["7"], ["7.0"], ["X Y.png"], ["xy.png"], ["4.heic"], ["2.png.png"], ["3.dcm"],
        ["a\\2.png"], ["nothing.png"] * 11, ["d/2.png", "e/2.png"], ["a/2.png", "q/a/1.png", "q/a/2.png"],
    ):  # fmt: skip
        for exact in (False, True):
            left = LeftOut()
            found = said(files.match_all, Path("/pets/t.csv"), dict(enumerate(names, 2)), exact, left)
            shown = found if isinstance(found, str) else {line: str(path) for line, path in found.items()}
            yield names[:3], exact, shown, left.notes


def of_folders():
    yield [(name, suffix_of(name)) for name in ("a.PNG", "a", "a.b c", "a.tar.gz", ".x")]
    yield listed_suffixes(LeftOut(["a", "b"]).suffixes), named("abc"), named("abcd"), named("abcd", 1)
    yield [(name, is_junk(name)) for name in (".x", "Thumbs.db", "~$a.doc", "a", "__MACOSX", "#recycle", "desktop")]
    for title, names in {
        "documents": ["1.png", *(f"{n}.txt" for n in range(5))],
        "many documents": ["1.png", *(f"{n}x.txt" for n in range(6))],
        "as many": [*(f"{n}.png" for n in range(6)), *(f"{n}x.txt" for n in range(6))],
        "strange": ["1.png", "2.heic"],
        "more strange": ["1.png", "2.heic", "3.heic"],
        "beside": ["1.png", "1.txt", "1.png.json"],
        "archives": ["1.png", "a.zip", "b.tar.gz"],
    }.items():
        left = LeftOut()
        pictures_among(ROOT, [ROOT / name for name in names], left)
        yield title, said(left.settle, False), dict(left), listed_suffixes(left.suffixes), left.notes
    for names in (
        ["1.png", "thumbs/1.png"],
        ["thumb_1.png", "x-thumb.jpg", "thumb/2.png"],
        ["1_thumb.png", "thumbnail-2.png", "3.png"],
    ):
        left = LeftOut()
        kept = without_thumbnails(ROOT, [ROOT / name for name in names], left)
        yield names, len(kept), dict(left)
    for names in (["cat", "thumbs"], ["thumb", "cat"], ["_thumbnails", "thumbs"], ["cat", "thumbs", "Thumbnail"]):
        left = LeftOut()
        yield names, [one.name for one in class_like([ROOT / name for name in names], ["Thumbnail"], left)], left.notes


def of_odd_datasets():
    for count in (1, 199, 200):
        yield oddities._few("test", count)
    for count in (6, 7, 10, 15, 16):
        yield count, oddities._odd_share("test", count, 100, {"test_fraction": 0.1, "by": "image"}, True)
    for near in (1, 2):
        pairs = [(0, 1)] * near
        yield oddities._near("test", pairs, items("a/1.png", "b/2.png"), False, 200)
        yield oddities._near("test", pairs, items("a/1.png", "b/2.png"), True, 201)


def of_pictures():
    """Sketches that differ in so many of their 64 places, and pictures that are so much alike."""
    base = np.random.default_rng(0).integers(0, 2, (8, 9)) * 40
    held = [base.copy() for _ in range(8)]
    for count, levels in enumerate(held):
        for place in range(count):
            levels[place, 4] = 80 - levels[place, 4]
    rows = np.stack([base, *held, np.full((8, 9), 90), base + 3, base // 4]).reshape(-1, 72).astype(np.uint8)
    first = np.arange(len(rows)) == 0
    yield "near", likeness._candidates(rows, ~first, first), likeness._candidates(rows, first, ~first)
    digests = np.array([5, 5, 7, 7, 7, 9, 5], np.uint64)
    labels, parts = np.array([0, 1, 0, 0, 0, 1, 0]), np.array([0, 1, 0, 2, 1, 2, 1])
    found = likeness._identical(digests, labels, parts)
    yield "identical", found
    rng = np.random.default_rng(1)
    plain = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    for share in (0.1, 0.2, 0.3, 0.6):
        other = (plain * (1 - share) + rng.integers(0, 256, plain.shape) * share).astype(np.uint8)
        yield share, likeness._same(Image.fromarray(plain), Image.fromarray(other))
    yield "sketch", likeness.sketch(Image.fromarray(plain)).hex()[:40]
    yield "large", likeness.sketch(Image.fromarray(np.tile(plain, (3, 3, 1)))).hex()[:40]


def of_snippets(folder):
    pixels = np.arange(7 * 5 * 3, dtype=np.uint8).reshape(7, 5, 3)
    Image.fromarray(pixels).save(folder / "p.png")
    for row, column, size in ((3, 2, 3), (0, 0, 3), (6, 4, 4), (7, 5, 2), (3, 2, 2)):
        cut = np.asarray(Snippet(folder / "p.png", row, column, size).decode().image)
        yield (row, column, size), (cut[:, :, 0] // 3).tolist()


KINDS = {"parts": of_parts, "layouts": of_layouts, "groups": of_groups, "files": of_files, "folders": of_folders}
KINDS |= {"odd": of_odd_datasets, "pictures": of_pictures, "tables": of_tables, "snippets": of_snippets}


@pytest.mark.parametrize("kind", KINDS)
def test_rules_decide_as_they_did(kind, tmp_path):
    rows = KINDS[kind](tmp_path) if kind in ("tables", "snippets") else KINDS[kind]()
    checked_rows(f"reading/{kind}", rows, tmp_path)
