"""Arrays and JSON that confuse the libraries which read them: one line that names the file, never a traceback."""

import json
import struct

import numpy as np
import pytest
from archive_maker import zip_of_bytes

from apr.basics.files import read_json
from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.formats.arrays import load_idx
from apr.data.sources import npz
from apr.data.sources.npz import array_names, load_npz
from apr.scores.prediction_files import read_class_ids, read_predictions


def npy(shape, data=b"", descr="'|u1'"):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(header)) + header + data


HEADERS = {
    "empty and huge": npy(f"(0, {10**30})"),
    "huge": npy(f"(4, {10**30})"),
    "negative": npy("(-1, -4)", b"1234"),
    "truth": npy("(True, 1)", b"1"),
    "text": npy("('a',)"),
    "brackets": npy("(" * 4000),
    "minus": npy("-" * 9000 + "1"),
    "sides": npy("(" + "1," * 300 + ")", b"1"),
    "type": npy("(1,)", b"1", "[('a', 'x')]"),
    "no type": npy("(1,)", b"1", "None"),
    "archive": b"PK\x03\x04garbage",
    "version": b"\x93NUMPY\x09\x00abc",
    "nothing": b"",
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_of_arrays(tmp_path, name):
    path = tmp_path / "x.npz"
    path.write_bytes(zip_of_bytes([(b"x.npy", HEADERS[name])]))
    with pytest.raises(Problem, match=r"x\.npz: x\.npy: ") as caught:
        load_npz(path)
    assert str(caught.value).isprintable()
    path = tmp_path / "x.npy"
    path.write_bytes(HEADERS[name])
    with pytest.raises(Problem, match=r"x\.npy: .*(correct its entry)"):
        read_predictions(path, 4, 10)


@pytest.mark.parametrize(
    "shape", [(1,) * 255, (0, *[0xFFFFFFFF] * 3), (0, *[0xFFFFFFFF] * 100), (0xFFFFFFFF,) * 4], ids=range(4)
)
def test_headers_of_idx(tmp_path, shape):
    path = tmp_path / "x"
    path.write_bytes(b"\0\0\x08" + bytes([len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + b"1")
    with pytest.raises(Problem, match="x: "):
        load_idx(path)


@pytest.mark.parametrize("classes", [np.array("cat"), np.array(7), np.array([["a", "b"]])])
def test_classes_are_a_list(tmp_path, classes):
    np.savez(tmp_path / "x.npz", x_train=np.zeros((2, 4, 4), np.uint8), y_train=np.arange(2), classes=classes)
    with pytest.raises(Problem, match=r"x\.npz: classes is an array .*one name a label"):
        read_listing(tmp_path, "npz")


@pytest.mark.parametrize("read", [array_names, load_npz])
def test_arrays_are_counted_before_they_are_listed(tmp_path, monkeypatch, read):
    monkeypatch.setattr(npz, "MOST_ARRAYS", 9)
    path = tmp_path / "x.npz"
    path.write_bytes(zip_of_bytes([(b"x.npy", b"")] * 10))
    with pytest.raises(Problem, match="holds 10 arrays, where 9 are read"):
        read(path)


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, "9" * 5000, "\x00"])
def test_json(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    for read in (read_json, lambda path: read_class_ids(path, 3), lambda path: read_predictions(path, 3, 3)):
        with pytest.raises(Problem, match=r"x\.json: "):
            read(path)


def test_json_of_numbers_that_are_none(tmp_path):
    path = tmp_path / "x.json"
    for value in ([10**40, 1], [[1], [2, 3]], [[[[]]]], {}, [None], "x"):
        path.write_text(json.dumps(value))
        with pytest.raises(Problem, match=r"x\.json: "):
            read_predictions(path, 2, 3)
