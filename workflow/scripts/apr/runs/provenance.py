"""What computed a run, for its provenance."""

import platform

import numpy as np
import torch
import torchvision


def versions(threads: int) -> dict:
    """Versions and the host; the same for every repetition on one machine."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "numpy": np.__version__,
        "machine": platform.machine(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": threads,
    }
