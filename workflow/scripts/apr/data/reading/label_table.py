"""Tables of labels as people write them: whatever encoding, delimiter and spaces, and what is wrong named by line."""

import codecs
import csv
import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from apr.basics.problems import Problem
from apr.basics.values import nearest
from apr.data.reading.headers import refuse_no_header, with_index_column
from apr.data.reading.walking import LeftOut, named
from apr.data.sources.file_kinds import kind_of

# UTF-32's mark begins with that of UTF-16.
MARKS = {
    codecs.BOM_UTF8: ("utf-8", None),
    codecs.BOM_UTF32_LE: ("utf-32-le", "UTF-32"),
    codecs.BOM_UTF32_BE: ("utf-32-be", "UTF-32"),
    codecs.BOM_UTF16_LE: ("utf-16-le", "UTF-16"),
    codecs.BOM_UTF16_BE: ("utf-16-be", "UTF-16"),
}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "space"}
NAMES = {"\\t": "\t"} | {name: sign for sign, name in DELIMITERS.items()}
SAVE = "save it as UTF-8 (a spreadsheet's `CSV UTF-8`), or set options: encoding"
SPREADSHEETS = {
    b"PK\x03\x04": "a spreadsheet or another zip",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"PAR1": "Parquet",
}
EMPTY = {"", "nan", "-nan", "na", "n/a", "<na>", "#n/a", "#na", "nat", "none", "null"}
BLANKS = " \t\r\n\v\f\xa0\u2007\u202f\u200b\ufeff"
ONE_HOT = {"0": 0, "0.0": 0, "false": 0, "1": 1, "1.0": 1, "true": 1}

ACCENTS = "À-ÖØ-öø-ÿŒœŠšŽžŸ"
MANGLED = re.compile(
    rf"[{ACCENTS}]{{3}}"
    rf"|[^\W\d_][^\x00-\x7f{ACCENTS}ßµ’‘´ªº\xa0\xad]"
    r"|[\xa1-\xa9\xac-\xaf][^\W\d_]"
    r"|[^\W\d_][ŠŽŸŒ][a-zß]"
    r"|(?<!\w)[”†‡‰ˆ˜™›…–—]\w"
)


