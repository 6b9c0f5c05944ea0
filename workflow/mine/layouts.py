"""How a user's pictures and labels lie, found without a word of YAML: what an entry of `datasets` would say."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from apr.basics.problems import Problem
from apr.basics.values import nearest
from apr.data.formats import Listing, read_listing
from apr.data.reading.groups import COLUMNS
from apr.data.reading.label_table import LabelTable, one_hot_columns, read_table
from apr.data.reading.layouts import in_names
from apr.data.reading.part_names import part_of, parts_among, tests_of
from apr.data.reading.survey import survey_folder
from apr.data.reading.walking import DOCUMENTS, LeftOut, descend, is_picture, named, visible, walk
from apr.data.sources.archives import hinting, unpack_all
from apr.data.sources.file_kinds import ARCHIVE_SUFFIXES, kind_of_file, unreadable_kind

MOST_CLASSES = 1000
TABLES = (".csv", ".tsv")
LABEL = re.compile(r"(label|class|category|target|diagnosis|dx|species|grade)s?([ _-]?(name|id))?|y", re.IGNORECASE)
PART = re.compile(r"split|set|subset|part|partition|fold|phase", re.IGNORECASE)
TAKEN = "a folder with a folder of pictures for each class, an archive of one, or pictures and LABELS=table.csv"
NOT_GIVEN = f"DATA is not given: make mine DATA=/path/to/pictures ({TAKEN})"


@dataclass(frozen=True)
class Labels:
    """A table of labels that the user names, and the columns of the picture and of its class, if they are said, too."""

    table: str | None
    image: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class Layout:
    """What was recognised.

    Attributes:
        format, options: as an entry of `datasets` gives them.
        words: the same for a reader.
        listing: the pictures; their files are there as long as `opened` lasts.
        notes: further sentences on what was passed over.
    """

    format: str
    options: dict[str, Any]
    words: str
    listing: Listing
    notes: list[str] = field(default_factory=list)


def found_place(data: str) -> Path:
    """The folder or archive that a user names, absolute.

    Raises:
        Problem: there is nothing, or it is neither a folder nor an archive that is read.
    """
    place = Path(os.path.abspath(Path(data).expanduser()))
    try:
        if place.is_dir():
            return place
        if not place.exists():
            near = next((str(one) for one in place.parents if one.is_dir()), "/")
            raise Problem(f"DATA={data}: there is no such folder or archive ({near} is there); correct it")
        kind = kind_of_file(place)
    except OSError as error:
        raise Problem(f"DATA={data}: cannot be read ({error.strerror}); correct its permissions or its link") from error
    if kind not in ARCHIVE_SUFFIXES.values() and not unreadable_kind(place):
        table = place.suffix.lower() in TABLES
        remedy = f"give the folder of its pictures, and LABELS={place}" if table else f"give {TAKEN}"
        raise Problem(f"DATA={data}: is a file, and no archive; {remedy}")
    return place


@contextmanager
def opened(place: Path, work: Path, labels: Labels | None = None) -> Iterator[Layout]:
    """Recognise the layout of a folder, or of an archive, which is unpacked into `work` as long as this lasts.

    Raises:
        Problem: nothing is there, nothing is recognised, or a reader refuses what is; it names the remedy.
    """
    if place.is_dir():
        survey_folder("DATA", place)
        yield recognised(place, labels)
        return
    work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=work, prefix=".looking-") as part, _named_after(place, part):
        folder = Path(part, "unpacked")
        report = unpack_all([place], folder)
        try:
            with hinting(report):
                layout = recognised(folder, labels)
        except Problem:
            if not report.get("inner"):
                raise
            unpack_all([place], folder, nested=True)
            layout = recognised(folder, labels)
            layout.options["nested"] = True
        yield layout


@contextmanager
def _named_after(place: Path, part: str) -> Iterator[None]:
    """Problems of what was unpacked name the archive, which a reader knows, in place of a folder that is soon gone."""
    try:
        yield
    except Problem as problem:
        raise Problem(re.sub(rf"{re.escape(part)}/[^/\s:]+", lambda _: str(place), str(problem))) from problem


def recognised(folder: Path, labels: Labels | None = None) -> Layout:
    """The layout of a folder.

    Raises:
        Problem: as `opened`.
    """
    if labels:
        return _of_table(folder, labels)
    root = _entered(folder)
    folders, files = visible(root)
    if len(folders) > MOST_CLASSES:
        raise too_many(len(folders), "folders")
    options: dict[str, Any] = {}
    if root != descend(folder):
        options["root"] = root.relative_to(descend(folder)).as_posix()
    pictures = [file.name for file in files if is_picture(file.name)]
    if not folders and pictures:
        return _of_names(folder, root, pictures, options)
    parts = parts_among(one.name for one in folders if visible(one)[0])
    if parts and parts.train and parts.test:
        test = tests_of(parts)
        more = [name for name in parts.test if name not in test and part_of(name)[0] == "test"]
        options |= {"train": parts.train, "test": test} | ({"validation": more} if more else {})
        words = f"folders of parts ({named([*parts.train, *test, *more], 5)}) with a folder for each class in them"
        return Layout("split_folders", options, words, _read(folder, "split_folders", options))
    return Layout("class_folders", options, "a folder for each class", _read(folder, "class_folders", options))


def too_many(count: int, what: str) -> Problem:
    """That there are more classes than can be told apart in the time that this takes."""
    return Problem(
        f"DATA holds {count:,} {what}, and each is taken for a class: more than {MOST_CLASSES:,} are too many to learn "
        "on one machine; give a folder of fewer classes, or a label that is shared by more pictures"
    )


def _entered(folder: Path) -> Path:
    """The folder that holds the class folders: single folders are entered, also beside documents."""
    root = descend(folder)
    while True:
        folders, files = visible(root)
        if (
            len(folders) != 1
            or any(file.suffix.lower() not in DOCUMENTS for file in files)
            or not visible(folders[0])[0]
        ):
            return root
        root = descend(folders[0])


def _read(folder: Path, name: str, options: dict[str, Any]) -> Listing:
    try:
        return read_listing(folder, name, options)
    except Problem as problem:
        tables = [file.name for file in walk(folder) if file.suffix.lower() in TABLES and name != "csv_labels"]
        hint = f"; if the classes stand in a table, name it: LABELS={tables[0]}" if tables else ""
        asked = "; options go into an own.yaml by hand (docs/own-data.md)" if "options:" in str(problem) else ""
        raise Problem(f"{problem}{hint}{asked}") from problem


def _of_names(folder: Path, root: Path, pictures: Sequence[str], options: dict[str, Any]) -> Layout:
    """Pictures that lie in one folder: their names may begin with the class."""
    reading = in_names("", pictures)
    if reading is None:
        tables = [file.name for file in visible(root)[1] if file.suffix.lower() in TABLES]
        table = f"LABELS={tables[0]}, if that is it" if tables else "LABELS=table.csv with a line for each picture"
        alone = f" (the only folder, {root.name!r}, would be a single class)" if root != folder else ""
        raise Problem(
            f"{root}: holds {len(pictures):,} pictures in no order ({named(pictures)}) and no folders of "
            f"classes{alone}: sort them, a folder for each class, or give {table}"
        )
    options |= yaml.safe_load(f"{{{reading}}}")["options"]
    return Layout("file_names", options, "the class in front of each file name", _read(folder, "file_names", options))


def _of_table(folder: Path, labels: Labels) -> Layout:
    """A table of labels: its columns are found by what they hold."""
    root = descend(folder)
    files = walk(root)
    path = _table(root, labels.table)
    stems = {stem for file in files if is_picture(file.name) for stem in (file.name, file.stem)}
    if not stems:
        raise Problem(f"{folder}: holds no picture, beside LABELS={labels.table}; give the folder of its pictures")
    table = read_table(path, [], LeftOut(), pictures=stems)
    for said, name in (("IMAGE", labels.image), ("LABEL", labels.label)):
        if name and name not in table.columns:
            there = nearest(name, table.columns, f" (it has {', '.join(table.columns)})")
            raise Problem(f"{said}={name}: {labels.table} has no such column{there}; correct it")
    image = labels.image or _image_column(table, stems)
    label = labels.label or _label_column(table, image)
    options = {"table": path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)}
    options |= {"image": image, "label": label}
    shown = f"{label!r}" if isinstance(label, str) else f"{len(label)} columns of 0 and 1"
    words = f"a table, {path.name}, whose column {image!r} names the picture, and {shown} its class"
    notes = [
        f"{path.name}: its column {name!r} may say which part a picture is of, and is not used; options: split in "
        "own.yaml would"
        for name in table.columns
        if PART.fullmatch(name) and name not in (image, label)
    ]
    return Layout("csv_labels", options, words, _read(folder, "csv_labels", options), notes)


def _table(root: Path, table: str) -> Path:
    given = Path(table).expanduser()
    for path in (root / given, given.absolute(), *(file for file in walk(root) if file.name == table)):
        if path.is_file():
            return path
    there = [file.name for file in walk(root) if file.suffix.lower() in TABLES]
    near = f" (there is {named(there)})" if there else ""
    raise Problem(f"LABELS={table}: there is no such table, here or in DATA{near}; correct it")


def _image_column(table: LabelTable, stems: set[str]) -> str:
    """The column most of whose cells name pictures."""

    def naming(column: str) -> int:
        return sum(row.cells[column].replace("\\", "/").split("/")[-1] in stems for row in table.rows)

    if any(name.split("/")[-1] in stems for name in table.columns if name):
        raise Problem(f"{table.path}: has no header: add a first line that names the columns, such as `image,label`")
    best = max(table.columns, key=naming)
    if 2 * naming(best) <= len(table.rows):
        raise Problem(
            f"{table.path}: none of its columns ({', '.join(table.columns)}) names the pictures in DATA; correct DATA "
            "or LABELS, or say which one does: IMAGE=column"
        )
    return best


def _label_column(table: LabelTable, image: str) -> str | list[str]:
    """The column of the class: by its name, or the only one that fits."""
    spread = one_hot_columns(table)
    if spread:
        return spread
    fitting = [name for name in table.columns if name != image and _may_be_classes(table, name)]
    plain = [name for name in fitting if not PART.fullmatch(name) and not COLUMNS.fullmatch(name)]
    called = [name for name in plain if LABEL.fullmatch(name)]
    found = called if called else plain or fitting
    if len(found) == 1:
        return found[0]
    if not found:
        raise Problem(
            f"{table.path}: none of its columns ({', '.join(table.columns)}) holds classes (at least two, with several "
            "pictures each); say which one does: LABEL=column"
        )
    raise Problem(f"{table.path}: which column is the class? Say it: LABEL={' or LABEL='.join(found)}")


def _may_be_classes(table: LabelTable, column: str) -> bool:
    distinct = {row.cells[column] for row in table.rows}
    return len(distinct) > 1 and 2 * len(distinct) <= len(table.rows)
