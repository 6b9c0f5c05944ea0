"""The YAML and JSON files of a user, read strictly: what YAML itself passes over without a word is an error."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TAG = "tag:yaml.org,2002:"
MOST_VALUES = 200_000  # what aliases stand for included: a few lines of them can stand for billions
MOST_LEVELS = 100  # of mappings and lists in one another
READ_AS = {"int": "a number", "float": "a number", "bool": "true or false", "null": "nothing", "timestamp": "a date"}
BYTE_ORDER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
EXPLAINED = (
    ("found a tab", "YAML wants spaces instead"),
    ("cannot start any token", "a text that begins with such a character needs quotes"),
    ("mapping values are not allowed", "a second `: ` in one line, or wrong indentation: put the text in quotes"),
    ("expected ',' or", "a bracket or a quote is not closed, or a comma is missing"),
    ("found unknown escape", "in double quotes \\ begins an escape: use single quotes, or / in a path"),
    ("expected hexdecimal", "in double quotes \\ begins an escape: use single quotes, or / in a path"),
    ("found another document", "one file is one study: remove the second `---`"),
    ("expected <block end>", "the indentation differs from the line's before, or a `:` is missing"),
    ("did not find expected key", "the indentation differs from the line's before, or a `:` is missing"),
    ("could not find expected ':'", "a key has no `:` after it"),
    ("unexpected end of stream", "a quote is not closed"),
    ("undefined alias", "a text that begins with * needs quotes"),
    ("could not determine a constructor", "tags (!…) are not read: write plain values"),
)


@dataclass
class Document:
    """What a file holds.

    Attributes:
        value: the mapping, its keys as they are written; empty where the file cannot be read.
        errors: path of the key, and what is wrong with it.
        readable: whether Snakemake can read it, errors or not.
        written: the text of each key and plain value, by its path.
    """

    value: dict[str, Any] = field(default_factory=dict)
    errors: list[tuple[list[str], str]] = field(default_factory=list)
    readable: bool = True
    written: dict[tuple, str] = field(default_factory=dict)


def read_document(path: str | Path) -> Document:
    """Read a file as Snakemake does: JSON, or else YAML. Whatever is wrong with it is among the document's errors."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        return _unreadable("no such file; correct its name")
    except IsADirectoryError:
        return _unreadable("is a folder; name the file of the study in it")
    except OSError as error:
        return _unreadable(f"cannot be read ({error.strerror}); correct its name or its permissions")
    text, problem = _decoded(data)
    if problem:
        return _unreadable(problem)
    try:
        document = _json(text)
    except RecursionError:
        return _unreadable("is nested too deeply; write fewer levels")
    except ValueError:
        document = _yaml(text)
    return document


