"""Small copies that programs keep beside the pictures."""

import re
from collections.abc import Sequence
from pathlib import Path

from apr.data.reading.walking import LeftOut, below, named

FOLDER = re.compile(r"[._]?thumb(s|nails?)?", re.IGNORECASE)
CLASS_FOLDER = re.compile(r"[._]?thumb(s|nails?)", re.IGNORECASE)  # "thumb" is a finger, too
NAME = re.compile(r"thumb(nail)?[_-].*|.*[._-]thumb(nail)?\.[^.]+", re.IGNORECASE)


def without_thumbnails(folder: Path, pictures: Sequence[Path], left: LeftOut) -> list[Path]:
    """The pictures of a class without thumbnails; all, where there are no others."""
    small = {path for path in pictures if _is_small(below(path, folder).split("/"))}
    if not small or len(small) == len(pictures):
        return list(pictures)
    left.pass_over("thumbnail", sorted(small))
    return [path for path in pictures if path not in small]


def class_like(folders: Sequence[Path], kept: Sequence[str], left: LeftOut) -> list[Path]:
    """Class folders without folders of thumbnails, unless a list names them as classes."""
    small = [one for one in folders if CLASS_FOLDER.fullmatch(one.name) and one.name not in kept]
    if small and len(small) < len(folders):
        left.note(
            f"{small[0].parent}: {named(one.name for one in small)}: a folder of thumbnails, left out; if it is a "
            "class, list all classes in options: classes_order"
        )
        return [one for one in folders if one not in small]
    return list(folders)


def _is_small(parts: list[str]) -> bool:
    return any(FOLDER.fullmatch(part) for part in parts[:-1]) or bool(NAME.fullmatch(parts[-1]))
