"""What readers refuse that a user seldom has: each is named with the remedy, and nothing is guessed."""

import pickle
import ssl
import struct
import tarfile
import zlib

import numpy as np
import pytest
from data_helpers import refused_as
from PIL import Image

from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.formats.cifar import _batch
from apr.data.packed import open_packed
from apr.data.packing import pack_dataset
from apr.data.reading.decoding import Undecodable, _eight_bits
from apr.data.reading.label_table import decode_text, read_table
from apr.data.reading.listing import Item, Listing, in_order
from apr.data.reading.survey import survey_folder
from apr.data.reading.walking import LeftOut, visible
from apr.data.sources.archives import _link, hinting
from apr.data.sources.file_kinds import kind_of_file
from apr.data.sources.member_names import UNICODE_PATH, _unicode_path
from apr.data.sources.web_answers import _is_cut_handshake

PIXELS = np.zeros((2, 2, 3), np.uint8)


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(PIXELS).save(path)


def pictures(root, *names):
    for name in names:
        picture(root / name)


def refused(match, root, name, **options):
    with pytest.raises(Problem, match=match):
        read_listing(root, name, options)


def test_class_folders(tmp_path):
    pictures(tmp_path, "train/cat/1.png", "train/dog/1.png", "test/cat/1.png", "test/dog/1.png")
    twice = "the folder 'train' is given twice; correct options: train, test, validation$"
    refused(twice, tmp_path, "split_folders", test="train")
    refused("depth", tmp_path, "split_folders", depth=0)
    refused("classes_order", tmp_path, "split_folders", classes_order="odd")
    pictures(tmp_path / "apart", "train/cat/1.png", "test/dog/1.png")
    with refused_as(f"{tmp_path}/apart: no class has train and test images; correct options: train, test"):
        read_listing(tmp_path / "apart", "split_folders", {"missing": "drop"})


def test_names_of_files(tmp_path):
    pictures(tmp_path, "train_cat_1.png", "valid_cat_2.png", "other_dog_3.png")
    pattern = r"(?P<split>[a-z]+)_(?P<class>[a-z]+)_"
    with refused_as(
        f"{tmp_path}/other_dog_3.png: its part reads 'other'; correct options: pattern, so that it is train or test, "
        "or name it in validation_values"
    ):
        read_listing(tmp_path, "file_names", {"pattern": pattern})
    with refused_as(
        f"{tmp_path}: no images found (format file_names); put some there, or correct the folder or its format"
    ):
        read_listing(tmp_path, "file_names", {"pattern": "^(?P<class>none)", "unmatched": "ignore"})
    refused("unmatched", tmp_path, "file_names", pattern="(?P<class>[a-z]+)", unmatched="odd")


def test_tables_of_labels(tmp_path):
    pictures(tmp_path, "a.png", "b.png")
    (tmp_path / "labels.csv").write_text("image,label,split\na.png,x,train\nb.png,y,train\n")
    options = {"table": "labels.csv", "image": "image", "label": "label"}
    refused(
        "labels.csv: options: ignore_values leaves no row of 2; shorten it$",
        tmp_path,
        "csv_labels",
        **options,
        split="split",
        ignore_values=["train"],
    )
    with refused_as("options: ignore_values: needs options: split, the column that holds these values"):
        read_listing(tmp_path, "csv_labels", options | {"ignore_values": ["train"]})
    (tmp_path / "double.csv").write_text("image,label,label\na.png,x,x\nb.png,y,y\n")
    with refused_as(f"{tmp_path}/double.csv: has the column 'label' twice; rename one"):
        read_listing(tmp_path, "csv_labels", options | {"table": "double.csv"})
    (tmp_path / "odd.csv").write_bytes(b"image,label\na.png,\xe9\n")
    with pytest.raises(Problem, match=r"odd\.csv: is not ascii \('ascii' codec .*\); correct options: encoding$"):
        decode_text(tmp_path / "odd.csv", LeftOut(), "ascii")
    unread = "cannot be read (No such file or directory); correct its permissions or its link"
    with refused_as(f"{tmp_path}/none.csv: {unread}"):
        decode_text(tmp_path / "none.csv", LeftOut())
    with refused_as(f"{tmp_path}/none: {unread}"):
        visible(tmp_path / "none")
    (tmp_path / "open.csv").write_text('image,label\na.png,"x\ny"\nb.png,z\n')
    with pytest.raises(Problem, match="line 2: column 'label' holds a line break"):
        read_table(tmp_path / "open.csv", ["image", "label"], LeftOut())


