"""What is asked before Snakemake starts: what is at hand, what can be made, and what a file of a study holds."""

import socket
import sys
from types import SimpleNamespace

import pytest
from golden import checked

import at_hand
import first_look
import help as make_help
import yaml_files
from first_look import error_lines, full_disk, located, look
from study import ROOT
from yaml_files import read_document

DEMO = "studies/transfer_demo.yaml studies/transfer_eurosat.yaml"


@pytest.mark.parametrize(
    ("files", "answers", "taken", "said"),
    [
        (("A", "F"), False, f"{DEMO} studies/eurosat_slice.yaml", "EuroSAT: an eighth of it, {folder}/A"),
        (("F",), False, DEMO, "EuroSAT: {folder}/F"),
        ((), True, DEMO, "EuroSAT: madm.dfki.de, 94 MB, once"),
        (
            (),
            False,
            "studies/transfer_demo.yaml",
            "EuroSAT: left out: madm.dfki.de does not answer; put EuroSAT.zip at {folder}/F to have it",
        ),
    ],
)
def test_eurosat_is_taken_from_where_it_is(tmp_path, monkeypatch, capsys, files, answers, taken, said):
    asked = []

    def connect(address, seconds):
        asked.append((address, seconds))
        if not answers:
            raise OSError
        return SimpleNamespace(close=lambda: asked.append("closed"))

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(at_hand, "ARCHIVE", tmp_path / "A")
    monkeypatch.setattr(at_hand, "FETCHED", tmp_path / "F")
    for name in files:
        (tmp_path / name).touch()
    at_hand.main()
    out, err = capsys.readouterr()
    assert (out, err) == (f"{taken}\n", f"{said.format(folder=tmp_path)}\n")
    assert asked == ([] if files else [(("madm.dfki.de", 443), 5), *["closed"] * answers])


def test_where_the_archives_of_eurosat_are_looked_for():
    assert str(at_hand.ARCHIVE) == "../shared/data/archives/EuroSAT.zip"
    assert str(at_hand.FETCHED) == "transfer/data/raw/eurosat/EuroSAT.zip"
    assert all((ROOT / file).is_file() for file in (at_hand.DEMO, at_hand.EUROSAT, at_hand.SLICE))


def test_targets_with_a_sentence_are_listed():
    text = "all: x ## Everything\n\tdo\nquiet: all\nfirst-run: all y ## One ## more\nA: ## no\n  in: ## no\n"
    assert make_help.make_targets(text) == [("all", "Everything"), ("first-run", "One ## more")]


def test_items_are_listed_by_their_paper():
    shown = {"item": "Fig. 1", "shows": "what"}
    items = {
        "a.png": {**shown, "paper": "two"},
        "b.png": {**shown, "paper": "one", "item": "Table 22"},
        "c.png": {**shown, "paper": "one", "item": "Fig. {task}"},
        "d.png": shown,
    }
    papers = {name: {"source": f"Study {name}: of 2020"} for name in ("one", "none", "two")}
    both = {"papers": papers, "items": items}
    assert list(make_help.item_lines(both)) == [
        "",
        "Study one:",
        "  Table 22           b.png                          what",
        "",
        "Study two:",
        "  Fig. 1             a.png                          what",
        "",
        "In every study:",
        "  Fig. 1             d.png                          what",
    ]
    assert list(make_help.item_lines({"source": "Report: x", "items": {"d.png": shown}})) == [
        "",
        "Report:",
        "  Fig. 1             d.png                          what",
    ]


def test_what_can_be_made_is_listed_also_before_anything_is_set_up(monkeypatch):
    lines = list(make_help.lines())
    assert lines[0] == "  make help       list what can be made: here, and by Snakemake"
    end = lines.index("")
    assert lines[end + 1 : end + 3] == [
        "Tables and figures, each by `snakemake <target>`; of another study with --configfile and --directory",
        "",
    ]
    assert lines[-2:] == ["", "`snakemake audit` reads every run that there is, and fails where one is wrong."]
    monkeypatch.setitem(sys.modules, "apr.basics.facts", None)
    assert list(make_help.lines()) == [
        *lines[: end + 1],
        "After `make setup`, this also lists every table and figure with the target that makes it.",
    ]


def disk(**changes):
    plenty = {"f_blocks": 100, "f_frsize": 1000, "f_bavail": 20_000, "f_files": 10, "f_favail": 1}
    return lambda path: SimpleNamespace(**plenty | changes)


