"""What a script runs: a digest of its file and of all in its folder that it imports, however far away.

What lies beside an imported module and is none itself, a page's style say, counts with it.

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
    parts = [f"{file.relative_to(script.parent).as_posix()} {_hash(file)}" for file in sources(script)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def sources(script: Path) -> list[Path]:
    """The script and the files in its folder that it imports, also within functions, and theirs in turn; sorted.

    A package counts with its __init__.py; modules from elsewhere (numpy, say) do not. What lies in a package beside
    an imported module and is no module, is among them.
    """
    found, left = set(), [script]
    while left:
        file = left.pop()
        if file not in found:
            found.add(file)
            left += _imported(script.parent, file)
    packages = {file.parent for file in found} - {script.parent}
    return sorted(found | {file for package in packages for file in _others(script.parent).get(package, ())})


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
    for dots, names in imports(_bytes(file).decode()):
        dotted = (*package[: len(package) - dots + 1], *names) if dots else names
        # importing a.b.c runs a and a.b as well; the last part may be an object in a module
        found += [modules[part] for end in range(len(dotted)) if (part := dotted[: end + 1]) in modules]
    return found


@cache
def _files(folder: Path) -> list[Path]:
    """All files in a folder, however deep, but for what Python keeps there."""
    walked = ((place, name) for place, _, files in os.walk(folder) for name in files)
    return [Path(place, name) for place, name in walked if not place.endswith("__pycache__")]


@cache
def _modules(folder: Path) -> dict[tuple[str, ...], Path]:
    """The files of all modules and packages in a folder by their dotted names in parts."""
    files = [file for file in _files(folder) if file.suffix == ".py"]
    modules = {file.relative_to(folder).with_suffix("").parts: file for file in files}
    return {name[:-1] if name[-1] == "__init__" else name: file for name, file in modules.items()}


@cache
def _others(folder: Path) -> dict[Path, list[Path]]:
    """The files that are no modules, of each folder in it that has one; hidden ones are an editor's or a system's."""
    others: dict[Path, list[Path]] = {}
    for file in _files(folder):
        if file.suffix != ".py" and not file.name.startswith("."):
            others.setdefault(file.parent, []).append(file)
    return others


@cache
def _bytes(file: Path) -> bytes:
    return file.read_bytes()


@cache
def _hash(file: Path) -> str:
    return hashlib.sha256(_bytes(file)).hexdigest()
