"""Which file a name in a table means: names are compared as paths, the longest common end first."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from apr.basics.problems import Problem
from apr.data.reading.listing import composed
from apr.data.reading.part_names import HERE, as_yaml
from apr.data.reading.walking import LeftOut, below, is_picture, named

# Kinds that tables name though the pictures were converted since.
FOREIGN = {".dcm", ".dicom", ".heic", ".heif", ".avif", ".jp2", ".svg", ".raw", ".nef", ".cr2", ".npy", ".nii", ".tga"}
LOST_SHOWN = 10
AS_NUMBER = re.compile(r"\d+\.0+")
ALIKE: dict[str, Callable[[str], str]] = {
    "which differs in case only": str.casefold,
    "with leading zeros, which spreadsheets drop: read the column as text": lambda name: re.sub(
        r"(?<!\d)0+(?=\d)", "", name
    ),
    "which differs in spaces or signs only": lambda name: re.sub(r"%20|[\W_]+", "", name).casefold(),
}


@dataclass(frozen=True)
class Match:
    """A file that a name in the table may mean.

    Attributes:
        path: of the file, as found below the root.
        folders: how many folders of the name are those of the file.
        ahead: folders of the name before these, which the file does not have.
        whole: the name is the file's whole path below the root.
        loose: the suffix is another, apart from its case.
    """

    path: Path
    folders: int
    ahead: tuple[str, ...]
    whole: bool
    loose: bool


class Files:
    """The pictures below a folder, found by names as tables write them.

    Args:
        root: of the dataset.
        pictures: all below it.
        others: files there that are of no kind that is read.
    """

    def __init__(self, root: Path, pictures: Sequence[Path], others: Sequence[Path] = ()) -> None:
        self.root = root
        self._by_name: dict[str, list[tuple[Path, tuple[str, ...]]]] = defaultdict(list)
        self._by_stem: dict[str, list[tuple[Path, tuple[str, ...]]]] = defaultdict(list)
        self._others = {path.name for path in others}
        self._slashed = False
        for path in pictures:
            parts = composed(below(path, root)).split("/")
            folders, name = tuple(parts[:-1]), parts[-1]
            self._slashed = self._slashed or any("\\" in part for part in parts)
            self._by_name[name].append((path, folders))
            self._by_stem[os.path.splitext(name)[0]].append((path, folders))

    def match_all(self, table: Path, names: Mapping[int, str], exact: bool, left: LeftOut) -> dict[int, Path]:
        """Find the file of each name.

        Folders of a name that no file has (another machine's) have to be the same in the whole table, and a name never
        means a file in another folder than it says where other names do lie in theirs.

        Args:
            table: to be named in errors.
            names: what stands in each line.
            exact: no other suffix is tried.
            left: takes notes on names that differ from those of the files.

        Raises:
            Problem: names that fit no file, with the likely reason, or several.
        """
        found = {line: self._candidates(name, exact) for line, name in names.items()}
        certain = all(any(match.whole for match in matches) for matches in found.values())
        chosen: dict[int, Match] = {}
        for line, matches in found.items():
            best = [match for match in matches if match.whole] if certain else matches
            if len(best) > 1:
                first, second = (match.path.relative_to(self.root) for match in best[:2])
                raise Problem(
                    f"{table}: line {line}: {names[line]} is ambiguous: {first} and {second}; name the folder in the "
                    "table, or set options: suffix"
                )
            if best:
                chosen[line] = best[0]
        # Beside pictures of the suffix that the table says, one of another suffix is something else (a mask).
        there = {_suffix(names[line]) for line, match in chosen.items() if not match.loose}
        lost = {line for line in names if line not in chosen} | self._elsewhere(chosen)
        lost |= {line for line, match in chosen.items() if match.loose and _suffix(names[line]) in there}
        if lost:
            shown = [f"{names[line]}{self._reason(names[line])}" for line in sorted(lost)[:LOST_SHOWN]]
            more = f" and {len(lost) - LOST_SHOWN:,} more" if len(lost) > LOST_SHOWN else ""
            remedy = self._other_folder(table, names, lost) or "; correct or remove their lines, or add them"
            raise Problem(f"{table}: {len(lost)} of {len(names)} images are missing: {', '.join(shown)}{more}{remedy}")
        self._note_differences(table, {names[line]: match.path for line, match in chosen.items()}, left)
        return {line: match.path for line, match in chosen.items()}

    def _plain(self, name: str) -> str:
        """The name with Windows' backslashes as slashes, unless files here have backslashes in their names."""
        return name if self._slashed else name.replace("\\", "/")

    def _candidates(self, name: str, exact: bool) -> list[Match]:
        """Files with the longest end in common with a name."""
        folders, last = _parted(self._plain(name))
        found = self._by_name.get(last)
        if found is None:
            found = self._by_stem.get(last)
        stem = os.path.splitext(last)[0]
        if found is None and not exact and is_foreign(last):
            found = self._by_stem.get(stem)
        loose = bool(found) and is_foreign(last) and composed(found[0][0].name).lower() != last.lower()
        matches = [_match(path, there, folders, loose) for path, there in found or ()]
        # A name that says folders means no file in others.
        matches = [match for match in matches if match.folders or not folders or match.path.parent == self.root]
        longest = max((match.folders for match in matches), default=0)
        return [match for match in matches if match.folders == longest]

    def _elsewhere(self, chosen: Mapping[int, Match]) -> set[int]:
        """Lines whose names say other folders than the files lie in, where the others' folders are right."""
        ahead = Counter(match.ahead for match in chosen.values())
        if len(ahead) < 2 or not any(match.folders for match in chosen.values()):
            return set()
        usual = () if () in ahead else max(ahead, key=lambda one: (ahead[one], one))
        return {line for line, match in chosen.items() if match.ahead != usual}

    def _reason(self, name: str) -> str:
        """Why a name may fit no file: the one that it resembles, and how it differs."""
        last = _parted(self._plain(name))[1]
        stem, suffix = os.path.splitext(last)
        if last in self._others:
            return f" (is there, but {suffix or 'a file without a suffix'} is no kind that is read: convert it)"
        if self._by_name.get(last):
            return f" (there is {self._show(self._by_name[last])}, in another folder)"
        if AS_NUMBER.fullmatch(last) and (number := self._by_stem.get(stem)):
            return f" (there is {self._show(number)}: the names were read as numbers; read the column as text)"
        if (twice := self._by_name.get(stem)) and is_picture(stem):
            return f" (there is {self._show(twice)}: options: suffix adds what the table has already)"
        if suffix and (other := self._by_stem.get(stem)):
            return f" (there is {self._show(other)}, with another suffix)"
        for reason, key in ALIKE.items():
            for known in (self._by_name, self._by_stem):
                alike = next((files for other, files in known.items() if key(other) == key(last)), None)
                if alike:
                    return f" (there is {self._show(alike)}, {reason})"
        return ""

    def _other_folder(self, table: Path, names: Mapping[int, str], lost: Collection[int]) -> str:
        """What to do about names that say another folder than the files lie in; empty where there are none."""
        files = {line: self._by_name.get(_parted(self._plain(name))[1], []) for line, name in names.items()}
        if not any(files[line] for line in lost):
            return ""
        places = {found[0][0].parent if len(found) == 1 else None for found in files.values()}
        place = places.pop() if len(places) == 1 else None
        if place is None or place == self.root:
            return "; correct the folders in the table"
        options = (
            f"root: {as_yaml([HERE + below(place, self.root)])}, table: {as_yaml([os.path.relpath(table, place)])}"
        )
        return f"; if these are meant, set options: {{{options}}}, or correct the folders in the table"

    def _show(self, files: list[tuple[Path, tuple[str, ...]]]) -> str:
        return files[0][0].relative_to(self.root).as_posix()

    def _note_differences(self, table: Path, files: Mapping[str, Path], left: LeftOut) -> None:
        """Say how names differ from those of the files that they were taken for."""
        kinds: dict[str, list[str]] = defaultdict(list)
        for name, path in files.items():
            last = _parted(self._plain(name))[1]
            if self._plain(name) != name:
                kinds["have backslashes, which are taken for folders"].append(name)
            real = composed(path.name)
            if path.name != real and last in (real, os.path.splitext(real)[0]) and not name.endswith(path.name):
                kinds["are written in another Unicode form than the files"].append(name)
            if is_picture(last) and last != real:
                case = "in case only" if last.lower() == real.lower() else "in their suffix"
                kinds[f"differ from the files {case}"].append(f"{name} ({path.name})")
            elif os.path.splitext(last)[1].lower() in FOREIGN:
                kinds["differ from the files in their suffix"].append(f"{name} ({path.name})")
        for kind, names in kinds.items():
            left.note(f"{table}: {len(names)} names {kind}: {named(names)}")


def is_foreign(name: str) -> bool:
    """Whether a name ends in the suffix of a picture, be it of a kind that is not read."""
    return is_picture(name) or _suffix(name) in FOREIGN


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _parted(name: str) -> tuple[tuple[str, ...], str]:
    """Folders and last part of a name, without drive, "." and empty parts."""
    parts = [part for part in composed(name).split("/") if part not in ("", ".")]
    return tuple(parts[:-1]), parts[-1] if parts else ""


def _match(path: Path, there: tuple[str, ...], wanted: tuple[str, ...], loose: bool) -> Match:
    common = 0
    while common < min(len(there), len(wanted)) and there[-1 - common] == wanted[-1 - common]:
        common += 1
    ahead = wanted[: len(wanted) - common]
    return Match(path, common, ahead, not ahead and common == len(there), loose)
