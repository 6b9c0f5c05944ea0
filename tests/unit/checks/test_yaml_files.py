"""Files of a configuration: what appears twice, what is no text and what is no YAML is named with its line."""

import subprocess
import sys

import pytest

import yaml_files
from first_look import error_lines, look
from study import ROOT
from yaml_files import merged, read_document

KEYS = [
    ("on: 1", "on: line 1: YAML reads this key as true or false; write 'on' in quotes"),
    ("a: {no: 1}", "a.no: line 1: YAML reads this key as true or false; write 'no' in quotes"),
    ("101: 1", "101: line 1: YAML reads this key as a number; write '101' in quotes"),
    ("1.0e+3: 1", "1.0e+3: line 1: YAML reads this key as a number; write '1.0e+3' in quotes"),
    ("2020-01-01: 1", "2020-01-01: line 1: YAML reads this key as a date; write '2020-01-01' in quotes"),
    ("~: 1", "~: line 1: YAML reads this key as nothing; write '~' in quotes"),
    ("? [a]\n: 1", "line 1: a list or a mapping is no key; write a text in quotes"),
    ("a: 1\nb: 2\na: 3", "a: line 3: appears here and in line 1; keep one, or merge the two"),
    ("t:\n  a: {x: 1}\n  a: {y: 1}", "t.a: line 3: appears here and in line 2; keep one, or merge the two"),
    ("t: [{a: 1, a: 2}]", "t.0.a: line 1: appears here and in line 1; keep one, or merge the two"),
    ('{"a": {"b": 1,\n"b": 2}}', "b: appears more than once in one mapping (it is in the lines 1, 2); keep one"),
    ("a: 010", "a: line 1: YAML reads 010 as 8; write that, or '010' in quotes"),
    ("a: 1:30", "a: line 1: YAML reads 1:30 as 90; write that, or '1:30' in quotes"),
    ("a: 2020-13-45", "a: line 1: 2020-13-45 would be a date (month must be in 1..12); correct it, or put it in"),
    ("a: " + "1" * 5000, "a: line 1: 111111111111111111111111111111… (5000 characters) would be a number"),
    ("__use_yte__: true", "__use_yte__: templates run code and are not read; write plain values"),
]
UNREADABLE = [
    ("a: [1\nb: {", "line 2, column 2: is no YAML", "(what begins in line 1): a bracket or a quote is not closed"),
    ("a:\n\tb: 1", "line 2, column 1: is no YAML", "YAML wants spaces instead"),
    ("a: b: c", "line 1, column 5: is no YAML", "put the text in quotes"),
    ("a: @x", "line 1, column 4: is no YAML", "needs quotes"),
    ('a: "C:\\data\\shells"', "is no YAML", "use single quotes, or / in a path"),
    ('a: "C:\\xy"', "is no YAML", "use single quotes, or / in a path"),
    ("a: *x", "line 1, column 4: is no YAML", "begins with * needs quotes"),
    ("a: 'x\nb: 1", "is no YAML", "a quote is not closed"),
    ("a:\n  b: 1\n c: 2", "line 3, column 2: is no YAML", "the indentation differs"),
    ("a: 1\n---\nb: 2", "line 2, column 1: is no YAML", "remove the second `---`"),
    ("a: !!python/object/apply:os.system [x]", "is no YAML", "tags (!…) are not read"),
    ("a: &x {b: *x}", "line 1: refers to itself", "write the values out"),
    ("", "is empty", "write the study's keys"),
    ("# nothing", "is empty", "write the study's keys"),
    ("- a", "is a list", "a study is a mapping"),
    ("just words", "is a single value", "a study is a mapping"),
    ("[1, 2]", "is a list", "a study is a mapping"),
    ("a: \x07", "line 1: holds the control character '\\x07'", "remove it"),
    ("[" * 5000, "is nested too deeply", "write fewer levels"),
    (f"a: 1\nb: {'[' * 100_000}", "line 2: is nested more than 100 levels deep", "write fewer levels"),
    ("- " * 200, "line 1: is nested more than 100", "write fewer"),
    (f"a: {'[' * 100}{']' * 100}", "line 1: is nested more than 100", "write fewer"),
    ("title: é".encode("utf-16"), "is UTF-16", "save it as UTF-8"),
    ("title: é".encode("utf-16-le"), "is UTF-16", "save it as UTF-8"),
    ("a: 1\ntitle: é".encode("cp1252"), "line 2: byte 0xe9 is not UTF-8", "save the file as UTF-8"),
    (b"\x1f\x8b\x00\x00\x01", "is UTF-16, or no text at all", "save it as UTF-8"),
]


