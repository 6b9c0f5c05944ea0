"""Atomic files: whole or not at all, with the mode that any other file gets."""

import os
import stat

import pytest

from apr.basics.files import atomic_file, atomic_path, digest_of, write_json, write_text


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o002, 0o664), (0o077, 0o600)])
def test_a_file_has_the_mode_that_the_umask_leaves(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_text(tmp_path / "text", "words")
        assert os.umask(umask) == umask  # asking for it does not change it
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "text").stat().st_mode) == mode


def test_a_file_that_was_there_stays_until_the_new_one_is_whole(tmp_path):
    write_text(tmp_path / "text", "old")

    def fail_half_way():
        with atomic_file(tmp_path / "text") as file:
            file.write("new")
            assert (tmp_path / "text").read_text() == "old"
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fail_half_way()
    assert (tmp_path / "text").read_text() == "old"
    assert os.listdir(tmp_path) == ["text"]


def test_the_temporary_file_is_hidden_beside_it_and_keeps_the_suffix(tmp_path):
    with atomic_path(tmp_path / "deep/picture.png") as part:
        assert (part.parent, part.suffix) == (tmp_path / "deep", ".png")
        assert part.name.startswith(".picture.")
    assert os.listdir(tmp_path / "deep") == ["picture.png"]


def test_json_is_readable_and_refuses_what_json_has_not(tmp_path):
    write_json(tmp_path / "a.json", {"key": "γ", "list": [1]})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n "key": "γ",\n "list": [\n  1\n ]\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "b.json", float("nan"))
    assert not (tmp_path / "b.json").exists()


def test_a_digest_does_not_know_the_order_of_keys():
    assert digest_of({"a": 1, "b": {"c": 2, "d": 3}}) == digest_of({"b": {"d": 3, "c": 2}, "a": 1})
    assert digest_of({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    assert digest_of([1, 2]) != digest_of([2, 1])
