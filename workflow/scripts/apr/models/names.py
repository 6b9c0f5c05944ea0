"""Names of pretrained models: "timm:<name>", "torchvision:<name>[.<WEIGHTS>]", "own:<file.py>:<function>".

Light: a workflow names its files by `run_name`.
"""

import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath

from apr.basics.problems import Problem
from apr.basics.values import nearest

LIBRARIES = ("timm", "torchvision")
OWN = "own"
LISTED = re.compile(r"== (\w+) (\S+)")  # the line above the models of a library, with its version
SUFFIXES = (".safetensors", ".pth", ".pt")  # of files of weights


def parse_model(model: str) -> tuple[str, str]:
    """Library and name of a model; of one's own, "own" and "<file.py>:<function>".

    Raises:
        Problem: it is neither.
    """
    library, _, name = model.partition(":")
    if library == OWN and re.fullmatch(r"[\w./-]*\w\.py:[^\W\d]\w*", name, re.ASCII):
        return library, name
    if library not in LIBRARIES or not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
        raise Problem(
            f"model {model!r}: write timm:<name>, e.g. timm:resnet18.a1_in1k, torchvision:<name>[.<WEIGHTS>], "
            "e.g. torchvision:resnet50.IMAGENET1K_V2, or own:<file.py>:<function>"
        )
    return library, name


def run_name(model: str) -> str:
    """The model's name in names of files: "timm:resnet18.a1_in1k" is "timm.resnet18.a1_in1k".

    "own:nets/mine.py:small" is "own.mine.small".
    """
    library, name = parse_model(model)
    if library != OWN:
        return f"{library}.{name}"
    file, _, function = name.partition(":")
    return f"{OWN}.{PurePosixPath(file).stem}.{function}"


def own_file(model: str) -> str | None:
    """The file that builds a network of one's own; None of a library's model."""
    library, name = parse_model(model)
    return str(Path(name.rpartition(":")[0])) if library == OWN else None


def listed_models(path: str | Path) -> dict[str, dict[str, set[str]]]:
    """The models of libraries, {library: {architecture: tags of its weights}}, from a list that goes with the lock.

    A library is left out whose installed version is another than the list's: what is right there is not known. One that
    is not installed here is of the version of the lock where runs are made.

    Args:
        path: a line `== <library> <version>`, below it a line for each architecture, with its tags.
    """
    found: dict[str, dict[str, set[str]]] = {}
    known = None
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if head := LISTED.fullmatch(line):
            known = found.setdefault(head[1], {}) if _installed(head[1]) in (head[2], None) else None
        elif known is not None and line and not line.startswith("#"):
            architecture, *tags = line.split()
            known[architecture] = set(tags)
    return found


def unknown_model(model: str, listed: Mapping[str, Mapping[str, set[str]]]) -> str:
    """Why a library has no such model, with the nearest names; empty where it has it, or nothing is known of it.

    Args:
        model: a name that `parse_model` takes.
        listed: of `listed_models`.
    """
    library, name = parse_model(model)
    if library not in listed:
        return ""
    architecture, _, tag = name.partition(".")
    tags = listed[library].get(architecture)
    if tags is None:
        return f"{model}: {library} has no such model{nearest(architecture, listed[library], most=3)}"
    if tag and tag not in tags:
        full = [f"{architecture}.{one}" for one in sorted(tags)]
        return f"{model}: {library} has no such weights{nearest(name, full, most=3)}"
    return ""


def _installed(library: str) -> str | None:
    """The version of a library without its build; None where it is not installed."""
    try:
        return version(library).partition("+")[0]
    except PackageNotFoundError:
        return None