def lines_of(tmp_path, content):
    file = tmp_path / "study.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [line.removeprefix(f"{file}: ") for line in error_lines(file)]


@pytest.mark.parametrize(("content", "message"), KEYS)
def test_what_yaml_passes_over_is_named_once_with_its_line(tmp_path, content, message):
    (line,) = lines_of(tmp_path, content)
    assert line.startswith(message)


@pytest.mark.parametrize(("content", "what", "remedy"), UNREADABLE)
def test_what_is_no_yaml_is_one_line_with_place_and_remedy(tmp_path, content, what, remedy):
    (line,) = lines_of(tmp_path, content)
    assert what in line
    assert remedy in line
    assert not read_document(tmp_path / "study.yaml").readable


def test_aliases_of_aliases_do_not_fill_the_memory(tmp_path):
    rows = "".join(f"x{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 10)}]\n" for i in range(20))
    (line,) = lines_of(tmp_path, f"x0: &a0 [1]\n{rows}")
    assert "by its aliases, more than 200,000; write fewer" in line


def test_anchors_and_merge_keys_are_no_doubles(tmp_path):
    assert lines_of(tmp_path, "a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}\ne: *x") == []
    assert read_document(tmp_path / "study.yaml").value["d"] == {"b": 3, "c": 2}


def test_a_double_key_at_an_anchor_is_named_once(tmp_path):
    assert len(lines_of(tmp_path, "a: &x {b: 1, b: 2}\nd: *x\ne: *x")) == 1


def test_keys_keep_what_is_written_and_values_what_yaml_reads(tmp_path):
    (tmp_path / "a.yaml").write_text("on: {101: no, x: 1e3, y: 1.0e+3}")
    document = read_document(tmp_path / "a.yaml")
    assert document.value == {"on": {"101": False, "x": "1e3", "y": 1000.0}}
    assert document.written["on", "101"] == "no"


def test_a_missing_file_a_folder_and_one_without_permission(tmp_path, monkeypatch):
    assert error_lines(tmp_path / "x.yaml") == [f"{tmp_path}/x.yaml: no such file; correct its name"]
    assert error_lines(tmp_path) == [f"{tmp_path}: is a folder; name the file of the study in it"]

    def refused(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(yaml_files.Path, "read_bytes", refused)
    assert "cannot be read (Permission denied); correct its name" in error_lines(tmp_path / "x.yaml")[0]


def test_files_are_laid_over_each_other_without_changing_them():
    one, two = {"a": {"b": 1}, "c": {"d": 1}}, {"a": {"e": 2}, "c": None}
    assert merged([one, two]) == {"a": {"b": 1, "e": 2}, "c": None}
    assert one == {"a": {"b": 1}, "c": {"d": 1}}


def test_the_files_that_ship_have_no_fault():
    for file in [ROOT / "config.yaml", *(ROOT / "studies").glob("*.yaml"), *(ROOT / "resources").glob("*.yaml")]:
        assert error_lines(file) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-n", "--configfile", "nowhere.yaml", "--directory", "x"], "nowhere.yaml: no such file"),
        (["--configfiles", "nowhere.yaml", "-c", "1"], "nowhere.yaml: no such file"),
        (["--configfile=nowhere.yaml"], "nowhere.yaml: no such file"),
        (["--config", "threads"], "--config threads: write a key of the configuration, = and its value"),
        (["--config", "1x=3"], "--config 1x=3: write a key"),
    ],
)
def test_the_look_before_snakemake_reads(options, message):
    with pytest.raises(SystemExit) as caught:
        look(options)
    assert message in str(caught.value)
    assert str(caught.value).startswith("error: the configuration has 1 error(s):\n")


def test_what_snakemake_can_read_is_left_to_the_check_of_the_whole(tmp_path):
    (tmp_path / "a.yaml").write_text("a: 1\na: 2\n101: 3")
    look(["--configfile", str(tmp_path / "a.yaml"), "--config", "title=x", "data={mirror: y}"])
    look([])


def test_snakemake_itself_ends_with_our_line(tmp_path):
    (tmp_path / "study.yaml").write_text("a: [1\nb: 2")
    command = [sys.executable, "-m", "snakemake", "-s", ROOT / "Snakefile", "-n", "--configfile", "study.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "study.yaml: line 2, column 2: is no YAML" in done.stderr
