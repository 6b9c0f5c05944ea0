import pytest
from data_helpers import class_folders, counts, put

from apr.basics.problems import Problem
from apr.data.formats import FORMATS, format_options, read_listing
from apr.data.reading.listing import in_order


def test_unknown_formats_and_options_name_the_nearest(tmp_path):
    with pytest.raises(Problem, match="did you mean class_folders"):
        read_listing(tmp_path, "class_folder")
    with pytest.raises(Problem, match=r"classes_ordr: class_folders has no such option \(did you mean classes_order"):
        read_listing(tmp_path, "class_folders", {"classes_ordr": "numeric"})
    with pytest.raises(Problem, match="format csv_labels: options: table: is missing; csv_labels needs it"):
        read_listing(tmp_path, "csv_labels", {"image": "a", "label": "b"})
    with pytest.raises(Problem, match=r"nowhere: there is no such folder"):
        read_listing(tmp_path, "class_folders", {"root": "nowhere"})
    assert all("root" in format_options(name) for name in FORMATS)


# --- class folders


def test_class_folders_pass_over_what_is_no_image(tmp_path):
    root = class_folders(tmp_path / "top" / "inner", {"b": 2, "a": 3})
    put(tmp_path / "top", "__MACOSX/inner/a/._000.jpg", ".DS_Store")
    put(root, "a/notes.txt", "a/.hidden.jpg", "readme.md")
    listing = read_listing(tmp_path, "class_folders")
    assert listing.classes == ["a", "b"]
    assert counts(listing) == {("a", None): 3, ("b", None): 2}
    assert listing.items[0].name == "a/000.jpg"
    assert +listing.ignored == {"hidden": 1, "not_an_image": 1, "outside_class_folders": 1}


def test_numbers_are_sorted_as_numbers(tmp_path):
    class_folders(tmp_path, {"10": 1, "2": 1, "0": 1})
    assert read_listing(tmp_path, "class_folders").classes == ["0", "2", "10"]
    assert read_listing(tmp_path, "class_folders", {"classes_order": "name"}).classes == ["0", "10", "2"]
    assert read_listing(tmp_path, "class_folders", {"classes_order": ["2", "0", "10"]}).classes == ["2", "0", "10"]
    with pytest.raises(Problem, match=r"'cat' is not a number; if it is no class, set options: root"):
        in_order(["1", "cat"], "numeric")
    with pytest.raises(Problem, match="does not list each class once"):
        in_order(["1", "2"], ["1", "3"])


def test_empty_class_is_named(tmp_path):
    class_folders(tmp_path, {"a": 2, "b": 0})
    with pytest.raises(Problem, match="class 'b' holds no image"):
        read_listing(tmp_path, "class_folders")
    put(tmp_path, "b/notes.txt")
    with pytest.raises(Problem, match="class 'b' holds no image"):
        read_listing(tmp_path, "class_folders")


def test_parts_taken_for_classes_are_noticed(tmp_path):
    put(tmp_path, "train/a/1.jpg", "test/a/2.jpg")
    with pytest.raises(Problem, match="use format: split_folders"):
        read_listing(tmp_path, "class_folders")


def test_deeper_classes(tmp_path):
    put(tmp_path, "Greek/alpha/1.png", "Greek/beta/1.png", "Latin/alpha/1.png")
    listing = read_listing(tmp_path, "class_folders", {"depth": 2})
    assert listing.classes == ["Greek/alpha", "Greek/beta", "Latin/alpha"]


# --- split folders


def test_split_folders(tmp_path):
    put(tmp_path, "set/train/a/1.jpg", "set/train/b/1.jpg", "set/val/a/1.jpg", "set/val/b/2.jpg")
    listing = read_listing(tmp_path, "split_folders")
    assert counts(listing) == {(label, split): 1 for label in "ab" for split in ("train", "test")}
    put(tmp_path, "set/test/a/7.jpg", "set/test/b/7.jpg")
    assert {item.name for item in read_listing(tmp_path, "split_folders").items if item.split == "test"} == {
        "test/a/7.jpg",
        "test/b/7.jpg",
    }
    both = read_listing(tmp_path, "split_folders", {"train": ["train", "val"]})
    assert counts(both)["a", "train"] == 2
    with pytest.raises(Problem, match=r"no folder 'tests'.*test, train, val"):
        read_listing(tmp_path, "split_folders", {"test": "tests"})


