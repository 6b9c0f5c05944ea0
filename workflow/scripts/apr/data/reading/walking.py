"""The files below a folder as a person means them: links followed, loops named, leftovers of systems left out."""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from apr.basics.problems import Problem
from apr.data.reading.decoding import SUFFIXES

# Leftovers of macOS, Windows, Synology, QNAP, Linux and Jupyter; what begins with a dot is hidden anyhow.
LEFTOVERS = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "picasa.ini", "network trash folder"}
LEFTOVERS |= {"$recycle.bin", "recycler", "system volume information", "@eadir", "#recycle", "#snapshot", "@tmp"}
LEFTOVERS |= {"@recycle", "@recently-snapshot", "@__thumb", "lost+found", "__pycache__", "temporary items"}
DOCUMENTS = {".txt", ".csv", ".tsv", ".md", ".rst", ".json", ".xml", ".yaml", ".yml", ".html", ".htm", ".pdf", ".log"}
DOCUMENTS |= {".py", ".sh", ".ipynb", ".cfg", ".ini", ".toml", ".doc", ".docx", ".rtf", ".xls", ".xlsx", ".ods", ".db"}
DOCUMENTS |= {".mat", ".pkl", ".names", ".data", ".bib", ".tex", ".url", ".lnk", ".sha256", ".md5"}
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".7z", ".rar")
FEW_DOCUMENTS = 5
SHOWN = 3
IGNORE = "set options: others: ignore"


class LeftOut(Counter[str]):
    """What a reader passes over, counted by reason.

    Attributes:
        suffixes: of files that are no images, counted.
        notes: sentences on what looks odd, for the terminal and the manifest.
        faults: sentences on what is too much to be passed over, unless the user says so.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.suffixes: Counter[str] = Counter()
        self.notes: list[str] = []
        self.faults: list[str] = []
        self._unread: list[tuple[Path, int, int, Counter[str]]] = []

    def pass_over(self, reason: str, files: Sequence[Path]) -> None:
        """Count files and their suffixes."""
        self[reason] += len(files)
        self.suffixes.update(suffix_of(path.name) for path in files)

    def note(self, sentence: str) -> None:
        """Keep a sentence, once; bytes that are not UTF-8 in it are escaped."""
        sentence = sentence.encode("utf-8", "backslashreplace").decode()
        if sentence not in self.notes:
            self.notes.append(sentence)

    def unread(self, folder: Path, files: Sequence[Path], read: int) -> None:
        """Count files of unknown kinds, of which there are more than images in a folder."""
        self._unread.append((folder, len(files), read, Counter(suffix_of(path.name) for path in files)))

    def name_within(self, root: Path) -> None:
        """Shorten paths in notes to those below the root."""
        self.notes = [note.replace(f"{root}/", "").replace(f"{root}: ", "") for note in self.notes]

    def settle(self, lenient: bool) -> None:
        """Refuse what is too much to be passed over; with `lenient` it is a note.

        Raises:
            Problem: says how many files of which suffixes would not be read, and where.
        """
        if self._unread:
            places = [str(folder) for folder, *_ in self._unread]
            count, read = (sum(row[column] for row in self._unread) for column in (1, 2))
            suffixes = sum((row[3] for row in self._unread), Counter())
            more = f" and {len(places) - 1} more folders" if len(places) > 1 else ""
            self.faults.append(
                f"{places[0]}{more}: {count} of {count + read} files are of no kind that is read "
                f"({listed_suffixes(suffixes)}): convert or rename them, move them elsewhere, or {IGNORE}"
            )
        if self.faults and not lenient:
            raise Problem(self.faults[0])
        for fault in self.faults:
            self.note(fault.replace(f", or {IGNORE}", ""))


def suffix_of(name: str) -> str:
    """A file's suffix in lower case, quoted where it has spaces, or "no suffix"."""
    suffix = os.path.splitext(name)[1].lower()
    return (suffix if suffix[1:].isalnum() else repr(suffix)) if suffix else "no suffix"


def listed_suffixes(suffixes: Counter[str]) -> str:
    """Such as ".heic 12, .avif 6", the most frequent first."""
    return ", ".join(
        f"{suffix} {count:,}" for suffix, count in sorted(suffixes.items(), key=lambda one: (-one[1], one))
    )


def named(names: Iterable[object], shown: int = SHOWN) -> str:
    """The first names, and how many more there are."""
    names = [str(name) for name in names]
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def below(path: Path, root: Path) -> str:
    """The path below `root`, which `walk` found it in; pathlib's own way takes ten times as long."""
    whole, outer = str(path), str(root)
    return whole if outer == "." else whole[len(outer) :].lstrip("/")


def is_junk(name: str) -> bool:
    """Whether a file or folder is hidden or a leftover of an operating system."""
    return name.startswith(".") or name.lower() in LEFTOVERS or name.startswith("~$")


