"""CIFAR pickles, idx and npz."""

import gzip
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
from data_helpers import counts, put, real

from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.formats.arrays import load_idx
from apr.data.formats.cifar import load_plain

# --- CIFAR


def batch(labels, key=b"labels"):
    rng = np.random.default_rng(0)
    return {key: labels, b"data": rng.integers(0, 256, (len(labels), 3072), np.uint8)}


def dump(path, value, protocol=2):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value, protocol))


def test_cifar_10_and_100(tmp_path):
    ten = tmp_path / "ten" / "cifar-10-batches-py"
    dump(ten / "batches.meta", {b"label_names": [b"cat", b"dog"]})
    first = batch([0, 1, 1])
    for number in range(1, 6):
        dump(ten / f"data_batch_{number}", first)
    dump(ten / "test_batch", batch([1, 0]))
    listing = read_listing(tmp_path / "ten", "cifar")
    assert listing.classes == ["cat", "dog"]
    assert [(item.name, item.label, item.split) for item in listing.items[:2]] == [
        ("data_batch_1/00000", "cat", "train"),
        ("data_batch_1/00001", "dog", "train"),
    ]
    red_plane_first = first[b"data"][1].reshape(3, 32, 32)
    np.testing.assert_array_equal(listing.items[1].source[..., 0], red_plane_first[0])
    hundred = tmp_path / "hundred"
    dump(hundred / "meta", {b"fine_label_names": [b"a", b"b", b"c"], b"coarse_label_names": [b"x", b"y"]})
    for name in ("train", "test"):
        dump(hundred / name, batch([2, 0, 1], b"fine_labels") | {b"coarse_labels": [1, 0, 1]})
    assert read_listing(hundred, "cifar").classes == ["a", "b", "c"]
    assert counts(read_listing(hundred, "cifar", {"labels": "coarse"}))["y", "train"] == 2


MALICIOUS = (
    r"batches\.meta: this pickle asks for (posix|nt)\.system, which no CIFAR file needs: it may be malicious; "
    r"delete it$"
)


class Malicious:
    def __reduce__(self):
        return os.system, ("touch " + os.environ["EVIL"],)


def test_a_malicious_pickle_is_not_executed(tmp_path, monkeypatch):
    monkeypatch.setenv("EVIL", str(tmp_path / "evil"))
    dump(tmp_path / "batches.meta", {b"label_names": [Malicious()]})
    with pytest.raises(Problem, match=MALICIOUS):
        read_listing(tmp_path, "cifar")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    "stream",
    [
        b"\x80\x02cbuiltins\neval\n(S'1'\ntR.",
        b"\x80\x02c_codecs\ndecode\n.",
        b"\x80\x02c_codecs\nencode\n(X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13tR.",
        b"\x80\x02cnumpy\ndtype\n(X\x01\x00\x00\x00OtR.",
        b"\x80\x02cnumpy\nload\n.",
    ],
)
def test_other_globals_are_refused(tmp_path, stream):
    (tmp_path / "x").write_bytes(stream)
    with pytest.raises(Problem, match=r"x: .*(asks for|only bytes)"):
        load_plain(tmp_path / "x")


@pytest.mark.parametrize("stream", [b"", b"\xff\xfe\x80\x02}.", b"\x80\x02", b"\x80\x02K\x01.", b"<html>"])
def test_what_is_no_pickle_is_named(tmp_path, stream):
    (tmp_path / "x").write_bytes(stream)
    with pytest.raises(Problem, match="x: is not a pickle of CIFAR"):
        load_plain(tmp_path / "x")


def test_real_pickle_with_stray_bytes(tmp_path):
    with zipfile.ZipFile(*real("broken_downloads.zip")) as archive:
        archive.extract("bom_prefixed_pickle/batches.meta", tmp_path)
    with pytest.raises(Problem, match=r"batches\.meta: is not a pickle of CIFAR"):
        read_listing(tmp_path, "cifar")


@pytest.mark.parametrize("protocol", range(5))
def test_every_protocol_is_read(tmp_path, protocol):
    value = batch([0, 1, 1]) | {b"filenames": [b"a.png", b"b.png", b"a.png"], b"other": np.arange(4, dtype=np.uint8)}
    dump(tmp_path / "x", value, protocol)
    found = load_plain(tmp_path / "x")
    assert found[b"labels"] == [0, 1, 1]
    np.testing.assert_array_equal(found[b"data"].values, value[b"data"])
    assert found[b"filenames"] == [b"a.png", b"b.png", b"a.png"]


