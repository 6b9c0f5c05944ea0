"""Where the values of a configuration come from: which file or option sets a key, and how it is written there."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from first_look import located
from study import ROOT
from yaml_files import Document, merged, read_document

OPTION = "--config, or a profile's `config`"
AS_TEXT = "; Snakemake reads nested values of --config as text: put it into a file, and name that under --configfile"


class Sources:
    """The files of a configuration, and the configuration that Snakemake made of them.

    Attributes:
        documents: of each file, by its name.
        config: the merged configuration, its keys as they are written.
    """

    def __init__(self, files: Iterable[str | Path], config: dict[str, Any]) -> None:
        self.documents: dict[str, Document] = {_name(file): read_document(file) for file in files}
        self.from_files = merged([document.value for document in self.documents.values()])
        self._odd_keys: list[list[str]] = []
        self.config: dict[str, Any] = self._with_text_keys(config, self.from_files, [])

    def lines(self, errors: Iterable[tuple[list, str]]) -> Iterator[str]:
        """Errors, each with the file or the option that sets its key."""
        for path, text in errors:
            option = self._from_option(path)
            nested = option and len(path) > 1 and "is a string, expected" in text
            if nested:
                text = text.partition("; write ")[0] + AS_TEXT
            yield located(OPTION if option else self._file(path), path, text)

    def file_lines(self) -> Iterator[str]:
        """What is wrong with the files themselves."""
        for name, document in self.documents.items():
            yield from (located(name, path, text) for path, text in document.errors)
        for path in self._odd_keys:
            yield located(OPTION, path, f"this key is no text; write {path[-1]!r} in quotes")

    def written(self, path: list) -> str | None:
        """The text of a plain value in the last file that has it."""
        texts = (document.written.get(tuple(path)) for document in reversed(self.documents.values()))
        return next((text for text in texts if text is not None), None)

    def _with_text_keys(self, value: Any, beside: Any, path: list[str]) -> Any:
        """The same with keys that YAML read as numbers, dates or booleans as the file has them."""
        if isinstance(value, list | tuple):
            return [self._with_text_keys(item, None, [*path, str(number)]) for number, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        beside = beside if isinstance(beside, dict) else {}
        result = {
            key: self._with_text_keys(item, beside.get(key), [*path, key])
            for key, item in value.items()
            if isinstance(key, str)
        }
        odd = [key for key in value if not isinstance(key, str)]
        if odd:
            found = {key: item for key, item in beside.items() if key not in result}
            self._odd_keys += [] if found else [[*path, str(key)] for key in odd]
            result |= found or {str(key): value[key] for key in odd}
        return result

    def _from_option(self, path: list) -> bool:
        """Whether a key, or the part of its path that is there, was set beside the files."""
        found, in_files = self.config, self.from_files
        for key in path:
            if not isinstance(found, dict) or key not in found:
                return False
            if not isinstance(in_files, dict) or key not in in_files:
                return True
            found, in_files = found[key], in_files[key]
        return not isinstance(found, dict) and _plain(found) != _plain(in_files)

    def _file(self, path: list) -> str:
        """The last file that sets a key, or the deepest part of its path."""
        depths = {name: _depth(document.value, path) for name, document in self.documents.items()}
        deepest = max(depths.values(), default=0)
        names = [name for name, depth in depths.items() if depth == deepest]
        return names[-1] if names else "configuration"


def _name(file: str | Path) -> str:
    """A file's name, short where it belongs to the project."""
    path = Path(file)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _depth(content: Any, path: list) -> int:
    for depth, key in enumerate(path):
        if not isinstance(content, dict) or key not in content:
            return depth
        content = content[key]
    return len(path)


def _plain(value: Any) -> str:
    return repr(list(value) if isinstance(value, tuple) else value)