@dataclass(frozen=True)
class Row:
    """One row: the line it begins in, counted from 1, and its cells by column, stripped."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class LabelTable:
    """A table that was read."""

    path: Path
    columns: list[str]
    rows: list[Row]


def is_empty(cell: str) -> bool:
    """Whether a cell is empty or says so, as programs write it: nan, NA, None, null."""
    return cell.lower() in EMPTY


def read_table(
    path: Path,
    wanted: Sequence[str],
    left: LeftOut,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    header: Sequence[str] | None = None,
    pictures: Collection[str] = (),
) -> LabelTable:
    """Read a table.

    Args:
        path: of a file of delimited text.
        wanted: columns that it has to have.
        left: takes notes on what had to be guessed.
        delimiter: between the columns: a character or its name (tab, comma, semicolon, pipe, space); found by default.
        encoding: as Python names it; found by default.
        header: names of the columns where the file has no such line.
        pictures: names of the pictures, by which a first line shows that it is no header.

    Raises:
        Problem: names the line: another encoding, a row with more or fewer cells than the header, an open quote; or the
            column that is missing.
    """
    text = decode_text(path, left, encoding)
    first, _, rest = text.partition("\n")
    skipped = 0
    if told := re.fullmatch(r'"?sep=(.)"?\s*', first):  # Excel's own way to say it
        delimiter, text, skipped = delimiter or told[1], rest, 1
    sign = _delimiter(path, text, wanted, delimiter, header, left)
    rows = _rows(path, text, sign, skipped)
    columns = list(header) if header else (rows.pop(0)[1] if rows else [])
    columns = [column.lstrip("# ") if place == 0 else column for place, column in enumerate(columns)]
    if not header:
        refuse_no_header(path, text.lstrip().split("\n")[0], columns, wanted, pictures)
        columns = with_index_column(path, columns, rows, left)
    require_columns(path, wanted, columns)
    found = []
    for line, cells in rows:
        while len(cells) > len(columns) and not cells[-1]:
            cells.pop()
        if len(cells) != len(columns):
            raise Problem(
                f"{path}: line {line}: has {len(cells)} cells where the header has {len(columns)} "
                f"({_short(cells, sign)}); "
                "complete the line, or put cells that hold the delimiter into quotes"
            )
        row = dict(zip(columns, cells, strict=True))
        for name in wanted:
            if "\n" in row[name]:
                raise Problem(
                    f"{path}: line {line}: column {name!r} holds a line break; look for a quote that is not closed"
                )
        found.append(Row(line, row))
    if not found:
        raise Problem(f"{path}: has no row below its header; fill it, or set options: table")
    return LabelTable(path, columns, found)


def decode_text(path: Path, left: LeftOut, encoding: str | None = None) -> str:
    """A file's text, its lines ended by a line feed alone.

    UTF-8 with or without its mark, UTF-16 and UTF-32 by theirs, else Windows-1252 where it makes words; whatever is not
    UTF-8 is noted.

    Raises:
        Problem: it is no text, or of an encoding that cannot be told; names the line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Problem(f"{path}: cannot be read ({error.strerror}); correct its permissions or its link") from error
    text = _given(path, data, encoding) if encoding else _found(path, data, left)
    if "\0" in text:
        raise Problem(
            f"{path}: line {_line(text, text.index(chr(0)))}: holds null bytes: it is no table of text; {SAVE}"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")


def require_columns(path: Path, wanted: Sequence[str], there: Sequence[str]) -> None:
    """Refuse a table that lacks a column.

    Raises:
        Problem: names the column and the nearest, or all, that the table has.
    """
    for name in wanted:
        if name not in there:
            hint = nearest(name, there, f" (it has {', '.join(there)})")
            raise Problem(f"{path}: has no column {name!r}{hint}; correct that name, or the first line of the table")


def one_hot_columns(table: LabelTable) -> list[str]:
    """Columns of noughts and ones of which each row has a single one: the classes, spread over columns."""
    columns = [name for name in table.columns if all(row.cells[name].lower() in ONE_HOT for row in table.rows)]
    sums = {sum(ONE_HOT[row.cells[name].lower()] for name in columns) for row in table.rows}
    return columns if len(columns) > 1 and sums == {1} else []


def _given(path: Path, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except LookupError:
        raise Problem(
            f"options: encoding: {encoding!r}: Python knows no such encoding; try utf-8, cp1252, shift_jis"
        ) from None
    except UnicodeError as error:
        raise Problem(f"{path}: is not {encoding} ({error}); correct options: encoding") from error


def _found(path: Path, data: bytes, left: LeftOut) -> str:
    if kind := next((kind for magic, kind in SPREADSHEETS.items() if data.startswith(magic)), None):
        raise Problem(f"{path}: is {kind}, not a table of text; export it as CSV")
    if (kind := kind_of(data[:512])) not in ("other", "tar"):
        what = "empty" if kind == "empty" else f"a file of kind {kind}"
        raise Problem(f"{path}: is {what}, not a table of text; name another file")
    for mark, (encoding, name) in MARKS.items():
        if data.startswith(mark):
            if name:
                left.note(f"{path}: is read as {name}, by its mark")
            return _given(path, data[len(mark) :], encoding)
    if data[1:200:2].count(0) > 50 or data[:200:2].count(0) > 50:
        encoding = "utf-16-le" if data[1:200:2].count(0) > 50 else "utf-16-be"
        left.note(f"{path}: is read as UTF-16, without its mark")
        return _given(path, data, encoding)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f"{path}: line {line}: is not UTF-8 (byte 0x{data[error.start]:02x})"
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    sample = text.split("\n")[line - 1].strip() if text else ""
    if not text or _mangled(text):
        raise Problem(f"{where} nor Windows-1252; {SAVE}")
    left.note(f"{where}; it is read as Windows-1252 ({sample[:60]!r}): if that is wrong, {SAVE}")
    return text


def _mangled(text: str) -> bool:
    """Whether text of another encoding was taken for Windows-1252: it has signs in words, or long runs of accents."""
    return bool(MANGLED.search(text))


def _delimiter(
    path: Path, text: str, wanted: Sequence[str], given: str | None, header: Sequence[str] | None, left: LeftOut
) -> str:
    if given is not None:
        sign = NAMES.get(given, NAMES.get(given.lower(), given))
        if len(sign) != 1 or sign in '\n\r"':
            known = ", ".join(DELIMITERS.values())
            raise Problem(f"options: delimiter: {given!r}: one character, or one of {known}")
    first = next((line for line in text.split("\n") if line.strip()), "")
    splits = {sign: _header(first, sign) for sign in DELIMITERS}
    fitting = [sign for sign, cells in splits.items() if set(wanted) <= set(cells)]
    if given is not None:
        if not header and fitting and not set(wanted) <= set(_header(first, sign)):
            raise Problem(f"{path}: its columns are separated by {DELIMITERS[fitting[0]]}; correct options: delimiter")
        return sign
    if header:
        return max(DELIMITERS, key=lambda sign: len(splits[sign]))
    found = max(fitting or list(DELIMITERS)[:-1], key=lambda sign: len(splits[sign]))
    if fitting and found != ",":
        left.note(f"{path}: columns are separated by {DELIMITERS[found]}")
    return found


def _header(line: str, sign: str) -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=sign, skipinitialspace=True), [])
    except csv.Error:
        return []
    return [cell.strip(BLANKS).lstrip("# ") for cell in cells]


def _rows(path: Path, text: str, sign: str, skipped: int) -> list[tuple[int, list[str]]]:
    """Line and stripped cells of each row that is not blank."""
    try:
        return _parsed(path, text, sign, skipped)
    except Problem:
        closed = re.sub(rf'"[ \t]+(?=[\n{re.escape(sign)}])', '"', text) if sign not in " \t" else text
        if closed == text:
            raise
        return _parsed(path, closed, sign, skipped)  # blanks behind a quoted cell


def _parsed(path: Path, text: str, sign: str, skipped: int) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True, skipinitialspace=True)
    rows, start = [], 1 + skipped
    try:
        for cells in reader:
            cells = [cell.strip(BLANKS) for cell in cells]
            if any(cells):
                rows.append((start, cells))
            start = reader.line_num + 1 + skipped
    except csv.Error as error:
        raise Problem(
            f"{path}: line {start}: is not a row of a table ({error}); look for a quote that is not closed"
        ) from error
    return rows


def _short(cells: Sequence[str], sign: str) -> str:
    text = sign.join(cells)
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def listed_lines(rows: Sequence[tuple[int, str]]) -> str:
    """Such as "lines 2 (cat), 7 (dog)"."""
    return f"lines {named([f'{line} ({label})' for line, label in rows])}"
