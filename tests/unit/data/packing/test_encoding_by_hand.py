"""What is written of images and seen of them on the way, by hand; which values tell how deep 16-bit pictures are."""

import hashlib
import io

import numpy as np
import pytest
from data_helpers import encoded, picture, refused_as
from packed_sets import deep

from apr.data import encoding
from apr.data.depth import Depth
from apr.data.encoding import write_images
from apr.data.packed import INDEX
from apr.data.reading.listing import Item, Span
from apr.data.reading.snippets import Channels, Snippet


def gray(name, *levels):
    return Item(name, "cat", np.array([levels], np.uint8))


def written(items, storage="pixels", parts=None):
    index, file = np.zeros(len(items), INDEX), io.BytesIO()
    index["split"], index["label"] = parts or [0] * len(items), np.arange(len(items)) + 5
    return write_images("set", items, storage, index, file, 2), index, file.getvalue()


def test_pixels_are_written_one_image_after_the_other():
    seen, index, data = written([gray("a", 1, 2), gray("b", 7), gray("c", 2)], parts=[1, 1, 2])
    pieces = [bytes([1, 1, 1, 2, 2, 2]), bytes([7, 7, 7]), bytes([2, 2, 2])]
    assert data == b"".join(pieces)
    assert index.tolist() == [(0, 6, 1, 2, 5, 1), (6, 3, 1, 1, 6, 1), (9, 3, 1, 1, 7, 2)]
    assert seen.sha256 == hashlib.sha256(data).hexdigest()
    assert seen.conversions == {"grayscale": 3}
    assert [row.nonzero()[0].tolist() for row in seen.histogram] == [[1, 2, 7]] * 3  # of the first image's part alone
    assert seen.histogram.sum() == 9
    assert seen.digests.tobytes() == b"".join(hashlib.sha256(piece).digest()[:8] for piece in pieces)
    assert seen.sketches.shape == (3, 72)
    assert seen.sketches[1].tolist() == [7] * 72


def test_encoded_pictures_stay_as_they_are_where_they_are_plain_jpegs(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded(picture()))
    _, index, data = written([Item("a", "cat", Span(tmp_path / "a.jpg")), gray("b", 7)], "encoded")
    whole = (tmp_path / "a.jpg").read_bytes()
    assert data.startswith(whole + b"\x89PNG")
    assert index["bytes"].tolist() == [len(whole), len(data) - len(whole)]
    assert index[["height", "width"]].tolist() == [(10, 12), (1, 1)]


def test_how_far_it_is_is_said_now_and_then(monkeypatch, caplog):
    caplog.set_level("INFO", "apr")
    assert encoding.COUNTED == 20_000
    monkeypatch.setattr(encoding, "COUNTED", 2)
    written([gray(name, 1) for name in "abcde"])
    assert caplog.messages == ["set: 2 of 5 images", "set: 4 of 5 images"]


def test_files_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "link.png").symlink_to("/nowhere/x.png")
    (tmp_path / "dark.png").mkdir()
    names = ("gone.png", "link.png", "dark.png")
    items = [gray("a", 1), *(Item(name, "cat", Span(tmp_path / name)) for name in names)]
    with refused_as(
        "set: 3 of 4 images cannot be decoded: gone.png cannot be read (No such file or directory); link.png is a link "
        "that leads nowhere (/nowhere/x.png); dark.png cannot be read (Is a directory). Replace or remove these files"
    ):
        written(items)


def test_which_files_may_have_16_bits(tmp_path):
    one, two, jpeg = (tmp_path / name for name in ("one.png", "two.TIF", "three.JPG"))
    sources = [
        *(Snippet(one, 0, 0, 3), Snippet(one, 1, 1, 3), Snippet(jpeg, 0, 0, 3)),
        *(Channels(one, jpeg, two), Span(two), Span(jpeg), np.zeros((1, 1), np.uint8)),
    ]
    found = [read.__self__ for read in encoding._sixteen_bit_candidates([Item("x", "cat", one) for one in sources])]
    assert found == [one, jpeg, one, two, Span(two)]


@pytest.mark.parametrize(
    ("pictures", "told"),
    [
        ([[[1000, 1010]], [[990, 1023]]], (10, 990, 1023, 255 - 247 + 1)),  # 990 / 4 is 247.5
        ([[[7, 255]]], (8, 7, 255, 249)),
        ([[[0, 256]]], (10, 0, 256, 65)),
        ([], (8, 0, 0, 1)),
    ],
)
def test_one_depth_of_all_16_bit_pictures(pictures, told):
    asked = []

    def reader(data):
        return lambda: asked.append(1) or data

    others = [reader(b"no picture"), reader(encoded(picture(), "PNG"))]  # of 8 bits up to 255
    depth = Depth([*others, *(reader(deep(values)) for values in pictures)])
    assert (depth.lowest, depth.highest, asked) == (None, None, [])
    assert (depth.bits(), depth.lowest, depth.highest, depth.levels()) == told
    assert len(asked) == 2 + len(pictures)