def is_picture(name: str) -> bool:
    """Whether a file's suffix is that of a picture."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def visible(folder: Path, left: LeftOut | None = None) -> tuple[list[Path], list[Path]]:
    """Folders and files in `folder`, sorted, without hidden ones and leftovers of operating systems.

    Links that lead nowhere are among the files.

    Raises:
        Problem: the folder cannot be read.
    """
    left = LeftOut() if left is None else left
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise Problem(f"{folder}: cannot be read ({error.strerror}); correct its permissions or its link") from error
    folders, files = [], []
    for entry in entries:
        if is_junk(entry.name):
            left["hidden"] += 1
        elif _is(entry.is_dir):
            folders.append(folder / entry.name)
        elif _is(entry.is_file) or entry.is_symlink():
            files.append(folder / entry.name)
        else:  # A pipe or a device would be read for ever.
            left["special_file"] += 1
    return folders, files


def walk(folder: Path, left: LeftOut | None = None) -> list[Path]:
    """All visible files below `folder`, sorted; links to folders are followed, each real folder is entered once.

    Raises:
        Problem: a folder cannot be read.
    """
    left = LeftOut() if left is None else left
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    direct, links = [folder], []
    while direct or links:
        # Links come last, so that a file is found where it really lies.
        place = direct.pop() if direct else links.pop(0)
        status = os.stat(place)
        if (status.st_dev, status.st_ino) in seen:
            left["linked_folder_again"] += 1
            continue
        seen.add((status.st_dev, status.st_ino))
        folders, files = visible(place, left)
        found += files
        for one in folders:
            if not one.is_symlink():
                direct.append(one)
            elif _holds(one, place):
                left["loop"] += 1
                left.note(f"{one}: is a link to a folder that it lies in: not followed")
            else:
                links.append(one)
    return sorted(found)


def find_files(folder: Path) -> list[Path]:
    """All visible files below `folder`, sorted; links to folders are followed."""
    return walk(folder)


def find_images(folder: Path, left: LeftOut, apart: Collection[Path] = ()) -> list[Path]:
    """All pictures below `folder` by their suffix, sorted; what is passed over is counted in `left`.

    Args:
        folder: is searched to any depth.
        left: takes what is passed over, and whether it is too much.
        apart: files that are no pictures and that the reader reads itself.

    Raises:
        Problem: a folder cannot be read, or a link that may be one leads nowhere.
    """
    return pictures_among(folder, walk(folder, left), left, apart)


def pictures_among(folder: Path, files: Sequence[Path], left: LeftOut, apart: Collection[Path] = ()) -> list[Path]:
    """What `find_images` finds, of the files that `walk` found."""
    pictures = [path for path in files if is_picture(path.name)]
    others = [path for path in files if not is_picture(path.name) and path not in apart]
    if others:
        refuse_broken_links(others)
        left.pass_over("not_an_image", others)
        _note_archives(others, left)
        stems = {path.with_suffix("") for path in pictures} | set(pictures)
        alone = [path for path in others if path.with_suffix("") not in stems]  # the others go with a picture
        strange = [path for path in alone if path.suffix.lower() not in DOCUMENTS]
        documents = len(alone) - len(strange)
        if len(strange) > len(pictures):
            left.unread(folder, strange, len(pictures))
        elif documents > max(FEW_DOCUMENTS, len(pictures)):
            left.unread(folder, alone, len(pictures))
    return pictures


def pass_over_beside(folder: Path, files: Sequence[Path], taken: int, left: LeftOut) -> None:
    """Count files beside the folders of classes; as many pictures there as in the folders are too many to pass over."""
    refuse_broken_links(files)
    left.pass_over("outside_class_folders", files)
    _note_archives(files, left)
    pictures = [path.name for path in files if is_picture(path.name)]
    if pictures and len(pictures) >= taken:
        left.faults.append(
            f"{folder}: {len(pictures)} pictures lie beside the class folders ({named(pictures)}) and {taken} in them: "
            f"move each into the folder of its class, or {IGNORE}"
        )
    elif pictures:
        left.note(f"{folder}: {len(pictures)} pictures beside the class folders are left out: {named(pictures)}")


def _note_archives(files: Iterable[Path], left: LeftOut) -> None:
    inner = [path for path in files if path.name.lower().endswith(ARCHIVES)]
    if inner:
        left.note(
            f"{inner[0].parent}: archives are not looked into: {named(path.name for path in inner)}; if they hold "
            "pictures of the dataset, set options: nested: true (or unpack them, where the dataset is a folder)"
        )


def refuse_broken_links(files: Iterable[Path]) -> None:
    """Refuse links that lead nowhere and may have been folders. A picture's is named when it is read.

    Raises:
        Problem: names the link.
    """
    for path in files:
        known = is_picture(path.name) or path.suffix.lower() in DOCUMENTS
        if not known and path.is_symlink() and not path.exists():
            raise Problem(f"{path}: is a link that leads nowhere ({os.readlink(path)}); correct it, or remove it")


def descend(folder: Path, stay_above: Collection[str] = ()) -> Path:
    """Enter folders as long as each holds one folder and nothing else; folders of some names are not entered."""
    entered: set[str] = set()
    while folder.is_dir() and (real := os.path.realpath(folder)) not in entered:
        entered.add(real)
        folders, files = visible(folder)
        if files or len(folders) != 1 or folders[0].name in stay_above or _holds(folders[0], folder):
            break
        folder = folders[0]
    return folder


def _holds(link: Path, place: Path) -> bool:
    """Whether a folder, behind a link, is `place` or one above it."""
    outer, inner = os.path.realpath(link), os.path.realpath(place)
    return os.path.commonpath([outer, inner]) == outer


def _is(question: object) -> bool:
    try:
        return question()
    except OSError:  # a link to itself, or a server that does not answer
        return False
