"""No text is a command, in whatever it is written into; and it still is that text."""

import json
import os
import random
import re
import subprocess
import sys

import pandas as pd
import pytest
import snakemake.report
from docutils import nodes
from docutils.core import publish_parts, publish_string
from hostile import TEXTS, letters, rendered
from jinja2 import Environment

from apr.basics.escaping import in_script, markdown_caption, markdown_cell, plain, plain_texts, rst, rst_caption
from apr.comparisons.table import Table, save_table
from engine import safe_report
from study import ROOT

PIECES = [".. ", " ", "raw", "::", "`", "*", "**", "_", "__", "|", "\\", ":", "a", "b1", "http://x.org/y"]
PIECES += ["javascript:alert(1)", "a@b.cc", "[", "]", "1", "2.", "(i)", "A.", "#.", ">>>", "-", "+", "===", "---", "•"]
PIECES += [
    "‣",
    "<",
    ">",
    "&",
    "$x$",
    "{x}",
    "%s",
    "^",
    "~",
    "\n",
    "\n\n",
    "\t",
    "\u202e",
    "\x00",
    "\x1b[31m",
    "ü",
    "😀",
]
PIECES += [
    "/V",
    "--opt",
    "#",
    "!",
    '"',
    "'",
    ":math:",
    ":r:`x`",
    "|x|",
    "[1]_",
    "x_",
    "PEP 8",
    "−0.5",
    "\ud800",
    "\u2028",
]


def some(count):
    generator = random.Random(0)
    return ["".join(generator.choices(PIECES, k=generator.randint(1, 8))) for _ in range(count)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n\nb\r\nc\td\x0b\x85\u2028e", "a b c d e"),
        (" a  b ", "a b"),
        ("\x1b[31mred\x07\x00", "\ufffd[31mred\ufffd\ufffd"),
        ("safe\u202egnp.exe\u202c \u2066x\u2069 \u200e\ufeffy", "safegnp.exe x y"),
        ("\ud800 \udcff", "\ufffd \ufffd"),
        ("👩\u200d🔬 می\u200cخواهم", "👩\u200d🔬 می\u200cخواهم"),
        ("Größe 42 % − «x» שלום", "Größe 42 % − «x» שלום"),
        ("", ""),
    ],
)
def test_plain_text_is_one_line_that_moves_nothing(text, expected):
    assert plain(text) == expected
    plain(text).encode()


