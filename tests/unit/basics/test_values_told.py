"""What is said of values, addresses, causes and names, each at both sides of its limits, as it was looked at."""

import errno
import tarfile
import typing
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pytest
from golden import checked_rows, told_by

from apr.basics import causes, parts, randomness
from apr.basics.addresses import OF_FOLDERS, address_problem, folder_problem
from apr.basics.causes import decoding, explained, printable, reading, reason
from apr.basics.escaping import in_script, markdown_caption, markdown_cell, plain, rst, rst_caption, visible
from apr.basics.facts import entries_of, once, read_entries, read_facts
from apr.basics.files import _explained, file_digest, read_file, read_json
from apr.basics.interruption import Interrupted, stop_if_asked
from apr.basics.names import check_name, plain_name
from apr.basics.problems import Problem
from apr.basics.values import (
    MOST,
    Between,
    alike,
    hint,
    is_kind,
    kind_of,
    kinds_of,
    limit_problem,
    nearest,
    shown,
    unique_keys,
    value_problem,
    wanted_of,
)

said = told_by(Problem, ValueError, OSError, Interrupted)


VALUES = [None, True, False, 0, 1, -1, 5, 2**31, 1.0, 1.5, -0.0, float("inf"), float("nan"), "", "a", "5", "1.5", "1e3"]
VALUES += ["2.0", "Yes", "off", "null", [], [1], [1, "a"], {}, {"a": 1}, {"a": "b"}, "x" * 58, "x" * 59, 10**29, 10**30]
WANTED = [
    {"type": "integer"},
    {"type": "number", "minimum": 0},
    {"type": "string"},
    {"type": "boolean"},
    {"type": "array", "items": {"type": "integer"}, "minItems": 1},
    {"type": "object", "additionalProperties": {"type": "integer"}},
    {"type": ["integer", "null"], "minimum": 1, "maximum": 5},
    {"enum": ["a", 5, True]},
    {"anyOf": [{"type": "integer", "exclusiveMinimum": 1}, {"type": "string"}, {"enum": [None]}]},
    {"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 5},
]


def of_values(root):
    for wanted in WANTED:
        yield wanted, kinds_of(wanted), [value_problem(value, wanted) for value in VALUES]
    for kinds in (["string"], ["integer"], ["number"], ["boolean"], ["array"], ["integer", "string"], ["null"]):
        yield kinds, [hint(value, kinds) for value in VALUES], hint(5, kinds, "0x5"), hint(5, kinds, "y" * 61)
    yield [shown(value) for value in VALUES], [kind_of(value) for value in [*VALUES, (1,), b"x"]]
    for kind in ("integer", "number", "string", "boolean", "array", "object", "null", ["integer", "null"]):
        yield kind, [is_kind(value, kind) for value in [*VALUES, (1,)]]
    for limits in (
        {"minimum": 1},
        {"maximum": 5},
        {"exclusiveMinimum": 1},
        {"exclusiveMaximum": 5},
        {"minimum": 1, "maximum": 5_000},
    ):
        yield limits, [limit_problem(value, limits) for value in (0, 1, 1.5, 5, 6, 5_001, True, "a", -0.0)]
    for annotation in (
        *(int, str, bool, float, None, list, tuple, str | None, list[int], tuple[str, ...], dict[str, float]),
        *(Literal["a", 1], Annotated[int, Between(2, 9)], typing.Optional[int], list[str] | Literal[False]),  # noqa: UP045
    ):
        yield str(annotation), wanted_of(annotation)
    known = ["alpha", "alpine", "beta", "bet", 7]
    yield (
        alike("alph", known),
        alike("alph", known, 3),
        alike("alph", known, 3, 0.9),
        alike(7, known),
        alike("zz", known),
    )
    yield (
        nearest("alph", known),
        nearest("alph", known, most=2),
        nearest("zz", known, " (no)"),
        nearest("zz", known),
        MOST,
    )
    yield said(unique_keys, [("a", 1), ("b", 2), ("b", 3), ("a", 4)]), unique_keys([("a", 1)])


def of_addresses(root):
    for address in (
        *("https://a/b", "http://a", "https://", "https:///b", "http://a b/c", "file:a", "file:///a", "file://host/a"),
        *(
            "file://localhost/a",
            "file:~/a",
            "bundled:x",
            "ftp://a",
            "a",
            "",
            "https://a:x/",
            "http://[::1",
            "https://a\n",
        ),
        *("https://a/\ud800", "HTTPS://a", "http://user@/x"),
    ):
        yield repr(address), address_problem(address), address_problem(address, OF_FOLDERS)
    for folder in ("a", "~/a", "a\tb", "a~", "\x00"):
        yield repr(folder), folder_problem(folder)


def of_causes(root):
    for number in sorted({*causes.REASONS, *causes.REMEDIES, errno.ENOTEMPTY}):
        error = OSError(number, "the system's words", "a\nb")
        yield errno.errorcode[number], explained(error), explained(OSError(number, "words"), "thing")
        yield str(_explained(error, Path("a\nb"), None)), str(_explained(error, Path("x"), Path("y")))
    yield explained(OSError(errno.EXDEV, "no", "a", None, "b")), explained(OSError(errno.EACCES, "no", b"a"), "x")
    errors = [MemoryError(), RecursionError(), UnicodeDecodeError("ascii", b"0123456789abc\xff", 2, 3, "no")]
    errors += [
        UnicodeEncodeError("ascii", "ä", 0, 1, "no"),
        EOFError(),
        tarfile.TarError("a\n b"),
        NotImplementedError(),
        ValueError(""),
    ]
    for error in errors:
        yield type(error).__name__, reason(error), explained(error), explained(error, "thing")
    for length in (9, 10, 11):
        yield printable("abcdefghijk"[:length], 10), len(printable("x" * (190 + length)))
    yield printable("a\tb\x7f\u2028\udcff é"), printable("abcdefghijklm", 5)
    for error in (OSError(errno.EIO, "no", "f"), KeyError("k"), Problem("p"), ValueError("v\nw"), OSError("library")):
        for around in (reading, decoding):

            def raising(error=error, around=around):
                with around("thing"):
                    raise error

            try:
                yield type(error).__name__, around.__name__, said(raising)
            except KeyError:
                yield around.__name__, "passes"


def of_texts(root):
    texts = [
        "a_b c_",
        "x: y:z",
        "1. [a](b) [−0.1]",
        "- a\n- b\n\nc",
        "`x` *y* |z| <t> & ~ $ @",
        "\\",
        "'q' •",
        "",
        "#a_",
        "Dr: a_b:",
    ]
    texts += ["\u202ea\x1b\x07b", "tab\tline\nnext", "\u200ba\u200d", "a-b _c"]
    for text in texts:
        yield (
            text,
            plain(text),
            visible(text),
            rst(text),
            markdown_cell(text),
            rst_caption(text),
            markdown_caption(text),
        )
    yield in_script("<a>&</b>")


def of_files(root):
    path = root / "a.yaml"
    for text in ("items:\n- a: 1\n", "items: 3\n", "items: [1]\n", "- 1\n", "a: [", "", "other: []"):
        path.write_text(text)
        yield text, said(read_facts, path), said(read_entries, path, "items")
    yield said(read_facts, root / "none"), said(entries_of, "f", {"k": []}, "k"), said(entries_of, "f", None, "k")
    yield said(once, "f", "task", ["a", "b"]), said(once, "f", "task", ["a", "b", "b", "a"])
    path.write_bytes(b"abc")
    yield (
        file_digest(path),
        file_digest(path, "md5"),
        read_file(path),
        said(read_file, root),
        said(read_file, root / "n"),
    )
    for text in ('{"a": 1}', "{", "[" * 99_999, "é"):
        path.write_bytes(text.encode("latin1"))
        yield text[:9], said(read_json, path)
    yield said(stop_if_asked), str(Interrupted(15)), str(Interrupted(2, "x")), Interrupted(10).number
    for name in (
        "a",
        "A-b_c.1",
        "",
        ".",
        "..",
        "a/b",
        "a b",
        "ä",
        "-a",
        ".a",
        "a\n",
        "a" * 200,
        "a" * 201,
        "a\\b",
        "CON",
        "a{b}",
    ):
        yield name[:9], said(check_name, name, "the name", "rename it"), plain_name(name)


def of_draws(root):
    """By the formulas of Steele et al. with plain numbers, and numpy's own generator of the same key."""
    mask = 2**64 - 1

    def mix(value):
        value = (value + 0x9E3779B97F4A7C15) & mask
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & mask
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
        return value ^ (value >> 31)

    found = randomness.uniforms(3, 5, np.array([7, 0]), 3)
    expected = [
        [(mix((mix(mix(mix(3) ^ 5) ^ row) + place) & mask) >> 11) * 2.0**-53 for place in (1, 2, 3)] for row in (7, 0)
    ]
    assert found.tolist() == expected
    philox = np.random.Generator(np.random.Philox(key=[3, 5]))
    assert randomness.order(3, 5, 9).tolist() == philox.permutation(9).tolist()
    yield randomness.generator("a", 1).integers(1000, size=5).tolist(), randomness.generator("a").random()
    pattern = parts.NAME
    names = [".a.0123abcd-1-2-abcdefgh.part", ".a.0123abcd-1-2-abcdefgh.part.csv", "a.0123abcd-1-2-abcdefgh.part"]
    yield [
        bool(pattern.fullmatch(name))
        for name in [*names, ".a.0123abcg-1-2-abcdefgh.part", ".a.0123abcd--2-abcdefgh.part"]
    ]


KINDS = {"values": of_values, "addresses": of_addresses, "causes": of_causes, "texts": of_texts, "files": of_files}
KINDS |= {"draws": of_draws}


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_told_as_they_were_looked_at(kind, tmp_path):
    checked_rows(f"basics/{kind}", KINDS[kind](tmp_path), tmp_path)


def test_bytes_of_a_folder_are_not_read():
    with pytest.raises(Problem, match=r"^/: is a folder or a device, not a file; name another$"):
        read_file("/")
