"""What the readers of arrays make of small datasets and say of them, whole, as it was looked at."""

import gzip
import json
import pickle
import struct

import numpy as np
import pytest
from data_helpers import put, refused_as
from golden import checked_rows
from listings_told import told

from apr.basics.problems import Problem
from apr.data.formats.cifar import _Array, load_plain


def idx(array, kind=8):
    head = struct.pack(">BBBB", 0, 0, kind, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(np.uint8).tobytes()


def of_idx(root):
    images, labels = np.arange(4 * 2 * 3).reshape(4, 2, 3), np.array([3, 7, 7, 12])
    files = {
        "train-images-idx3-ubyte": idx(images),
        "train-labels-idx1-ubyte": idx(labels),
        "t10k-images.idx3-ubyte": idx(images[:2] + 100),
        "t10k-labels.idx1-ubyte": idx(labels[::-1][:2]),
    }

    def case(title, options=(), **changes):
        place = root / title
        changed = {name.replace("_", "-"): data for name, data in changes.items()}
        for name, data in files.items():
            data = changed.get(name.partition("-idx")[0].partition(".idx")[0], data)
            if data is not None:
                put(place, name, data=data)
        return title, told(place, "idx", **dict(options))

    yield case("plain")
    yield case("names", {"classes": ["c", "a", "b"]})
    yield case("too few names", {"classes": ["c", "a"]})
    yield case("double names", {"classes": ["c", "a", "a"]})
    yield case("other prefix", {"prefix": "fashion-"})
    for name in ("train_images", "train_labels", "t10k_images", "t10k_labels"):
        yield case(f"no {name}", **{name: None})
    yield case("short by one", train_images=files["train-images-idx3-ubyte"][:-1])
    yield case("long by one", train_images=files["train-images-idx3-ubyte"] + b"x")
    yield case("header cut", train_images=files["train-images-idx3-ubyte"][:15])
    yield case("header alone", train_images=files["train-images-idx3-ubyte"][:3])
    yield case("floats", train_labels=idx(labels, kind=13))
    for sides in (0, 4, 5):
        yield case(f"{sides} sides", train_images=b"\0\0\x08" + bytes([sides]) + struct.pack(">I", 1) * sides + b"x")
    yield case("claims too much", train_labels=b"\0\0\x08\x01" + struct.pack(">I", 2**32 - 1))
    yield case("fewer labels", train_labels=idx(labels[:3]))
    for name, data in files.items():
        put(root / "gz", f"deep/mnist-{name}.gz", data=gzip.compress(data, mtime=0))
    yield "gz", told(root / "gz", "idx"), told(root / "gz", "idx", prefix="mnist-")


def of_npz(root):
    x, y = np.arange(4 * 2 * 2 * 3, dtype=np.uint8).reshape(4, 2, 2, 3), np.array([0, 1, 1, 5])
    train, test = {"x_train": x, "y_train": y}, {"x_test": x[:2], "y_test": y[2:, None]}

    def case(title, arrays, **options):
        (root / title).mkdir()
        np.savez(root / title / "a.npz", **arrays)
        return title, told(root / title, "npz", **options)

    yield case("train", train)
    yield case("both", train | test)
    yield case("three", train | test | {"x_val": x[3:], "y_val": y[3:]}, validation=True)
    yield case("validation is left", train | test | {"x_val": x[3:], "y_val": y[3:], "more": y})
    yield case("no validation", train | test, validation=True)
    yield case("half a validation", train | test | {"x_val": x}, validation=True)
    yield case("own names", train | {"classes": np.array(["c", "a", "b"])})
    yield case("given names", train | {"classes": np.array(["c", "a", "b"])}, classes=["x", "y", "z"])
    yield case("names in rows", train | {"classes": np.array([["c", "a", "b"]])})
    for keys in ("train_images train_labels", "train_x train_y", "train_data train_labels", "x_train train_labels"):
        yield case(keys, dict(zip(keys.split(), (x, y), strict=True)))
    yield case("half", {"x_train": x, "y_test": y})
    yield case("half a test", train | {"x_test": x})
    for title, images in {
        "gray": x[..., 0],
        "one channel": x[..., :1],
        "two channels": x[..., :2],
        "flat": x.reshape(4, 12),
        "first": np.zeros((4, 3, 5, 5), np.uint8),
        "first of one": np.zeros((4, 1, 5, 5), np.uint8),
        "shares": x / 47,
        "values": x * 1.0,
        "up to 255": np.where(x > 46, 255.0, x),
        "beyond": np.where(x > 46, 255.5, x),
        "normalised": x - 1.0,
        "no values": np.zeros((0, 2, 2, 3)),
        "nothing": x[:0],
        "words": x.astype(np.uint16),
    }.items():
        yield case(title, {"x_train": images, "y_train": y[: len(images)]})
    for title, labels in {
        "one hot": np.eye(4, dtype=int),
        "column": y[:, None],
        "row": y[None],
        "floats": y * 1.0,
        "truths": y > 0,
        "few": y[:3],
        "small": y.astype(np.uint8),
        "negative": y - 1,
    }.items():
        yield case(f"labels {title}", {"x_train": x, "y_train": labels})
    np.savez(root / "train" / "b.npz", **train)
    yield "two", told(root / "train", "npz"), told(root / "train", "npz", file="b.npz")[0]
    yield "none of that name", told(root / "train", "npz", file="c.npz")


def batch(labels, key=b"labels", **more):
    rows = np.arange(len(labels) * 3072).astype(np.uint8).reshape(len(labels), 3072)
    return {key: labels, b"data": rows} | more


def of_cifar(root):
    meta = {b"label_names": [b"cat", "dög".encode("latin1")], b"num_cases_per_batch": 2}

    def case(title, changes=(), **options):
        files = {"batches.meta": meta, **{f"data_batch_{n}": batch([0, 1]) for n in range(1, 6)}}
        files |= {"test_batch": batch([1])} | dict(changes)
        for name, value in files.items():
            if value is not None:
                put(root / title, name, data=pickle.dumps(value, 2) if not isinstance(value, bytes) else value)
        return title, told(root / title, "cifar", **options)

    yield case("ten")
    yield case("coarse ten", labels="coarse")
    yield case("without two", {"data_batch_2": None, "test_batch": None})
    yield case("short", {"data_batch_4": batch([0])})
    yield case("no number of rows", {"batches.meta": {b"label_names": [b"a", b"b"]}, "data_batch_4": batch([0])})
    yield case("double names", {"batches.meta": {b"label_names": [b"a", b"a"]}})
    yield case("other names", {"batches.meta": {b"names": [b"a", b"a"]}})
    yield case("more batches", {"data_batch_6": batch([0]), "data_batch_7": batch([0]), "readme.html": b"x"})
    yield case("label beyond", {"data_batch_1": batch([0, 2])})
    yield case("label below", {"data_batch_1": batch([-1, 1])})
    yield case("label of text", {"data_batch_1": batch([b"0", 1])})
    yield case("other rows", {"data_batch_1": batch([0, 1]) | {b"labels": [0]}})
    yield case("no array", {"data_batch_1": {b"labels": [0, 1], b"data": b"x"}})
    yield case("words", {"data_batch_1": {b"labels": [0], b"data": np.zeros((1, 3072), np.uint16)}})
    yield case("turned", {"data_batch_1": {b"labels": [0, 1], b"data": np.asfortranarray(batch([0, 1])[b"data"])}})
    yield case("a list", {"data_batch_1": [1]})
    yield case("no pickle", {"data_batch_1": b"<html>"})
    hundred = {"meta": {b"fine_label_names": [b"a", b"b", b"c"], b"coarse_label_names": [b"x", b"y"]}}
    for name, fine in (("train", [2, 0]), ("test", [1])):
        hundred[name] = batch(fine, b"fine_labels", **{}) | {b"coarse_labels": [one % 2 for one in fine]}
    for name, value in hundred.items():
        put(root / "hundred", f"deep/er/{name}", data=pickle.dumps(value, 2))
    yield "hundred", told(root / "hundred", "cifar"), told(root / "hundred", "cifar", labels="coarse")
    put(root / "hundred", "batches.meta", data=pickle.dumps(meta, 2))
    yield "two sets", told(root / "hundred", "cifar")


def plainly(path, data):
    path.write_bytes(data)
    try:
        return str(load_plain(path)).replace(str(path), "")
    except Problem as problem:
        return f"refused: {problem}".replace(str(path), "")


def of_pickles(root):
    """Lists of 19, 20 and 21 in each other, so many keys, and text that grows."""
    for depth in (19, 20, 21):
        yield depth, "refused" in plainly(root / "x", pickle.dumps({0: json.loads("[" * depth + "]" * depth)}, 2))
    for keys in (1000, 1001):
        yield keys, plainly(root / "x", pickle.dumps(dict.fromkeys(range(keys)), 2))[:70]
    encode = b"c_codecs\nencode\nX\x04\x00\x00\x00abcdX\x06\x00\x00\x00latin1\x86R"
    memo = b"\x80\x02(X\x40\x00\x00\x00" + b"a" * 64 + b"q\x00c_codecs\nencode\nq\x01"
    again = b"h\x01h\x00X\x06\x00\x00\x00latin1\x86R"
    yield "encoded", plainly(root / "x", b"\x80\x02}K\x01" + encode + b"s.")
    for times in (2, 8):
        yield times, plainly(root / "x", memo + again * times + b"t}K\x01K\x02s.")[:90]
    for name in ("latin-1", "utf-8"):
        text = b"\x80\x02}K\x01c_codecs\nencode\nX\x01\x00\x00\x00aX" + struct.pack("<I", len(name)) + name.encode()
        yield name, plainly(root / "x", text + b"\x86Rs.")
    yield "a number of its own", plainly(root / "x", b"\x80\x02}q\x02.")
    yield "a number ahead", plainly(root / "x", b"\x80\x02}q\x01."), plainly(root / "x", b"\x80\x02}r\x05\0\0\0.")
    yield "used again", plainly(root / "x", b"\x80\x02}(K\x01X\x01\0\0\0aq\x00K\x02h\x00u.")
    yield "a tuple again", plainly(root / "x", b"\x80\x02}K\x01)q\x00h\x00\x86s.")


KINDS = {"idx": of_idx, "npz": of_npz, "cifar": of_cifar, "pickles": of_pickles}


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_make_and_say_what_they_did(kind, tmp_path):
    checked_rows(f"reading/formats/{kind}", KINDS[kind](tmp_path), tmp_path)


@pytest.mark.parametrize(("keys", "depth", "what"), [(1, 21, "lists too deep"), (1001, 0, "too many keys")])
def test_what_makes_a_pickle_costly_is_named(tmp_path, keys, depth, what):
    nested = None
    for _ in range(depth):
        nested = [nested]
    (tmp_path / "x").write_bytes(pickle.dumps(dict.fromkeys(range(keys - 1)) | {"last": nested}, 2))
    with refused_as(f"{tmp_path}/x: this pickle holds {what}, as no CIFAR file does: it may be malicious; delete it"):
        load_plain(tmp_path / "x")


def test_an_array_of_another_type_is_refused():
    with refused_as("holds an array of unknown type"):
        _Array().__setstate__((1, (1,), "u1", False, b"x"))
