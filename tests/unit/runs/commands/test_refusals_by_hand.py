"""What command lines refuse, each sentence whole: options, places and images."""

import argparse
import os
from types import SimpleNamespace

import numpy as np
import pytest

from apr.basics.files import file_digest, write_json
from apr.basics.problems import Problem
from apr.data.packed import INDEX
from apr.runs.commands import commandline, transfer_options
from apr.runs.commands.commandline import (
    KEYS_OF,
    Parser,
    beside,
    check_images,
    check_places,
    device,
    naming_keys,
    number,
    plain,
    protocol,
    with_keys,
)

NEAREST = "there is no such option (did you mean --threads?) (in a study --threads is training.threads)"
JSON_GIVEN = "give {…}, or @ and"


def told(function, *arguments, error=Problem, **named):
    with pytest.raises(error) as caught:
        function(*arguments, **named)
    return str(caught.value)


def test_options_are_said_with_the_keys_of_a_study_once_each():
    keys = "--threads is training.threads, --view is view of its task"
    assert with_keys("--threads, --view or --threads and --nothing") == (
        f"--threads, --view or --threads and --nothing (in a study {keys})"
    )
    assert with_keys("a--view -–view ---view") == "a--view -–view ---view"
    assert all(option.startswith("--") for option in KEYS_OF)
    with naming_keys():
        pass
    said = "--run x, --device y (in a study --device is training.device)"
    with pytest.raises(Problem) as caught, naming_keys():
        raise Problem("--run x, --device y")
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--threads=0"], "--threads 0: has to be at least 1 (in a study --threads is training.threads)"),
        (
            ["--thread=2"],
            "--thread=2: there is no such option (did you mean --threads?) (in a study --threads is training.threads)",
        ),
        (
            ["--thread", "2"],
            "--thread 2: there is no such option (did you mean --threads?) (in a study --threads is training.threads)",
        ),
        (["--zzzzzz"], "--zzzzzz: there is no such option"),
        (["--threads"], "--threads expected one argument (in a study --threads is training.threads)"),
    ],
)
def test_a_wrong_option_ends_with_one_line(arguments, said, capsys):
    parser = Parser("what it does")
    parser.prog = "folder/it.py"
    parser.add_argument("--threads", type=number(int, minimum=1), default=1)
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err == f"error: {said}; see it.py --help\n"


def test_kinds_of_options_are_said_whole():
    refused = {"error": argparse.ArgumentTypeError}
    assert told(number(int), "1.5", **refused) == "'1.5' is not an integer"
    assert told(number(float), "x", **refused) == "'x' is not a number"
    assert told(number(float, minimum=0, maximum=2), "3", **refused) == "3.0: has to be at least 0 and at most 2"
    assert (number(int)("7"), number(float)("7")) == (7, 7.0)
    assert told(device, "cuda:", **refused) == "'cuda:': write auto, cpu, cuda or the number of one, as cuda:1"
    assert device("cuda:12") == "cuda:12"
    assert told(plain, "a/b", **refused) == "the name 'a/b' holds a slash; take letters, digits, - _ and ."
    assert plain("a-b_c.1") == "a-b_c.1"


@pytest.mark.parametrize(
    ("read", "end"), [(protocol, "the name of a file"), (transfer_options.protocol_of("probe"), "a file's name")]
)
def test_a_protocol_is_json_or_a_file_of_it(tmp_path, read, end):
    refused = {"error": argparse.ArgumentTypeError}
    where = "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
    assert told(read, "{", **refused) == f"is not JSON ({where}); {JSON_GIVEN} {end}"
    assert told(read, '{"a": 1, "a": 2}', **refused) == f"is not JSON ('a' appears twice); {JSON_GIVEN} {end}"
    assert told(read, f"@{tmp_path}/none", **refused) == f"{tmp_path}/none: no such file"
    (tmp_path / "p.json").write_text('{"no": 1}')
    assert told(read, f"@{tmp_path}/p.json", **refused) == told(read, '{"no": 1}', **refused)