def merged(values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Mappings laid over each other in order, as Snakemake does it with configuration files."""
    result: dict[str, Any] = {}
    for value in values:
        _lay_over(result, value)
    return result


def _unreadable(text: str) -> Document:
    return Document(errors=[([], text)], readable=False)


def _decoded(data: bytes) -> tuple[str, str | None]:
    """The text of a file, or what is wrong with its bytes."""
    encoding = BYTE_ORDER_MARKS.get(data[:2]) or ("UTF-16" if b"\0" in data[:200] else None)
    if encoding:
        return "", f"is {encoding}, or no text at all; save it as UTF-8"
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        text = f"line {line}: byte 0x{data[error.start]:02x} is not UTF-8 (Latin-1 or cp1252, perhaps)"
        return "", f"{text}; save the file as UTF-8"


def _json(text: str) -> Document:
    document = Document()

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        for key in dict(found):
            if sum(key == other for other, _ in found) > 1:
                document.errors.append(([key], f"appears {_twice(text, key)}; keep one, or merge the two"))
        return dict(found)

    value = json.loads(text, object_pairs_hook=pairs)
    if not isinstance(value, dict):
        return _unreadable(_no_mapping(value))
    document.value = value
    _templates(document)
    return document


def _twice(text: str, key: str) -> str:
    pattern = re.compile(re.escape(json.dumps(key, ensure_ascii=False)) + r"\s*:")
    lines = [text.count("\n", 0, match.start()) + 1 for match in pattern.finditer(text)]
    return f"more than once in one mapping (it is in the lines {', '.join(map(str, lines))})"


def _yaml(text: str) -> Document:
    document = Document()
    loader = None
    try:
        if line := _too_deep(text):
            return _unreadable(f"line {line}: is nested more than {MOST_LEVELS} levels deep; write fewer levels")
        loader = Loader(text)
        root = loader.get_single_node()
        if root is None:
            return _unreadable("is empty; write the study's keys, or leave the file out")
        if not isinstance(root, yaml.MappingNode):
            return _unreadable(_no_mapping(root))
        problem = _size_problem(root) if "&" in text else None
        if problem:
            return _unreadable(problem)
        _Walk(document, loader).mapping(root, [])
        document.value = _constructed(root, loader)
        _templates(document)
    except RecursionError:
        return _unreadable("is nested too deeply; write fewer levels")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return _unreadable(f"line {line}: holds the control character {chr(error.character)!r}; remove it")
    except yaml.YAMLError as error:
        return _unreadable(_explained(error, text))
    finally:
        if loader is not None:
            loader.dispose()
    return document


def _too_deep(text: str) -> int | None:
    """The line of the first level that is too many: composing nodes recurses, in C without a limit."""
    level = 0
    for event in yaml.parse(text, Loader):
        level += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if level > MOST_LEVELS:
            return event.start_mark.line + 1
    return None


def _no_mapping(value: Any) -> str:
    kinds = {list: "a list", yaml.SequenceNode: "a list"}
    return f"is {kinds.get(type(value), 'a single value')}; a study is a mapping, lines of `key: value`"


def _templates(document: Document) -> None:
    if "__use_yte__" in document.value:
        document.readable = False
        document.errors.append((["__use_yte__"], "templates run code and are not read; write plain values"))


def _explained(error: yaml.YAMLError, text: str) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    rows = text.splitlines()
    if mark and mark.line < len(rows) and rows[mark.line][mark.column :].startswith("\t"):
        problem = "found a tab"
    remedy = next((meaning for part, meaning in EXPLAINED if part in problem), "correct it")
    start = getattr(error, "context_mark", None)
    begun = f" (what begins in line {start.line + 1})" if start and mark and start.line != mark.line else ""
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{where}is no YAML: {problem}{begun}: {remedy}"


def _size_problem(root: yaml.Node) -> str | None:
    """What is wrong with a document that refers to itself, or stands for too many values by aliases of aliases."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()
    pending: list[tuple[yaml.Node, bool]] = [(root, False)]
    while pending:
        node, done = pending.pop()
        if done:
            open_nodes.discard(id(node))
            sizes[id(node)] = 1 + sum(sizes[id(child)] for child in _children(node))
        elif id(node) in open_nodes:
            return f"line {node.start_mark.line + 1}: refers to itself; write the values out"
        elif id(node) not in sizes:
            open_nodes.add(id(node))
            pending.append((node, True))
            pending += [(child, False) for child in _children(node)]
    if sizes[id(root)] > MOST_VALUES:
        return f"stands for {sizes[id(root)]:,} values by its aliases, more than {MOST_VALUES:,}; write fewer"
    return None


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


class _Walk:
    """Goes through a document's nodes, notes what is written, and finds keys that are no text or stand twice."""

    def __init__(self, document: Document, loader: Any) -> None:
        self.document, self.loader = document, loader
        self.named: set[tuple[int, str]] = set()  # what stands at an anchor is named once, not at each alias

    def mapping(self, node: yaml.MappingNode, path: list[str]) -> None:
        seen: dict[str, int] = {}
        for key, value in node.value:
            if key.tag == f"{TAG}merge":
                continue
            if not isinstance(key, yaml.ScalarNode):
                self.error(key, path, "a list or a mapping is no key; write a text in quotes")
                self.document.readable = False
                continue
            inner = [*path, key.value]
            if key.tag != f"{TAG}str":
                kind = READ_AS.get(key.tag.removeprefix(TAG), key.tag)
                self.error(key, inner, f"YAML reads this key as {kind}; write {key.value!r} in quotes")
            if key.value in seen:
                self.error(key, inner, f"appears here and in line {seen[key.value]}; keep one, or merge the two")
            seen.setdefault(key.value, key.start_mark.line + 1)
            self.value(value, inner)

    def value(self, node: yaml.Node, path: list[Any]) -> None:
        if isinstance(node, yaml.MappingNode):
            self.mapping(node, path)
        elif isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                self.value(item, [*path, number])
        else:
            self.document.written[tuple(path)] = node.value
            if node.tag == f"{TAG}str":
                return
            try:
                value = self.loader.construct_object(node)
            except ValueError as error:
                self.loader.recursive_objects.clear()
                kind = READ_AS.get(node.tag.removeprefix(TAG), node.tag)
                self.error(
                    node, path, f"{_short(node.value)} would be {kind} ({error}); correct it, or put it in quotes"
                )
                node.tag = f"{TAG}str"
                self.document.readable = False
                return
            if node.tag == f"{TAG}int" and re.match(r"[-+]?0[0-7_]+$|.*:", node.value):
                text = f"YAML reads {node.value} as {value}; write that, or {node.value!r} in quotes"
                self.error(node, path, text)

    def error(self, node: yaml.Node, path: list[Any], text: str) -> None:
        if (id(node), text) not in self.named:
            self.named.add((id(node), text))
            self.document.errors.append((path, f"line {node.start_mark.line + 1}: {text}"))


def _constructed(root: yaml.MappingNode, loader: Any) -> dict[str, Any]:
    """The values of a document; its keys as they are written."""
    seen: set[int] = set()
    pending: list[yaml.Node] = [root]
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            node.value = [(key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]
            for key, _ in node.value:
                key.tag = key.tag if key.tag == f"{TAG}merge" else f"{TAG}str"
        pending += _children(node)
    return loader.construct_document(root)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:30]}… ({len(text)} characters)"


def _lay_over(base: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _lay_over(base[key], value)
        else:
            base[key] = merged([value]) if isinstance(value, dict) else value
