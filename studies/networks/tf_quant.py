"""MobileNets with weights that were trained for TFLite's 8-bit arithmetic, as floats: networks of one's own.

A study names them `own:studies/networks/tf_quant.py:<function>` and gives the folder of their files as `weights`. The
weights are not timm's of the same name. `pretrained_cfg` says what the input is, in timm's terms, and the file.
"""

from timm.models import create_model
from timm.models.efficientnet import EfficientNet, _gen_mobilenet_v1


def mobilenetv1_025() -> EfficientNet:
    """MobileNetV1 of a quarter of the width, 128 px."""
    return _mobilenet_v1(0.25, 128)


def mobilenetv1_050() -> EfficientNet:
    """MobileNetV1 of half the width, 160 px."""
    return _mobilenet_v1(0.5, 160)


def mobilenetv1_075() -> EfficientNet:
    """MobileNetV1 of three quarters of the width, 192 px."""
    return _mobilenet_v1(0.75, 192)


def mobilenetv1_100() -> EfficientNet:
    """MobileNetV1, 224 px."""
    return _mobilenet_v1(1.0, 224)


def mobilenetv2_100() -> EfficientNet:
    """MobileNetV2, 224 px."""
    return _described(create_model("mobilenetv2_100", pad_type="same"), "mobilenetv2_100", 224)


def _mobilenet_v1(width: float, size: int) -> EfficientNet:
    network = _gen_mobilenet_v1("mobilenetv1_100", channel_multiplier=width, fix_stem_head=False, pad_type="same")
    return _described(network, f"mobilenetv1_{round(100 * width):03d}", size)


def _described(network: EfficientNet, name: str, size: int) -> EfficientNet:
    network.pretrained_cfg = {
        "file": f"timm.{name}.tf_quant_{size}.safetensors",
        "input_size": (3, size, size),
        "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5),
        "interpolation": "bilinear",
        "crop_pct": 0.875,
    }
    return network
