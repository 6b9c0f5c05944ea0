"""Names of pretrained models: "timm:<name>", "torchvision:<name>[.<WEIGHTS>]", "own:<file.py>:<function>".

Light: a workflow names its files by `run_name`.
"""

import re
from pathlib import Path, PurePosixPath

from apr.basics.problems import Problem

LIBRARIES = ("timm", "torchvision")
OWN = "own"
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
