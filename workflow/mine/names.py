"""What a study of a user's pictures is called: the name of the folder, as files and tasks can be called."""

import re
import unicodedata
from pathlib import Path

from apr.basics.problems import Problem
from mine.own_file import BASE, suffix_of
from study import ROOT
from study.settings import load_sources, read_yaml

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}", re.ASCII)
ENDS = ("_probe", "_tuned", "_some")  # of what own.yaml names after it


def title_of(place: Path) -> str:
    """The name of a folder or archive for readers: without its suffix, and on one line."""
    name = place.name if place.is_dir() else place.name[: -len(suffix_of(place)) or None]
    return "".join(sign if sign.isprintable() else "_" for sign in name)[:80].strip() or "pictures"


def name_of(place: Path, given: str | None = None) -> str:
    """The name of a study and of its task, given or made of the folder's.

    Raises:
        Problem: a given one cannot be that of a task.
    """
    if given:
        if not NAME.fullmatch(given):
            raise Problem(f"NAME={given}: takes letters without accents, digits, - _ and . (not in front), up to 60")
        if given in _taken():
            raise Problem(f"NAME={given}: is what {BASE} calls something of its own; choose another, NAME=my_{given}")
        return given
    plain = unicodedata.normalize("NFKD", title_of(place)).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")[:50].strip("_") or "pictures"
    return f"my_{name}" if name in _taken() else name


def _taken() -> set[str]:
    """Names that the study below has for something else."""
    base = read_yaml(ROOT / BASE)
    names = {*base["datasets"], *base["views"], *base["tasks"], *load_sources()}
    return names | {name.removesuffix(end) for name in names for end in ENDS}
