"""From which file or option a value comes, and what is said of keys and values there, by hand."""

import pytest

from checks.located import AS_TEXT, OPTION, Sources


@pytest.fixture
def sources(tmp_path):
    """Two files, laid over each other, with more that options say."""

    def made(config=None, first="a: {b: 1, c: [1, 2]}\nd: x\n", second="a: {b: 2.00}\n2.5: y\n"):
        paths = [tmp_path / "1.yaml", tmp_path / "2.yaml"]
        for path, text in zip(paths, (first, second), strict=True):
            path.write_text(text)
        merged = {"a": {"b": 2.0, "c": [1, 2]}, "d": "x", 2.5: "y"}
        return Sources(paths, merged if config is None else config), *map(str, paths)

    return made


def test_an_error_names_the_last_file_that_sets_its_key(sources):
    found, first, second = sources()
    places = (["a", "b"], ["a", "c", 1], ["d"], ["a", "z"], ["z"])
    lines = list(found.lines([(path, "wrong") for path in places]))
    assert [first if first in line else second if second in line else "" for line in lines] == [
        second,
        first,
        first,
        second,
        second,
    ]
    assert all(line.endswith(": wrong") for line in lines)


def test_an_error_of_an_option_names_it(sources):
    config = {"a": {"b": 3, "c": (1, 2), "z": 1}, "d": "x", 2.5: "y", "e": {"f": "1"}}
    found, *_ = sources(config)
    errors = [(["a", "b"], "wrong"), (["a", "z"], "wrong"), (["e", "f"], "wrong"), (["a", "c"], "wrong")]
    assert [OPTION in line for line in found.lines(errors)] == [True, True, True, False]
    nested, plain = found.lines(
        [
            (["e", "f"], "'1' is a string, expected number; write 1 without quotes"),
            (["e"], "is a string, expected x; write y"),
        ]
    )
    assert nested.endswith(f"'1' is a string, expected number{AS_TEXT}")
    assert plain.endswith("is a string, expected x; write y")


def test_what_is_written_is_that_of_the_last_file(sources):
    found, *_ = sources()
    assert found.written(["a", "b"]) == "2.00"
    assert found.written(["d"]) == "x"
    assert found.written(["nothing"]) is None


def test_keys_that_are_no_text_are_as_the_file_has_them(sources):
    found, *_ = sources()
    assert found.config["2.5"] == "y"
    (line,) = found.file_lines()
    assert line.endswith("2.yaml: 2.5: line 2: YAML reads this key as a number; write '2.5' in quotes")
    odd, *_ = sources({"a": {1: 2, "b": 2.0}, "d": [{True: 1}]})
    assert odd.config["a"] == {"c": [1, 2], "b": 2.0}
    assert odd.config["d"] == [{"True": 1}]
    line = list(odd.file_lines())[-1]
    assert line.endswith(": this key is no text; write 'True' in quotes")
    assert OPTION in line
    assert "d.0.True" in line


def test_what_is_wrong_with_a_file_is_said_with_its_name(sources):
    found, first, second = sources({"a": {"b": 1}}, second="a: {b: 1\n")
    lines = list(found.file_lines())
    assert len(lines) == 1
    assert second in lines[0]
    assert first not in lines[0]
    assert next(Sources([], {"a": 1}).lines([(["b"], "wrong")])).endswith("b: wrong")