def test_kaggle_s_doubled_folders(tmp_path):
    put(tmp_path, *(f"seg_{part}/seg_{part}/{label}/1.jpg" for part in ("train", "test") for label in "ab"))
    put(tmp_path, "seg_pred/seg_pred/1.jpg")
    listing = read_listing(tmp_path, "split_folders", {"train": "seg_train", "test": "seg_test"})
    assert counts(listing) == {(label, part): 1 for label in "ab" for part in ("train", "test")}
    assert listing.ignored["in_other_folders"] == 1


def test_classes_in_one_part_can_be_dropped(tmp_path):
    put(tmp_path, *(f"{part}/{label}/1.jpg" for part in ("train", "test") for label in "ac"), "train/b/1.jpg")
    listing = read_listing(tmp_path, "split_folders", {"missing": "drop"})
    assert listing.classes == ["a", "c"]
    assert listing.ignored["class_without_both_parts"] == 1


# --- tables and names


TABLE = "image,dx,lesion,part\nI1,nv,L1,train\nI2,nv,L1,test\nI3,mel,L2,train\nI4,mel,L3,TEST\n"
COLUMNS = {"table": "t.csv", "image": "image", "label": "dx"}


def test_csv_labels(tmp_path):
    put(tmp_path, "part_1/I1.jpg", "part_1/I2.jpg", "part_2/I3.jpg", "I4.jpg", "I5.jpg")
    (tmp_path / "t.csv").write_text(TABLE, encoding="utf-8-sig")
    listing = read_listing(tmp_path, "csv_labels", COLUMNS | {"group": "lesion", "split": "part"})
    assert listing.classes == ["mel", "nv"]
    assert [(item.name, item.label, item.group, item.split) for item in listing.items[:2]] == [
        ("part_1/I1.jpg", "nv", "L1", "train"),
        ("part_1/I2.jpg", "nv", "L1", "test"),
    ]
    assert listing.ignored["not_in_table"] == 1
    assert read_listing(tmp_path, "csv_labels", COLUMNS | {"suffix": ".jpg"}).items[0].split is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": "dxx"}, "no column 'dxx' .did you mean dx"),
        ({"table": "u.csv"}, "table of labels is missing"),
        ({"split": "lesion"}, "line 2: column 'lesion' says 'L1'"),
        ({"suffix": ".png"}, r"4 of 4 images are missing: I1\.png"),
    ],
)
def test_bad_tables(tmp_path, change, words):
    put(tmp_path, *(f"I{n}.jpg" for n in (1, 2, 3, 4)))
    (tmp_path / "t.csv").write_text(TABLE)
    with pytest.raises(Problem, match=words):
        read_listing(tmp_path, "csv_labels", COLUMNS | change)


def test_ambiguous_and_repeated_images_in_a_table(tmp_path):
    put(tmp_path, "a/I1.jpg", "b/I1.jpg")
    (tmp_path / "t.csv").write_text("image,dx\nI1,nv\n")
    with pytest.raises(Problem, match="line 2: I1 is ambiguous"):
        read_listing(tmp_path, "csv_labels", COLUMNS)
    (tmp_path / "b" / "I1.jpg").unlink()
    (tmp_path / "t.csv").write_text("image,dx\nI1,nv\nI1,mel\n")
    with pytest.raises(
        Problem, match=r"I1 appears 2 times in the table, under different labels in lines 2 .nv., 3 .mel."
    ):
        read_listing(tmp_path, "csv_labels", COLUMNS | {"root": "."})


def test_file_names(tmp_path):
    put(tmp_path, "VL _ TV _ 0001.bmp", "IR_TY_0001.bmp", "IR_TV_0002.bmp")
    pattern = r"^(VL|IR)[ _]+(?P<class>TV|TY)[ _]"
    listing = read_listing(tmp_path, "file_names", {"pattern": pattern})
    assert counts(listing) == {("TV", None): 2, ("TY", None): 1}
    put(tmp_path, "odd.bmp")
    with pytest.raises(Problem, match=r"1 images do not match .*odd\.bmp.*unmatched: ignore"):
        read_listing(tmp_path, "file_names", {"pattern": pattern})
    assert read_listing(tmp_path, "file_names", {"pattern": pattern, "unmatched": "ignore"}).ignored["unmatched"] == 1
    with pytest.raises(Problem, match="not a regular expression"):
        read_listing(tmp_path, "file_names", {"pattern": "("})
    with pytest.raises(Problem, match="no group"):
        read_listing(tmp_path, "file_names", {"pattern": "(VL)"})