def test_places_that_cannot_be_are_said_whole(tmp_path, monkeypatch):
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.touch()
    folder.mkdir()
    (tmp_path / "link").symlink_to(file)
    check_places({"--a": str(file), "--b": None}, {"--c": folder / "x", "--d": None, "--e": tmp_path / "new/deep/x"})
    assert told(check_places, {"--a": f"{file}x"}, {}) == f"--a {file}x: there is no such file; name the file"
    assert told(check_places, {"--a": str(folder)}, {}) == f"--a {folder}: is a folder; name the file"
    assert told(check_places, {}, {"--a": ""}) == "--a: is empty; name a file"
    assert told(check_places, {}, {"--a": folder}) == f"--a {folder}: is a folder; name a file in it"
    own = "give each its own"
    assert told(check_places, {"--a": str(file)}, {"--b": tmp_path / "link"}) == (
        f"--b {tmp_path}/link: is the file of --a as well; {own}"
    )
    both = {"--a": folder / "x", "--b": folder / "../folder/x"}
    assert told(check_places, {}, both) == f"--b {folder}/../folder/x: is the file of --a as well; {own}"
    in_file = f"--a {file}/deep/x: {file} is no folder; name a file in a folder"
    assert told(check_places, {}, {"--a": file / "deep/x"}) == in_file
    asked = []
    monkeypatch.setattr(os, "access", lambda place, mode: bool(asked.append((place, mode))))
    refused = "cannot be written to; change its permissions, or name another place"
    assert told(check_places, {}, {"--a": folder / "new/x"}) == f"--a {folder}/new/x: {folder} {refused}"
    assert told(check_places, {}, {"--a": file}) == f"--a {file}: {file} {refused}"
    assert asked == [(folder, os.W_OK | os.X_OK), (file, os.W_OK)]


def test_what_stands_beside_a_checkpoint():
    assert {what: str(path) for what, path in beside("a/b.c.pt").items()} == {
        "--checkpoint (its finished run)": "a/b.c.json",
        "--checkpoint (its lease)": "a/b.c.lease",
    }
    assert told(beside, "/") == "--checkpoint /: is a folder; name a file in it, as /checkpoint.pt"


VIEW = dict.fromkeys(commandline.VIEW_KEYS, 1) | {"dataset": "photos"}


@pytest.fixture
def packed(tmp_path, monkeypatch):
    """A dataset of two pictures of 2 x 3 pixels, and the view of them."""
    index = np.zeros(2, INDEX)
    index["height"], index["width"], index["bytes"], index["offset"] = 2, 3, 18, [0, 18]
    np.save(tmp_path / "p.index.npy", index)
    (tmp_path / "p.bin").write_bytes(bytes(36))
    write_json(tmp_path / "v.json", VIEW | {"index_digest": file_digest(tmp_path / "p.index.npy")})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_images_that_do_not_fit_their_view_are_said_whole(packed, monkeypatch):
    assert check_images("v.json", "p", "pixels")["dataset"] == "photos"
    assert told(check_images, "none.json", "p", "pixels") == "--view none.json: no such file"
    text = "there is no q.bin; give the packed dataset without a suffix, as data/packed/photos"
    assert told(check_images, "v.json", "q", "pixels") == f"--packed q: {text}"
    (packed / "q.bin").touch()
    assert told(check_images, "v.json", "q", "pixels") == f"--packed q: {text.replace('.bin', '.index.npy')}"
    name = "name the manifest of a view, as results/views/<view>.json"
    write_json(packed / "part.json", {key: 1 for key in VIEW if key not in ("dataset", "sd")})
    assert told(check_images, "part.json", "p", "pixels") == f"--view part.json: lacks dataset, sd; {name}"
    encoded = "--storage encoded: p is packed as pixels; give --storage pixels"
    assert told(check_images, "v.json", "p", "encoded") == encoded
    index = np.load(packed / "p.index.npy")
    index["bytes"][1] = 17
    np.save(packed / "p.index.npy", index)
    pixels = "--storage pixels: p is packed as encoded; give --storage encoded"
    monkeypatch.setattr(commandline, "open_packed", lambda path, storage: SimpleNamespace(index=index))
    assert told(check_images, "v.json", "p", "pixels") == pixels
    other = "is drawn from the dataset photos, and --packed p holds other images"
    remedy = "give the packed dataset of the view, or a view of this one"
    for error in (Problem("x"), KeyError("x"), IndexError("x"), TypeError("x"), ValueError("x")):

        def fails(*_, error=error):
            raise error

        monkeypatch.setattr(commandline, "view_indices", fails)
        assert told(check_images, "v.json", "p", "encoded") == f"--view v.json: {other}; {remedy}"
    monkeypatch.setattr(commandline, "view_indices", lambda *_: {})
    assert check_images("v.json", "p", "encoded")["dataset"] == "photos"  # written anew, and its images are the same
