"""The stems of AnyNetX networks (pycls/models/anynet.py), apart from anynet.py so that protocols need no numpy."""

from apr.basics.problems import Problem

# kernel, stride and width of the stem's convolution, and whether a 3x3 max-pool of stride 2 follows
STEMS = {
    "res_stem_in": (7, 2, 64, True),
    "simple_stem_in": (3, 2, 32, False),
    "res_stem_cifar": (3, 1, 64, False),
}


def stem_of(name: str) -> tuple[int, int, int, bool]:
    """Kernel, stride and width of a stem, and whether a max-pool follows.

    Raises:
        Problem: there is no such stem.
    """
    if name not in STEMS:
        raise Problem(f"stem {name!r} is not known; choose one of {', '.join(STEMS)}")
    return STEMS[name]
