"""What a script runs: a digest of its file and of all in its folder that it imports, however far away.

Nothing is run. Import statements are found as text, which takes 10 ms for the whole library where its syntax trees take
half a second of each planning; a test holds the two against each other. Hence a comment counts as a change.
"""

import hashlib
import os
import re
from functools import cache
from pathlib import Path

STATEMENT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<dots>\.*)(?P<module>[\w.]*)[ \t]+)?import[ \t]*(?P<names>\([^)]*\)|[^\n#]+)", re.MULTILINE
)
COMMENT = re.compile(r"#.*")


@cache
def digest(script: Path) -> str:
    """Digest of a script and of what it imports, the same wherever the project lies."""
    parts = [f"{file.relative_to(script.parent).as_posix()} {_read(file)[1]}" for file in sources(script)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def sources(script: Path) -> list[Path]:
    """The script and the files in its folder that it imports, also within functions, and theirs in turn; sorted.

    A package counts with its __init__.py; modules from elsewhere (numpy, say) do not.
    """
    found, left = set(), [script]
    while left:
        file = left.pop()
        if file not in found:
            found.add(file)
            left += _imported(script.parent, file)
    return sorted(found)


def imports(text: str) -> list[tuple[int, tuple[str, ...]]]:
    """What a module's text imports: leading dots, and the dotted name in parts, the imported object's included."""
    found = []
    for statement in STATEMENT.finditer(text):
        base = statement["module"].split(".") if statement["module"] else []
        for name in COMMENT.sub("", statement["names"]).strip("() \t\r").split(","):
            if words := name.split():
                found.append((len(statement["dots"] or ""), (*base, *words[0].split("."))))
    return found


@cache
def _imported(folder: Path, file: Path) -> list[Path]:
    """The files in a folder that one of them imports itself."""
    modules, package, found = _modules(folder), file.parent.relative_to(folder).parts, []
    for dots, names in _read(file)[0]:
        dotted = (*package[: len(package) - dots + 1], *names) if dots else names
        # importing a.b.c runs a and a.b as well; the last part may be an object in a module
        found += [modules[part] for end in range(len(dotted)) if (part := dotted[: end + 1]) in modules]
    return found


@cache
def _modules(folder: Path) -> dict[tuple[str, ...], Path]:
    """The files of all modules and packages in a folder by their dotted names in parts."""
    modules = {}
    for place, _, files in os.walk(folder):
        for name in files:
            if name.endswith(".py"):
                file = Path(place, name)
                modules[file.relative_to(folder).with_suffix("").parts] = file
    return {name[:-1] if name[-1] == "__init__" else name: file for name, file in modules.items()}


@cache
def _read(file: Path) -> tuple[list[tuple[int, tuple[str, ...]]], str]:
    """What a file imports, and its digest."""
    data = file.read_bytes()
    return imports(data.decode()), hashlib.sha256(data).hexdigest()