def test_tiny_imagenet(tmp_path):
    pictures(tmp_path, "train/n1/images/1.JPEG", "val/images/v.JPEG")
    refused("val_annotations.txt: is missing; this is not Tiny-ImageNet's layout$", tmp_path, "tiny_imagenet")
    (tmp_path / "val/val_annotations.txt").write_text("v.JPEG\tn1\t0\t0\t1\t1\nv.JPEG\tn2\t0\t0\t1\t1\n")
    refused("v.JPEG is 'n1' in line 1 and 'n2' in line 2; correct one", tmp_path, "tiny_imagenet")
    (tmp_path / "train/n2").mkdir()
    refused("class 'n2' holds no image: add some, or remove the folder", tmp_path, "tiny_imagenet")


def test_cifar(tmp_path):
    with refused_as(f"{tmp_path}: holds neither batches.meta (CIFAR-10) nor meta (CIFAR-100)"):
        read_listing(tmp_path, "cifar")
    batch = tmp_path / "data_batch_1"

    for changes, words in (
        ({b"labels": [0]}, "data is not one row of 3072 bytes a label; fetch it again"),
        ({b"data": np.zeros((2, 3071), np.uint8)}, "data is not one row of 3072 bytes a label; fetch it again"),
        ({b"data": b"x"}, "data is not one row of 3072 bytes a label; fetch it again"),
        ({b"labels": [0, 2]}, "labels are not all from 0 to 1; fetch it again"),
        ({b"labels": [-1, 1]}, "labels are not all from 0 to 1; fetch it again"),
        ({b"labels": None}, "has no 'labels'; it is not the file that CIFAR's authors ship"),
    ):
        batch.write_bytes(pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, 1]} | changes))
        with refused_as(f"{batch}: {words}"):
            _batch(batch, "train", "labels", ["a", "b"])


def test_arrays(tmp_path):
    refused("one npz file is needed, there are: none; set options: file", tmp_path, "npz")
    for name in "ab":
        np.savez(tmp_path / f"{name}.npz", x_train=np.zeros((1, 2, 2, 3), np.uint8), y_train=[0])
    refused(r"one npz file is needed, there are: .*b\.npz", tmp_path, "npz")


@pytest.mark.parametrize(
    ("rows", "classes", "words"),
    [
        ([("1", "a", None), ("1", "b", None)], "ab", "1: two images have this name; rename one"),
        ([("1", "a", "dev")], "a", "part 'dev': has to be one of train, test, validation"),
        (
            [("1", "a", "train"), ("2", "a", None), ("3", "a", None)],
            "a",
            "2 images belong to no part while others do; complete the split",
        ),
        ([("1", "a", None)], "ab", "class 'b' has no image: add some, or remove the class"),
        ([("1", "a", None)], "acb", "class 'c' has no image: (and 1 more classes) add some, or remove the class"),
    ],
)
def test_a_listing_that_contradicts_itself(tmp_path, rows, classes, words):
    listing = Listing([Item(name, label, PIXELS, split) for name, label, split in rows], list(classes))
    with refused_as(f"{tmp_path}: {words}"):
        listing.check(tmp_path)


def test_orders_of_classes():
    assert in_order(["10", "9", "a"], None) == ["10", "9", "a"]
    assert in_order(["10", "9"], None) == ["9", "10"]
    assert in_order(["10", "9"], "name") == ["10", "9"]
    with pytest.raises(Problem, match="'odd': numeric, name, or a list of all classes"):
        in_order(["a"], "odd")
    with pytest.raises(Problem, match=r"class 'a' is not a number; if it is no class, set options: root$"):
        in_order(["a", "1"], "numeric")


