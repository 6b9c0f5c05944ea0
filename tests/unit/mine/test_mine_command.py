"""The command line of `make mine`: what it hands over, and where it says what."""

import sys
from pathlib import Path

import pytest
from test_pictures_told import finished

from mine import command
from mine.layouts import Labels
from mine.looking import Request


def run(monkeypatch, *arguments):
    """What is looked for, and where; a line with a sign that no terminal should get is said."""
    found = []

    def look(request, directory, say):
        found.append((request, directory))
        say("seen\x1b[2J: 1")
        return Path("mine/x")

    monkeypatch.setattr(command, "look", look)
    monkeypatch.setattr(sys, "argv", ["mine", *map(str, arguments)])
    command.main()
    return found


def test_all_that_may_be_asked_is_handed_over(monkeypatch, capsys, tmp_path):
    (tmp_path / "a.yaml").touch()
    asked = ["--labels", "t.csv", "--image", "im", "--label", "kind", "--name", "n", "--minutes", "30", "--cores", "4"]
    found = run(monkeypatch, "look", "/data", *asked, "--with", tmp_path / "a.yaml", "--directory", "there")
    labels, files = Labels("t.csv", "im", "kind"), (str(tmp_path / "a.yaml"),)
    assert found == [(Request("/data", "n", labels, 30, 4, files), Path("there"))]
    said = capsys.readouterr()
    assert said.out == "mine/x\n"
    assert "\x1b" not in said.err
    assert said.err.startswith("seen")
    assert said.err.endswith(": 1\n")


def test_what_is_not_given_or_empty_is_left_to_the_study(monkeypatch):
    assert run(monkeypatch, "look") == [(Request(None, None, None, 10, 2, ()), Path("mine"))]
    empty = [
        option
        for name in ("labels", "image", "label", "name", "minutes", "cores", "with")
        for option in (f"--{name}", "")
    ]
    assert run(monkeypatch, "look", "", *empty) == [(Request(None, None, None, 10, 2, ()), Path("mine"))]
    assert run(monkeypatch, "look", "/d", "--labels", "t.csv")[0][0].labels == Labels("t.csv", None, None)


def test_what_came_of_a_study_is_printed_a_line_each(monkeypatch, capsys, tmp_path):
    found = run(monkeypatch, "tell", finished(tmp_path))
    lines = capsys.readouterr().out.splitlines()
    assert found == []
    assert len(lines) == 5
    assert lines[0].startswith("Does the ranking of models")
    assert lines[4].startswith("Next: ")


@pytest.mark.parametrize("arguments", [[], ["tell"], ["look", "--lab", "x"], ["look", "a", "b"]])
def test_what_it_does_not_take_is_refused(monkeypatch, capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        run(monkeypatch, *arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: workflow/mine ")
