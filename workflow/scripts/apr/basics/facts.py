"""Facts in YAML files of the repository (resources/): read plainly, refused where they cannot be."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from apr.basics.problems import Problem


def read_facts(path: str | Path) -> Any:
    """What a YAML file holds.

    Raises:
        Problem: there is no such file, or it is not YAML.
    """
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except FileNotFoundError:
        raise Problem(f"{path}: no such file; restore it from the repository") from None
    except yaml.YAMLError as error:
        raise Problem(f"{path}: is not YAML: {error}") from error


def read_entries(path: str | Path, key: str) -> list[dict[str, Any]]:
    """The list of mappings that a YAML file has under a key.

    Raises:
        Problem: the file cannot be read, or has no such list.
    """
    return entries_of(path, read_facts(path), key)


def entries_of(path: str | Path, content: Any, key: str) -> list[dict[str, Any]]:
    """The list of mappings that the content of a YAML file has under a key.

    Raises:
        Problem: it has no such list.
    """
    entries = content.get(key) if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Problem(f"{path}: has no list of {key}: give each as an entry under `{key}`")
    return entries


def once(path: str | Path, kind: str, names: Iterable[str]) -> None:
    """Refuse a name that a file gives to two entries of a kind.

    Raises:
        Problem: names it.
    """
    for name, count in Counter(names).items():
        if count > 1:
            raise Problem(f"{path}: {kind} {name} appears twice; keep one of them, or give it another name")