TWICE = b"".join(b"q%ch%c\x86" % (number, number) for number in range(40))
HARMFUL = {
    "tuples of themselves as a key": b"\x80\x02})\x85" + TWICE + b"K\x01s.",
    "as a type": b"\x80\x02cnumpy\ndtype\n)\x85" + TWICE + b"\x85R.",
    "as an encoding": b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00a)\x85" + TWICE + b"\x86R.",
    "remembered behind another": b"\x80\x02})\x85" + b"".join(b"N0q%ch%c\x86" % (n, n) for n in range(40)) + b"K\x01s.",
    "remembered in turn": b"\x80\x04}" + b"".join(b"\x85\x94h%c\x86" % n for n in range(40)) + b"K\x01s.",
    "doubled": b"\x80\x02})\x85" + b"2\x86" * 40 + b"K\x01s.",
    "lists filled later": b"\x80\x02" + b"".join(b"]q%c" % n for n in range(3)) + b"(h\x01h\x01e(h\x00h\x00e.",
    "deep": b"\x80\x02})" + b"\x85" * 10**6 + b"K\x01s.",
    "deep by marks": b"\x80\x02}" + b"(" * 1000 + b"t" * 1000 + b"K\x01s.",
    "deep lists": b"\x80\x02" + b"]" * 100 + b"a" * 99 + b".",
    "keys": b"\x80\x02}(" + b"".join(b"J" + struct.pack("<i", n) + b"N" for n in range(2000)) + b"u.",
    "sets": b"\x80\x04\x8f.",
}


@pytest.mark.parametrize("name", HARMFUL)
def test_a_small_pickle_costs_little(tmp_path, name):
    (tmp_path / "x").write_bytes(HARMFUL[name])
    with pytest.raises(Problem, match=r"x: .*as no CIFAR file does"):
        load_plain(tmp_path / "x")


# --- arrays


def idx(array):
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


def four_files(root, suffix=""):
    pack = gzip.compress if suffix else bytes
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 5, 6), np.uint8)
    for part, labels in (("train", [3, 7, 7, 3]), ("t10k", [7, 3, 3, 7])):
        put(root, f"{part}-images-idx3-ubyte{suffix}", data=pack(idx(images)))
        put(root, f"{part}-labels-idx1-ubyte{suffix}", data=pack(idx(np.array(labels))))
    return images


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx(tmp_path, suffix):
    images = four_files(tmp_path, suffix)
    listing = read_listing(tmp_path, "idx")
    assert listing.classes == ["3", "7"]
    assert [item.label for item in listing.items] == ["3", "7", "7", "3", "7", "3", "3", "7"]
    np.testing.assert_array_equal(listing.items[1].source, images[1])
    assert read_listing(tmp_path, "idx", {"classes": ["x", "y"]}).classes == ["x", "y"]
    with pytest.raises(Problem, match="1 class names for 2 labels"):
        read_listing(tmp_path, "idx", {"classes": ["x"]})


def test_bad_idx(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte"
    good = idx(np.zeros((2, 3, 3), np.uint8))
    for data, words in [
        (good[:-1], "truncated"),
        (good[:9], "truncated"),
        (b"\x00\x00\x0d\x01" + bytes(9), "unsigned"),
    ]:
        path.write_bytes(data)
        with pytest.raises(Problem, match=words):
            load_idx(path)
    path.write_bytes(good)
    with pytest.raises(Problem, match="train labels is missing"):
        read_listing(tmp_path, "idx")


def test_npz(tmp_path):
    x, y = np.zeros((4, 3, 3, 3), np.uint8), np.array([0, 1, 1, 0])
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x, y_test=y[:, None], classes=np.array(["no", "yes"]))
    listing = read_listing(tmp_path, "npz")
    assert counts(listing)["yes", "test"] == 2
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y)
    assert counts(read_listing(tmp_path, "npz")) == {("0", None): 2, ("1", None): 2}
    for bad in ({"x_train": x.astype(float)}, {"y_train": y[:3]}, {"y_train": y + 0.5}, {"x_train": x[..., :2]}):
        np.savez(tmp_path / "a.npz", **({"x_train": x, "y_train": y} | bad))
        with pytest.raises(Problem, match=r"a\.npz"):
            read_listing(tmp_path, "npz")


def test_npz_of_objects_is_not_unpickled(tmp_path, monkeypatch):
    monkeypatch.setenv("EVIL", str(tmp_path / "evil"))
    np.savez(tmp_path / "a.npz", x_train=np.array([Malicious()], object), y_train=np.array([0]))
    with pytest.raises(
        Problem, match=r"a\.npz: x_train\.npy: holds Python objects, which are code; save it as plain arrays$"
    ):
        read_listing(tmp_path, "npz")
    assert not (tmp_path / "evil").exists()


