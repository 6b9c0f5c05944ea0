"""What is told from the first bytes and from the largest value, at the bounds."""

import pytest

import apr.data.formats  # noqa: F401 - before its parts
from apr.basics.problems import Problem
from apr.data.depth import Depth
from apr.data.reading.label_table import decode_text
from apr.data.reading.walking import LeftOut


@pytest.mark.parametrize(
    ("highest", "bits"),
    [(0, 8), (255, 8), (256, 10), (1023, 10), (1024, 12), (4096, 14), (16384, 16), (65535, 16), (1 << 17, 16)],
)
def test_the_smallest_usual_depth_that_holds_all_values(highest, bits, monkeypatch):
    monkeypatch.setattr(Depth, "_ranges", lambda self: iter([(3, 7), (0, highest)] if highest else []))
    assert Depth([]).bits() == bits


def test_levels_are_counted_on_a_scale_of_256(monkeypatch):
    monkeypatch.setattr(Depth, "_ranges", lambda self: iter([(16, 1000), (500, 1023)]))
    assert Depth([]).levels() == 252  # of 10 bits: 4 to 255


@pytest.mark.parametrize(("pair", "odd"), [(b"a\0", b"bb"), (b"\0a", b"bb")])
def test_more_than_half_of_the_bytes_have_to_be_null_for_utf_16_without_its_mark(pair, odd, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes(pair * 51 + odd * 60)
    left = LeftOut()
    assert decode_text(path, left) == "a" * 51 + "\u6262" * 60
    path.write_bytes(pair * 50 + odd * 60)
    with pytest.raises(Problem, match="holds null bytes"):
        decode_text(path, left)