def test_a_disk_is_full_below_twenty_megabytes_of_what_is_ours(tmp_path, monkeypatch):
    folder = tmp_path / "study" / "deep"
    monkeypatch.setattr(first_look.os, "statvfs", disk())
    assert full_disk(folder) is None
    monkeypatch.setattr(first_look.os, "statvfs", disk(f_bavail=19_999, f_bfree=10**9))
    monkeypatch.setattr(first_look.os.path, "ismount", lambda path: path == tmp_path)
    assert full_disk(folder) == (
        f"{folder}: the disk is full (20.0 MB free on {tmp_path}); free 20 MB or more, "
        "or give a folder on another disk: --directory"
    )
    monkeypatch.setattr(first_look.os.path, "ismount", lambda path: False)
    assert "(20.0 MB free on /)" in full_disk(folder)
    monkeypatch.setattr(first_look.os, "statvfs", disk(f_favail=0))
    assert full_disk(folder) == (
        f"{folder}: its file system takes no more files; delete some, or give another folder: --directory"
    )


def test_rights_and_the_nearest_folder_that_is_there_are_asked(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(first_look.os, "access", lambda *given: asked.append(given))
    folder = tmp_path / "study" / "deep"
    assert full_disk(folder) == (
        f"{folder}: cannot be written to; correct its rights, or give another folder: --directory"
    )
    assert asked == [(tmp_path, 3)]  # to write, and to go in

    def silent(path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(first_look.os, "statvfs", silent)
    assert full_disk(folder) == (
        f"{folder}: its file system does not answer (Input/output error); run again once it does"
    )


@pytest.mark.parametrize(
    "option",
    ["-n", "-Fnp", "-np", "--dry-run", "--dryrun", "--unlock", "--list", "--lint", "--summary", "--delete-all-output"],
)
def test_what_writes_nothing_needs_no_room(tmp_path, monkeypatch, option):
    monkeypatch.setattr(first_look, "full_disk", lambda folder: f"{folder} is full")
    file = tmp_path / "a.yaml"
    file.write_text("a: 1\n")
    look([option, "--configfile", str(file)])
    with pytest.raises(SystemExit) as ended:
        look(["-p", "-d", "there", "--configfile", str(file)])
    assert str(ended.value) == "error: there is full"


def test_all_that_is_wrong_is_counted_and_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(first_look, "full_disk", lambda folder: None)
    good, bad, odd = tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "odd.json"
    good.write_text("a: 1\n")
    bad.write_text("a: [1\nb: 2\n")
    odd.write_text('{"a": 1,\n "b": 2, "a": 3}')
    look(["--config", "ab=1", "b_-c=x\ny=", "--configfile", str(good), str(odd)])
    look(["-C", "ab=", "--configfile", str(good)])
    look(["all", "--cores", "2"])  # the project's own
    with pytest.raises(SystemExit) as ended:
        look(["--config", "a=1", "=3", "1a=2", "--configfiles", str(odd), str(bad)])
    value = "write a key of the configuration, = and its value; or put it into a file"
    assert str(ended.value).splitlines() == [
        "error: the configuration has 5 error(s):",
        f"--config a=1: {value}",
        f"--config =3: {value}",
        f"--config 1a=2: {value}",
        f"{odd}: a: appears more than once in one mapping (it is in the lines 1, 2); keep one, or merge the two",
        f"{bad}: line 2, column 2: is no YAML: did not find expected ',' or ']' (what begins in line 1): "
        "a bracket or a quote is not closed, or a comma is missing",
    ]
    with pytest.raises(SystemExit, match=r"^error: the configuration has 1 error\(s\):\n--config x: "):
        look(["--config", "x", "--configfile", str(good)])


def test_whatever_a_line_holds_it_stays_one():
    assert located("a\n.yaml", ["b", 1, "c\t"], "is\rwrong é") == "a\\n.yaml: b.1.c\\t: is\\rwrong é"
    assert located("a", [], "x") == "a: x"


DOCUMENTS = {
    "dates": b"a: 2020-02-30\nb: 2020-02-28\n2020-01-01: 1\n",
    "long": b"a: !!int " + b"x" * 41 + b"\nb: !!int " + b"y" * 40 + b"\n",
    "octal": b"a: 010\nb: 1:30\nc: -07_7\nd: 0\ne: 10\nf: 0x10\n",
    "doubles": b"a: 1\nb:\n  - c: 1\n    c: 2\n  - d\na: 3\na: 4\n",
    "keys": b"? [a]\n: 1\n? {b: 2}\n: 2\nyes: 3\n~: 4\n1.5: 5\n",
    "merged": b"x: &x {a: 1, b: 1}\ny: {<<: *x, b: 2}\n",
    "anchors": b"x: &x {1: a}\ny: *x\nz: [*x, {2: b}]\n",
    "itself": b"a: 1\nb: &b\n  c: [*b]\n",
    "empty": b"# nothing\n",
    "list": b"- a\n",
    "value": b"a\n",
    "json list": b"[1]",
    "json value": b'"a"',
    "json": b'{"a": {"b": 1, "b": [null]}, "c": "d"}',
    "json templates": b'{"__use_yte__": true}',
    "templates": b"__use_yte__: true\na: 1\n",
    "control": b"a: 1\nb: \x07\n",
    "byte order mark": b"\xef\xbb\xbfa: 1\n",
    "wide": b"\xff\xfea\0",
    "wide other": b"\xfe\xff\0a",
    "no text": b"a: " + b"b" * 196 + b"\0",
    "cp1252": b"a: 1\nb: 2\nc: \xe4\n",
    "tab": b"a:\n\tb: 1\n",
    "at": b"a: @b\n",
    "second colon": b"a: b: c\n",
    "bracket": b"a: [1, 2\nb: 3\n",
    "escape": b'a: "C:\\data"\n',
    "hex": b'a: "C:\\xzata"\n',
    "documents": b"a: 1\n---\nb: 2\n",
    "indentation": b"a: 1\n  b: 2\n",
    "less": b"a:\n    b: 1\n  c: 2\n",
    "no colon": b"a: 1\nb\nc: 2\n",
    "quote": b'a: "b\nc: 2\n',
    "star": b"a: *b\n",
    "tag": b"a: !own b\n",
    "nested": b"[" * 5000,
    "nested yaml": b"a: " + b"[" * 1500 + b"]" * 1500,
    "nested json": b'{"a":' * 100_000,
}


def test_documents_are_read_as_they_were_looked_at(tmp_path):
    lines = []
    for name, data in DOCUMENTS.items():
        file = tmp_path / "study.yaml"
        file.write_bytes(data)
        found = read_document(file)
        lines += [f"{name}: {found.value} {'' if found.readable else 'unreadable'}".rstrip()]
        lines += [f"  {'.'.join(map(str, path))}: {text}" for path, text in found.errors]
        lines += [f"  written: {found.written}"] if found.written else []
    checked("checks/documents", "\n".join(lines) + "\n")


@pytest.mark.parametrize(("values", "refused"), [(200_000, False), (200_001, True)])
def test_aliases_stand_for_two_hundred_thousand_values_at_most(tmp_path, values, refused):
    # a: mapping, key, list of 1 000 and itself; x: key, list of so many aliases and the rest as plain values
    aliases, rest = divmod(values - 1 - 1 - 1001 - 1 - 1, 1001)
    file = tmp_path / "study.yaml"
    file.write_text(f"a: &a [{', '.join(['1'] * 1000)}]\nx: [{', '.join(['*a'] * aliases + ['1'] * rest)}]\n")
    text = "stands for 200,001 values by its aliases, more than 200,000; write fewer"
    assert read_document(file).errors == ([([], text)] if refused else [])


def test_what_cannot_be_read_says_so(tmp_path, monkeypatch):
    assert error_lines(tmp_path / "a") == [f"{tmp_path}/a: no such file; correct its name"]
    assert error_lines(tmp_path) == [f"{tmp_path}: is a folder; name the file of the study in it"]
    monkeypatch.setattr(yaml_files.Path, "read_bytes", lambda path: (tmp_path / ("n" * 300)).stat())
    assert error_lines(tmp_path) == [
        f"{tmp_path}: cannot be read (File name too long); correct its name or its permissions"
    ]


def test_mappings_are_laid_over_and_never_shared():
    one, two = {"a": {"b": 1, "c": {"d": 2}}, "e": [1]}, {"a": {"b": {"f": 3}, "c": 4}, "e": {"g": 5}, "h": {"i": 6}}
    both = yaml_files.merged([one, two])
    assert both == {"a": {"b": {"f": 3}, "c": 4}, "e": {"g": 5}, "h": {"i": 6}}
    both["h"]["i"], both["e"]["g"], both["a"]["b"]["f"] = 7, 8, 9
    assert two == {"a": {"b": {"f": 3}, "c": 4}, "e": {"g": 5}, "h": {"i": 6}}
    assert one == {"a": {"b": 1, "c": {"d": 2}}, "e": [1]}
