"""SqueezeNet 1.0 with the weights of Deep Compression (Han et al. 2016), decompressed: a network of one's own."""

from torchvision.models import SqueezeNet, squeezenet1_0


def squeezenet() -> SqueezeNet:
    """SqueezeNet 1.0, 227 px."""
    network = squeezenet1_0()
    network.pretrained_cfg = {
        "file": "torchvision.squeezenet1_0.deep_compression.safetensors",
        "input_size": (3, 227, 227),
        "mean": (0.485, 0.456, 0.406),
        "std": (0.229, 0.224, 0.225),
        "interpolation": "bilinear",
        "crop_pct": 0.887,
    }
    return network