def test_a_log_moves_no_cursor(tmp_path):
    code = """if True:
        from apr.basics.logs import log_to
        from apr.basics.problems import Problem
        with log_to("a.log", "history.log"):
            raise Problem("\\x1b[2Jgone \\u202egnp.exe\\r over\\n  - listed ü")
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow/scripts"), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    for text in (done.stderr, (tmp_path / "a.log").read_text("utf-8"), (tmp_path / "history.log").read_text("utf-8")):
        assert text.endswith(" error: \ufffd[2Jgone gnp.exe  over\n  - listed ü\n")


def test_texts_within_a_configuration_become_plain():
    study = {"title": "a\nb", "tasks": {"x": {"title": " c\t", "lr": 1, "note": "d\ne"}, "title": {"title": "f\n"}}}
    expected = {"title": "a b", "tasks": {"x": {"title": "c", "lr": 1, "note": "d\ne"}, "title": {"title": "f"}}}
    assert plain_texts(study, ("title",)) == expected


def test_restructured_text_is_that_text_and_nothing_else():
    for text in [*TEXTS, *some(300)]:
        assert rendered(rst(text)) == plain(text)
        if plain(text):
            strong = (nodes.document, nodes.paragraph, nodes.strong, nodes.Text)
            assert rendered(f"**{rst(text)}**", strong) == plain(text)


def test_a_caption_keeps_its_own_paragraphs_and_lists_only():
    caption = "First.\n\nSpearman's ρ = 0.5 [−0.1, 0.9]:\n\n- " + "\n- ".join(map(plain, TEXTS))
    source = rst_caption(caption)
    assert "Spearman's ρ = 0.5 [−0.1, 0.9]" in source  # it stays readable
    assert letters(rendered(source)) == letters(re.sub("(?m)^- ", "", caption))
    assert publish_parts(source, writer="html")["body"].count("<li>") == len(TEXTS)
    assert rendered(rst_caption("{#—::\n\\\n")) == "{#—::\n\\"  # no underline of a heading
    rendered(rst_caption("\n\n".join(TEXTS)))  # of text that was not made plain the worst is a paragraph


# There is no reader of Markdown among the dependencies: what its grammar gives a meaning has to be escaped.
# An underscore between letters has none (CommonMark 6.2), so that names of models stay readable.
SPECIAL = re.compile(r"(?<!\\)(?:\\\\)*(?:[`*|<>&~$@]|(?<![^\W_])_|_(?![^\W_])|:(?=\S)|\](?=[\[(])|!?\[(?![\d−]))")


def test_markdown_is_that_text_and_nothing_else():
    for text in [*TEXTS, *some(1000)]:
        item = markdown_caption(f"- {plain(text)}").removeprefix("- ")
        assert not re.match(r"[#>+=~`-]|\d+[.)]", item)  # as a line may begin and be no paragraph
        for escaped in (markdown_cell(text), item):
            assert not SPECIAL.search(escaped)
            assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escaped) == plain(text)


def test_names_in_markdown_are_readable_as_they_stand():
    assert markdown_cell("tf_efficientnet_lite2.in1k") == "tf_efficientnet_lite2.in1k"
    assert markdown_caption("- Digits_2: tf_net") == "- Digits_2: tf_net"
    assert markdown_cell("_a_ b__c a\\_b") == r"\_a\_ b\_\_c a\\\_b"


def test_a_table_shows_its_texts_in_either_form(tmp_path):
    shown = pd.DataFrame({f"head {TEXTS[2]}": TEXTS, TEXTS[3]: [f"{i:.3f} [−0.1, 0.2]" for i in range(len(TEXTS))]})
    paths = {"csv": tmp_path / "t.csv", "md": tmp_path / "t.md", "caption": tmp_path / "t.rst"}
    save_table(Table(shown, shown, f"Of {plain(TEXTS[2])}."), **paths)
    tree = (nodes.table, nodes.tgroup, nodes.colspec, nodes.thead, nodes.tbody, nodes.row, nodes.entry)
    text = letters(
        rendered(paths["caption"].read_text(encoding="utf-8"), (*tree, nodes.document, nodes.paragraph, nodes.Text))
    )
    assert all(letters(name) in text for name in TEXTS)
    lines = paths["md"].read_text(encoding="utf-8").splitlines()
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in lines[: len(TEXTS) + 2]] == [3] * (len(TEXTS) + 2)
    assert len(pd.read_csv(paths["csv"])) == len(TEXTS)


def test_json_cannot_end_the_script_that_it_stands_in():
    texts = [*TEXTS, "</script>", "<!--", "-->", "]]>", "&lt;"]
    source = in_script(json.dumps({text: texts for text in texts}))
    assert not set("<>&") & set(source)
    assert json.loads(source) == {text: texts for text in texts}


# The report


@pytest.fixture
def secured(monkeypatch):
    monkeypatch.setenv("DOCUTILSCONFIG", "")
    safe_report.secure_report()
    safe_report.secure_report()  # the Snakefile may be read twice


def test_restructured_text_takes_in_no_html_and_no_file(secured, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text("what the file holds")
    (tmp_path / "docutils.conf").write_text("[general]\nraw_enabled: yes\nfile_insertion_enabled: yes\n")
    ways = [".. raw:: html\n\n   <script>x</script>", ".. include:: secret", ".. csv-table::\n   :file: secret"]
    ways += [".. raw:: html\n   :file: secret", ".. role:: r(raw)\n   :format: html\n\n:r:`<script>x</script>`"]
    for way in ways:
        text = publish_string(f"{way}\n\nend", writer="html", settings_overrides={"warning_stream": False}).decode()
        assert "<script>x" not in text
        assert "what the file holds" not in text
        assert "end" in text


ACTIVE = [
    ".. image:: http://example.invalid/a.png",
    ".. image:: /etc/hostname\n   :target: javascript:ran()\n   :alt: A",
    ".. figure:: //example.invalid/a.svg\n\n   A legend",
    ".. image:: film.mp4",
    ".. image:: a.swf",
    ".. embeddedimage:: http://example.invalid/a.png",
    ".. embeddedfigure:: http://example.invalid/a.png",
    ".. |x| image:: http://example.invalid/a.png\n\nSee |x| and |x|_.\n\n.. _x: javascript:ran()",
    "`c <javascript:window.ran=9>`_",
    "`c <JaVaScRiPt:window.ran=9>`__",
    "c_\n\n.. _c: javascript:ran()",
    "__ javascript:ran()\n\nd__",
    "`c <data:text/html,x>`_ `d <vbscript:x>`_ `e <file:///etc/passwd>`_ `f <//example.invalid>`_",
    "a@example.invalid mailto:a@example.invalid javascript:ran()",
    ":Author: a@example.invalid\n:Contact: javascript:ran()\n\ntext",
    ".. meta::\n   :http-equiv=refresh: 0; url=javascript:ran()",
]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of the arguments as Snakemake gives them
@pytest.mark.parametrize("source", ACTIVE)
@pytest.mark.parametrize("part", ["body", "html_body"])
def test_a_caption_asks_for_nothing_and_its_links_lead_to_the_web_alone(secured, source, part):
    made = snakemake.report.publish_parts(f"{source}\n\nend", writer_name="html")[part]
    assert not re.search(r"<(img|object|embed|video|iframe|script|meta)|(href|src|data)=", made), made
    assert "end" in made


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_links_to_the_web_and_within_a_caption_stay(secured):
    source = "`c <https://example.org/>`_ HTTP://example.org/x [1]_\n\n.. [1] A note."
    made = snakemake.report.publish_parts(source, writer_name="html")["body"]
    assert re.findall('href="(.*?)"', made)[:2] == ["https://example.org/", "HTTP://example.org/x"]
    assert "A note." in made


def test_a_caption_may_be_long(secured):
    assert "x" * 20_000 in publish_parts("x" * 20_000, writer="html")["body"]


def test_captions_are_no_templates(secured, tmp_path):
    (tmp_path / "caption.rst").write_text("{{ 7 * 7 }} {% raw %} ρ", encoding="utf-8")
    environment = Environment()  # as Snakemake makes it
    text = environment.from_string("{{ path | contents }}").render(path=tmp_path / "caption.rst")
    assert text == "{{ 7 * 7 }} {% raw %} ρ"
    assert environment.from_string("**{{ title | rst }}**").render(title="{{ x }}*\n") == r"**\{\{ x }}\***"


def test_only_while_the_report_is_written_json_is_that_of_a_script(secured, monkeypatch):
    class Report:
        custom_stylesheet = None

        def render(self):
            return json.dumps("</script>")

    monkeypatch.setattr(safe_report, "Reporter", Report)
    safe_report.secure_report()
    written = []
    monkeypatch.setattr(Report, "render", safe_report._secured(lambda _: written.append(json.dumps("</script>"))))
    report = Report()
    report.render()
    assert report.custom_stylesheet == safe_report.STYLE.read_text(encoding="utf-8")
    assert written == [r'"\u003c/script\u003e"']
    assert json.dumps("</script>") == '"</script>"'
    assert os.environ["DOCUTILSCONFIG"] == str(safe_report.SETTINGS)
