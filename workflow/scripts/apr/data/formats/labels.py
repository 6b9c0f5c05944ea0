"""What the cells of a table say of an image: its class, or its labels where it may have several."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from apr.basics.problems import Problem
from apr.basics.values import nearest
from apr.data.reading.label_table import ONE_HOT, Row, is_empty
from apr.data.reading.listing import composed
from apr.data.reading.walking import LeftOut, named

SHOWN = 10
OTHERS = "others"  # of labels_as: every label that it does not name
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
NUMBERS = re.compile(r"\d+(\s*(?P<sign>[ ,;|])\s*\d+)+", re.ASCII)
BETWEEN_WORDS = "|;,"
JOINTS = f" {BETWEEN_WORDS}/+&"  # between labels, where the separator is another

Label = str | tuple[str, ...]


@dataclass(frozen=True)
class LabelCells:
    """How the labels of an image are read from its row.

    Attributes:
        columns: the one of the label, or those of 0 and 1.
        separator: stands between the labels in a cell; None where a cell holds one.
        several: an image may have several labels; implied by a separator.
        known: the only labels that there are, if not empty; they may be called none or nan.
        renamed: what to call each label; "others" stands for those that it does not name.
    """

    columns: Sequence[str]
    separator: str | None = None
    several: bool = False
    known: Sequence[str] = ()
    renamed: Mapping[str, str] | None = None

    def read(self, path: Path, rows: Iterable[Row], left: LeftOut) -> dict[int, Label]:
        """The label of each line of a table, or all its labels.

        Args:
            path: of the table, to be named in errors.
            rows: of it.
            left: takes a note where single labels look like lists.

        Raises:
            Problem: names the line and what is wrong with its label.
        """
        raw = {row.line: self._of(path, row) for row in rows}
        self._same_numbers(path, raw)
        if len(self.columns) > 1:
            self._note_never(path, raw, left)
        elif self.separator:
            self._note_joined(path, raw, left)
        else:
            self._refuse_lists(path, {line: labels[0] for line, labels in raw.items()}, left)
        if self.renamed is not None:
            raw = self._renamed(path, raw)
        many = self.several or bool(self.separator)
        return raw if many else {line: labels[0] for line, labels in raw.items()}

    def _of(self, path: Path, row: Row) -> tuple[str, ...]:
        if len(self.columns) > 1:
            return self._of_columns(path, row)
        column = self.columns[0]
        cell = composed(row.cells[column])
        if is_empty(cell) and cell not in self.known:
            says = f"says {cell!r}, which means an empty cell" if cell else "is empty"
            raise Problem(
                f"{path}: line {row.line}: column {column!r} {says}; complete or remove the line"
                + ("; if it is a class, list all classes in options: classes_order" if cell else "")
            )
        if not self.separator:
            return (cell,)
        labels = tuple(label for part in cell.split(self.separator) if (label := part.strip()))
        odd = next((label for label in labels if self.known and label not in self.known), None)
        if odd is not None:
            hint = nearest(odd, self.known)
            raise Problem(
                f"{path}: line {row.line}: the label {odd!r} is none of the {len(self.known)} in options: "
                f"classes_order{hint}; correct it, or add it there"
            )
        if len(set(labels)) < len(labels) or not labels:
            raise Problem(f"{path}: line {row.line}: column {column!r} says {cell!r}; write each label once")
        return labels

    def _of_columns(self, path: Path, row: Row) -> tuple[str, ...]:
        values = {name: ONE_HOT.get(row.cells[name].lower()) for name in self.columns}
        chosen = [name for name, value in values.items() if value == 1]
        if None in values.values() or (len(chosen) != 1 and not self.several):
            shown = ", ".join(f"{name} {row.cells[name]}" for name in self.columns[:SHOWN])
            wanted = "has to be 0 or 1" if self.several else "has to be 1 and all others 0"
            remedy = "; where an image may have several labels, set options: multi_label: true"
            raise Problem(
                f"{path}: line {row.line}: {'each' if self.several else 'one'} column of options: label {wanted} "
                f"({shown}){'' if self.several or None in values.values() else remedy}"
            )
        return tuple(map(composed, chosen))

    def _same_numbers(self, path: Path, raw: Mapping[int, tuple[str, ...]]) -> None:
        """Refuse labels that are one number: 1 beside 1.0 or 01, as programs write a column that has gaps."""
        first: dict[float, tuple[int, str]] = {}
        for line, labels in raw.items():
            for label in labels:
                if NUMBER.fullmatch(label):
                    known = first.setdefault(float(label), (line, label))
                    if known[1] != label:
                        raise Problem(
                            f"{path}: the labels {known[1]!r} (line {known[0]}) and {label!r} (line {line}) are one "
                            "number: write them alike"
                        )

    def _refuse_lists(self, path: Path, raw: Mapping[int, str], left: LeftOut) -> None:
        """Refuse numbers in a row, such as "16 0", where one label is read; say it of words such as "mass|nodule"."""
        distinct = {label: line for line, label in reversed(raw.items()) if label not in self.known}
        lists = [(line, match) for label, line in distinct.items() if (match := NUMBERS.fullmatch(label))]
        if lists and all(NUMBERS.fullmatch(label) or NUMBER.fullmatch(label) for label in distinct):
            line, match = min(lists, key=lambda one: one[0])
            raise Problem(
                f"{path}: line {line}: column {self.columns[0]!r} says {match[0]!r}, which looks like several labels; "
                f"set options: label_separator: {match['sign']!r}, or, if each such cell is one class, list all in "
                "options: classes_order"
            )
        for sign in BETWEEN_WORDS:
            parts = {part.strip() for label in distinct for part in label.split(sign)}
            if "" not in parts and len(parts) < len(distinct):
                example = next(label for label in distinct if sign in label)
                left.note(
                    f"{path}: labels such as {example!r} look like several in one cell; if they are, set options: "
                    f"label_separator: {sign!r}"
                )

    def _note_never(self, path: Path, raw: Mapping[int, tuple[str, ...]], left: LeftOut) -> None:
        """Say which columns of 0 and 1 are 0 in every row: no class comes of them."""
        there = {label for labels in raw.values() for label in labels}
        never = [name for name in map(composed, self.columns) if name not in there]
        if never:
            what, are = ("columns", "are") if never[1:] else ("column", "is")
            left.note(
                f"{path}: the {what} {named(map(repr, never))} of options: label {are} 0 in every row, so that there "
                "is no such class; correct the table, or leave the column out"
            )

    def _note_joined(self, path: Path, raw: Mapping[int, tuple[str, ...]], left: LeftOut) -> None:
        """Say which labels hold a blank, or another sign that may stand between two labels, and count as one."""
        lines = {label: line for line, labels in reversed(raw.items()) for label in labels if label not in self.known}
        for sign in JOINTS:
            found = {label: line for label, line in lines.items() if sign in label.strip() and sign != self.separator}
            joined = [label for label in found if all(part.strip() in lines for part in label.split(sign))]
            if joined or (found and sign == " "):
                label = min(joined or found, key=lines.__getitem__)
                parts = " and ".join(repr(part.strip()) for part in label.split(sign))
                why = f"{parts} stand there by themselves, too" if joined else "a label may have a blank in its name"
                count = f", as one of {len(found)} labels with {sign!r}" if found.keys() - {label} else ""
                left.note(
                    f"{path}: line {lines[label]}: {label!r} is read as one label{count}; {why}; if it is several, "
                    f"write {self.separator!r} between them"
                )

    def _renamed(self, path: Path, raw: Mapping[int, tuple[str, ...]]) -> dict[int, tuple[str, ...]]:
        names = {composed(str(label)): composed(str(name)) for label, name in self.renamed.items()}
        there = {label for labels in raw.values() for label in labels}
        absent = [label for label in names if label not in there and label != OTHERS]
        if absent:
            raise Problem(
                f"{path}: no row has the label {absent[0]!r} of options: labels_as{nearest(absent[0], there)}; correct "
                "it, or leave it out"
            )
        unnamed = [] if OTHERS in names else sorted(there - names.keys())
        if unnamed:
            raise Problem(
                f"{path}: options: labels_as names no class for {named(map(repr, unnamed))}; add {unnamed[0]!r}, or "
                f"{OTHERS} for all the rest"
            )
        return {
            line: tuple(dict.fromkeys(names.get(label, names.get(OTHERS, label)) for label in labels))
            for line, labels in raw.items()
        }