# --- incomplete or unknown parts


def cifar_10(root, rows=3):
    dump(root / "batches.meta", {b"label_names": [b"cat", b"dog"], b"num_cases_per_batch": rows})
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        dump(root / name, batch([0, 1, 1]))


@pytest.mark.parametrize("name", ["data_batch_3", "data_batch_5", "test_batch"])
def test_a_missing_batch_of_cifar_is_named(tmp_path, name):
    cifar_10(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(Problem, match=f"the set is incomplete: {name} missing"):
        read_listing(tmp_path, "cifar")


def test_a_short_batch_further_batches_and_two_sets_of_cifar(tmp_path):
    cifar_10(tmp_path / "one", rows=4)
    with pytest.raises(Problem, match=r"data_batch_1: holds 3 images where batches\.meta says 4"):
        read_listing(tmp_path, "cifar")
    cifar_10(tmp_path / "one")
    dump(tmp_path / "one" / "data_batch_6", batch([0]))
    assert "data_batch_6" in read_listing(tmp_path, "cifar").ignored.notes[0]
    cifar_10(tmp_path / "two")
    with pytest.raises(Problem, match=r"several sets \(one/batches\.meta, two/batches\.meta\); set options: root"):
        read_listing(tmp_path, "cifar")


@pytest.mark.parametrize("part", ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"])
def test_an_idx_set_of_three_files(tmp_path, part):
    four_files(tmp_path)
    (tmp_path / f"{part}-ubyte").unlink()
    what = f"{'train' if 'train' in part else 'test'} {'images' if 'images' in part else 'labels'}"
    with pytest.raises(Problem, match=f"the idx file of the {what} is missing"):
        read_listing(tmp_path, "idx")


def test_prefixes_and_two_idx_sets_are_named(tmp_path):
    four_files(tmp_path)
    for path in sorted(tmp_path.iterdir()):
        path.rename(path.with_name(f"emnist-{path.name}"))
    with pytest.raises(Problem, match="files with the prefix 'emnist-': set options: prefix"):
        read_listing(tmp_path, "idx")
    four_files(tmp_path / "mnist")
    four_files(tmp_path / "mnist", ".gz")
    assert len(read_listing(tmp_path, "idx").items) == 8
    four_files(tmp_path / "fashion")
    with pytest.raises(
        Problem,
        match=r"there are two files of the train images: .*-ubyte\.gz; set options: root or prefix$",
    ):
        read_listing(tmp_path, "idx")


def images(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


X, Y = images(4, 3, 3, 3), np.array([0, 1, 1, 0])


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x_test": X}, r"lacks y_test \(it holds x_train, y_train, x_test\)"),
        ({"y_test": Y}, "lacks x_test"),
        ({"x_train": X / 255}, r"between 0.* and .*save \(images \* 255\)\.round\(\)\.astype\('uint8'\)"),
        ({"x_train": X.astype(np.float32)}, r"save \(images\)\.round"),
        ({"x_train": X - 128.0}, "undo the normalisation first"),
        ({"x_train": images(4, 3, 5, 5)}, r"channels come last \(images\.transpose\(0, 2, 3, 1\)\)"),
        ({"y_train": np.eye(2, dtype=int)[Y]}, "one number an image .argmax"),
        ({"y_train": Y - 1}, "has the label -1"),
        ({"y_train": Y[:3]}, "4 images, but 3 labels"),
        ({"x_train": X[:0], "y_train": Y[:0]}, "holds no image"),
        ({"classes": np.array(["a", "a"])}, "a class name appears twice"),
        ({"classes": np.array(["a", "b", "c"])}, "3 class names for 2 labels"),
        ({"y_train": Y * 0}, "of one class, '0'"),
    ],
)
def test_what_is_wrong_with_an_npz_is_named(tmp_path, arrays, words):
    np.savez(tmp_path / "a.npz", **({"x_train": X, "y_train": Y} | arrays))
    with pytest.raises(Problem, match=words):
        read_listing(tmp_path, "npz")


def test_unknown_arrays_are_said(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=X, y_train=Y, x_val=X, y_val=Y)
    assert "x_val, y_val" in read_listing(tmp_path, "npz").ignored.notes[0]
    np.savez(tmp_path / "a.npz", pictures=X, kinds=Y)
    with pytest.raises(Problem, match=r"lacks x_train and y_train \(it holds pictures, kinds\)"):
        read_listing(tmp_path, "npz")
