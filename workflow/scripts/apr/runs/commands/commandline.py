"""Command lines that say what is wrong with an option in one line, before anything heavy is loaded."""

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from apr.basics.files import file_digest, read_json
from apr.basics.names import check_name
from apr.basics.problems import Problem
from apr.basics.values import limit_problem, nearest, shown, unique_keys
from apr.data.packed import open_packed
from apr.data.views import view_indices
from apr.runs.protocol import check_protocol_keys

BAD_OPTION = 2  # the exit code that argparse has for it
DEVICE = re.compile(r"auto|cpu|cuda(:[0-9]{1,3})?")
VIEW_KEYS = ("view", "dataset", "dataset_digest", "index_digest", "indices_digest", "selection", "classes", "codes")
VIEW_KEYS += ("n_train", "n_test", "mean", "sd")


# Which key of a study gives an option its value, where Snakemake calls the script.
KEYS_OF = {
    "--model": "models of its task",
    "--weights": "weights of its task or regime",
    "--metric": "metric of its task",
    "--view": "view of its task",
    "--packed": "the dataset of that view",
    "--storage": "storage of the dataset",
    "--protocol": "the keys of its task and regime",
    "--batch": "batch of its task or regime",
    "--root": "the project's folder",
    "--threads": "training.threads",
    "--device": "training.device",
    "--resident-gb": "training.resident_gb",
    "--checkpoint-seconds": "training.checkpoint_seconds",
}


def with_keys(text: str) -> str:
    """A message, and behind it which keys of a study its options are, for those who wrote no command line."""
    named = dict.fromkeys(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))
    known = [f"{option} is {KEYS_OF[option]}" for option in named if option in KEYS_OF]
    return f"{text} (in a study {', '.join(known)})" if known else text


@contextmanager
def naming_keys() -> Iterator[None]:
    """What is wrong within is said with the keys of a study.

    Raises:
        Problem: the one that was raised within, its text by `with_keys`.
    """
    try:
        yield
    except Problem as problem:
        raise Problem(with_keys(str(problem))) from problem


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line: the option, its value, and what to write."""

    def __init__(self, description: str) -> None:
        formatter = argparse.RawDescriptionHelpFormatter
        super().__init__(description=description, formatter_class=formatter, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """End the program with one line and the exit code 2."""
        message = re.sub(r"^argument ([^:]+):", r"\1", message)
        unknown = re.match(r"unrecognized arguments: (([^ =]+).*)", message)
        hint = nearest(unknown[2], self._option_string_actions) if unknown else ""
        message = f"{unknown[1]}: there is no such option" if unknown else message
        message = with_keys(f"{' '.join(message.split())}{hint}")
        print(f"error: {message}; see {Path(self.prog).name} --help", file=sys.stderr)
        sys.exit(BAD_OPTION)


def number(kind: type, **limits: float) -> Callable[[str], Any]:
    """A type of an option: an int or a float within limits in the words of JSON Schema."""

    def parsed(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            name = "an integer" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"{shown(text)} is not {name}") from None
        problem = limit_problem(value, limits)
        if problem:
            raise argparse.ArgumentTypeError(problem)
        return value

    return parsed


def device(text: str) -> str:
    """The type of --device."""
    if not DEVICE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{shown(text)}: write auto, cpu, cuda or the number of one, as cuda:1")
    return text


def plain(text: str) -> str:
    """The type of an option that names something: its name becomes one of files."""
    try:
        return check_name(text, "the name", "take letters, digits, - _ and .")
    except Problem as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def protocol(text: str) -> dict[str, Any]:
    """The type of --protocol: a JSON object, or the file named after an @, with every key of a training's protocol."""
    try:
        found = read_json(text[1:]) if text.startswith("@") else json.loads(text, object_pairs_hook=unique_keys)
        check_protocol_keys(found)
    except (Problem, OSError) as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None
    except (ValueError, RecursionError) as error:
        raise argparse.ArgumentTypeError(f"is not JSON ({error}); give {{…}}, or @ and the name of a file") from None
    return found


def check_places(read: Mapping[str, str | None], written: Mapping[str, str | Path | None]) -> None:
    """Refuse files to read that are not there, and places to write to that are folders, not writable or given twice.

    Args:
        read: file of each option.
        written: the same; None where an option was not given.

    Raises:
        Problem: names the option and the file.
    """
    taken: dict[str, str] = {}
    for option, name in read.items():
        if name is not None and not Path(name).is_file():
            what = "is a folder" if Path(name).is_dir() else "there is no such file"
            raise Problem(f"{option} {name}: {what}; name the file")
        if name is not None:
            taken[os.path.realpath(name)] = option
    for option, name in written.items():
        if name is None:
            continue
        if not str(name):
            raise Problem(f"{option}: is empty; name a file")
        if Path(name).is_dir():
            raise Problem(f"{option} {name}: is a folder; name a file in it")
        _check_writable(option, Path(name))
        other = taken.setdefault(os.path.realpath(name), option)
        if other != option:
            raise Problem(f"{option} {name}: is the file of {other} as well; give each its own")


def beside(checkpoint: str) -> dict[str, Path]:
    """The files that a program writes beside its checkpoint."""
    path = Path(checkpoint)
    if path.name in ("", ".", "..") or path.is_dir():
        raise Problem(f"--checkpoint {checkpoint}: is a folder; name a file in it, as {path / 'checkpoint.pt'}")
    names = {"--checkpoint (its finished run)": ".json", "--checkpoint (its lease)": ".lease"}
    return {what: path.with_suffix(suffix) for what, suffix in names.items()}


def check_images(view: str, packed: str, storage: str) -> dict[str, Any]:
    """The manifest of a view, whose images are those of the packed dataset.

    Raises:
        Problem: one of the three does not fit the others; names the option.
    """
    try:
        manifest = read_json(view)
    except (Problem, OSError) as problem:
        raise Problem(f"--view {view}: {str(problem).removeprefix(f'{view}: ')}") from None
    missing = [key for key in VIEW_KEYS if not isinstance(manifest, dict) or key not in manifest]
    if missing:
        text = f"lacks {', '.join(missing)}; name the manifest of a view, as results/views/<view>.json"
        raise Problem(f"--view {view}: {text}")
    for file in (f"{packed}.bin", f"{packed}.index.npy"):
        if not Path(file).is_file():
            text = f"there is no {file}; give the packed dataset without a suffix, as data/packed/{manifest['dataset']}"
            raise Problem(f"--packed {packed}: {text}")
    images = open_packed(Path(packed), storage)
    index = images.index
    pixels = bool((index["bytes"] == index["height"].astype("u8") * index["width"] * 3).all())
    if pixels != (storage == "pixels"):
        found = "pixels" if pixels else "encoded"
        raise Problem(f"--storage {storage}: {packed} is packed as {found}; give --storage {found}")
    if file_digest(f"{packed}.index.npy") != manifest["index_digest"]:
        try:
            view_indices(manifest, index)
        except (Problem, LookupError, TypeError, ValueError):
            text = f"is drawn from the dataset {manifest['dataset']}, and --packed {packed} holds other images"
            raise Problem(
                f"--view {view}: {text}; give the packed dataset of the view, or a view of this one"
            ) from None
    return manifest


def _check_writable(option: str, path: Path) -> None:
    place = path if path.exists() else path.parent
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    if not path.exists() and not place.is_dir():
        raise Problem(f"{option} {path}: {place} is no folder; name a file in a folder")
    if not os.access(place, os.W_OK | os.X_OK if place.is_dir() else os.W_OK):
        raise Problem(f"{option} {path}: {place} cannot be written to; change its permissions, or name another place")
