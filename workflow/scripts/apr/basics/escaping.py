"""Text of users and publishers, made inert for whatever reads it next.

Titles, names of classes, models and files come from configurations, archives and published tables; none of them is a
command. Figures need no escaping: they are drawn with matplotlib's `text.parse_math` off.
"""

import re
import string
import unicodedata
from collections.abc import Callable, Collection, Mapping
from typing import Any

KEPT = "\u200c\u200d"  # of the invisible characters those with which Persian, Indic scripts and emoji are written
REPLACED = "\ufffd"
# What stands for something within a line of reStructuredText or Markdown: emphasis, references, roles, tags, entities,
# formulas, links and bare addresses. The brackets of an interval, [−0.1, 0.2], are no link and stay readable.
INLINE = re.compile(r"[\\`*_|<>&~$@]|:(?=\S)|\[(?![\d−])|\](?=[\[(])")
# Markdown leaves an underscore within a word alone, and a colon at the end of one.
INNER = re.compile(r"(?<=[^\W_])\\_(?=[^\W_])|(?<=[^\W_])\\:$")
# What the first word of a line may mean something by: all punctuation, but for what stands within words ("Spearman's").
PUNCTUATION = re.escape("".join(sorted(set(string.punctuation) - set("',;"))))
FIRST = {
    "rst": re.compile(f"^['•‣⁃]|[{PUNCTUATION}]"),
    "markdown": re.compile(f"[{PUNCTUATION}]"),
}
ITEM = "- "


def plain(text: str) -> str:
    """The text as one line: no line breaks, nothing that moves a cursor, changes a direction or cannot be encoded."""
    if not (text.isascii() and text.isprintable()):  # nearly all texts are
        text = "".join(map(_plain, text))
    return " ".join(text.split())


def visible(text: str) -> str:
    """The text in its lines, for a terminal or a log, without what moves a cursor or changes a direction."""
    return "".join(letter if letter in " \n\t" else " " if letter.isspace() else _plain(letter) for letter in text)


def plain_texts(value: Any, keys: Collection[str]) -> Any:
    """The same with the texts of some keys each on one line, in mappings within mappings, too."""
    if not isinstance(value, Mapping):
        return value
    texts = {key: plain(text) for key, text in value.items() if key in keys and isinstance(text, str)}
    return {key: plain_texts(entry, keys) for key, entry in value.items()} | texts


def rst(text: str) -> str:
    """A line of reStructuredText that shows the text and nothing else, wherever it stands."""
    line = _line(text, "rst")
    return f"\\ {line}" if line and not line.strip("\\") else line  # backslashes alone would underline a heading


def rst_caption(text: str) -> str:
    """Paragraphs and lists ("- " at the start of a line) of plain text, in reStructuredText."""
    return _lines(text, rst)


def markdown_cell(text: str) -> str:
    """Text within a line of Markdown or a cell of a table."""
    return _within_words(INLINE.sub(r"\\\g<0>", plain(text)))


def markdown_caption(text: str) -> str:
    """Paragraphs and lists ("- " at the start of a line) of plain text, in Markdown."""
    return _lines(text, lambda line: " ".join(map(_within_words, _line(line, "markdown").split(" "))))


def in_script(text: str) -> str:
    """JSON, as it may stand within a page's <script>: no text in it can end the script."""
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def _within_words(text: str) -> str:
    return INNER.sub(lambda found: found.group()[1:], text)


def _plain(character: str) -> str:
    kind = unicodedata.category(character)
    if character.isspace() or character in KEPT:
        return character
    return "" if kind == "Cf" else REPLACED if kind in ("Cc", "Cs") else character


def _line(text: str, language: str) -> str:
    first, space, rest = plain(text).partition(" ")
    return FIRST[language].sub(r"\\\g<0>", first) + space + INLINE.sub(r"\\\g<0>", rest)


def _lines(text: str, escape: Callable[[str], str]) -> str:
    lines = []
    for line in text.split("\n"):
        item = line.startswith(ITEM)
        lines.append(ITEM * item + escape(line[len(ITEM) * item :]))
    return "\n".join(lines)