def test_a_storage_that_is_not_known_packs_and_opens_nothing(tmp_path):
    with pytest.raises(Problem, match=r"/x: storage 'zip': pixels or encoded$"):
        open_packed(tmp_path / "x", "zip")
    with pytest.raises(Problem, match=r"^x: storage: 'zip': pixels or encoded$"):
        pack_dataset(Listing([], []), tmp_path / "x", tmp_path / "x.json", name="x", storage="zip", split={})


@pytest.mark.parametrize(("low", "high", "fits"), [(0, 65535, True), (-1, 9, False), (0, 65536, False)])
def test_values_beyond_16_bits_are_no_picture(low, high, fits):
    image = Image.fromarray(np.array([[low, high]], np.int32))
    if fits:
        assert np.asarray(_eight_bits(image, lambda: 16)).tolist() == [[0, 255]]
    else:
        with pytest.raises(Undecodable, match=f"^has values from {low} to {high}, beyond 16 bits; convert it first$"):
            _eight_bits(image, lambda: 16)


def test_a_tar_older_than_posix_is_told_by_its_header(tmp_path):
    info = tarfile.TarInfo("a.txt")
    head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    head[257:265] = bytes(8)
    head[148:156] = b"%06o\0 " % (sum(head[:148]) + sum(head[156:512]) + 8 * 32)
    (tmp_path / "old.tar").write_bytes(bytes(head) + bytes(1024))
    (tmp_path / "old.bin").write_bytes(bytes(head) + bytes(1024))
    (tmp_path / "no.tar").write_bytes(b"x" * 1024)
    assert [kind_of_file(tmp_path / name) for name in ("old.tar", "old.bin", "no.tar")] == ["tar", "other", "other"]


def test_a_name_in_unicode_that_is_none_is_left_out():
    def field(name, raw=b"raw", kind=UNICODE_PATH):
        data = b"\x01" + struct.pack("<I", zlib.crc32(raw)) + name
        return struct.pack("<HH", kind, len(data)) + data

    assert _unicode_path(field("é".encode()), b"raw") == "é"
    assert _unicode_path(field(b"x", kind=1) + field(b"y"), b"raw") == "y"
    assert _unicode_path(field(b"\xff"), b"raw") is None
    assert _unicode_path(field(b"x", raw=b"other"), b"raw") is None


def test_a_handshake_that_is_cut_may_pass():
    assert _is_cut_handshake(ssl.SSLEOFError())
    assert _is_cut_handshake(OSError(ssl.SSLZeroReturnError()))
    outer = ValueError()
    outer.__cause__ = ssl.SSLEOFError()
    assert _is_cut_handshake(outer)
    assert not _is_cut_handshake(ssl.SSLCertVerificationError())
    circle = ValueError()
    circle.__cause__ = circle
    assert not _is_cut_handshake(circle)


def test_sources_with_nothing_or_twice_the_same(tmp_path, monkeypatch):
    with pytest.raises(Problem, match="holds no file"):
        survey_folder("x", tmp_path)
    (tmp_path / "a").write_text("a")
    _link(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").samefile(tmp_path / "b")
    with pytest.raises(Problem, match="came out of another archive of the same source"):
        _link(tmp_path / "a", tmp_path / "b")

    def no_links(*_):
        raise OSError

    monkeypatch.setattr("os.link", no_links)
    _link(tmp_path / "a", tmp_path / "c")
    assert (tmp_path / "c").read_text() == "a"
    assert not (tmp_path / "a").samefile(tmp_path / "c")


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ([], r"^nothing$"),
        (
            list("abc"),
            r"^nothing; archives inside were not unpacked \(a, b, c\): to have them unpacked, set options: nested: ",
        ),
        (list("abcd"), r"not unpacked \(a, b, c and 1 more\): .* nested: true$"),
    ],
)
def test_archives_inside_may_be_why_nothing_was_found(inner, words):
    with pytest.raises(Problem, match=words), hinting({"inner": inner} if inner else {}):
        raise Problem("nothing")
