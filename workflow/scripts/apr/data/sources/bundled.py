"""Real images that ship inside scikit-image, scikit-learn and matplotlib, cut into small datasets: no download.

A picture is laid out in square cells. Every third cell along the diagonals is for testing, the others are for training,
and each patch lies inside one cell: no pixel is in both parts. Patches of one cell may overlap each other.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from apr.basics.files import atomic_path
from apr.basics.problems import Problem
from apr.basics.randomness import generator
from apr.data.sources.npz import save_npz

SIDE = 32
TRAIN_PATCHES, TEST_PATCHES = 60, 30
# Room for a patch to lie anywhere in its cell by half its size.
CELL_TO_WINDOW = 1.5
RETINA_TRAIN, RETINA_TEST = 200, 300
DIGITS_TEST, FACES_TEST = 0.3, 0.3

# Class: distribution and file. None is among the tissues, which serve as a target.
PHOTOS = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "brick": ("skimage", "data/brick.png"),
    "camera": ("skimage", "data/camera.png"),
    "cat": ("skimage", "data/chelsea.png"),
    "china": ("sklearn", "datasets/images/china.jpg"),
    "clock": ("skimage", "data/clock_motion.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "coins": ("skimage", "data/coins.png"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "grass": ("skimage", "data/grass.png"),
    "gravel": ("skimage", "data/gravel.png"),
    "hopper": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    "hubble": ("skimage", "data/hubble_deep_field.jpg"),
    "moon": ("skimage", "data/moon.png"),
    "motorcycle": ("skimage", "data/motorcycle_left.png"),
    "page": ("skimage", "data/page.png"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "text": ("skimage", "data/text.png"),
}
TISSUES = {
    "cell": ("skimage", "data/cell.png"),
    "immunohistochemistry": ("skimage", "data/ihc.png"),
    "microaneurysms": ("skimage", "data/microaneurysms.png"),
    "retina": ("skimage", "data/retina.jpg"),
}
# Both large; of the round retina the square inside it, without its black border.
RETINA = {"immunohistochemistry": TISSUES["immunohistochemistry"], "retina": (*TISSUES["retina"], 0.15)}

Arrays = dict[str, np.ndarray]


def make_bundled(name: str) -> Arrays:
    """Make one of the small datasets.

    photos: colour patches of 32 px, one photograph a class. tissues: gray windows of 16 px with their
    contrast evened out, so that neither colour nor brightness gives the class away, enlarged twofold. retina: such
    windows of two of the tissues, more of each. digits: scikit-learn's 8 x 8 digits enlarged fourfold. faces:
    scikit-image's 25 x 25 faces and non-faces, enlarged bicubically. All are 32 px.

    Returns:
        x_train, x_test (uint8 [N, 32, 32, 3]), y_train, y_test (int64 [N]), classes (names).

    Raises:
        Problem: there is no such dataset, or the installed package lacks its picture.
    """
    if name not in MAKERS:
        raise Problem(f"bundled:{name}: there is no such dataset; there are {', '.join(MAKERS)}")
    return MAKERS[name]()


def write_bundled(name: str, path: Path) -> None:
    """Write a small dataset as npz; the bytes depend on the pixels alone."""
    with atomic_path(path) as part:
        save_npz(part, make_bundled(name))


def cut_patches(picture: np.ndarray, window: int, count: int, part: str, name: str) -> np.ndarray:
    """Cut `count` different patches from the cells of one part, spread evenly over them.

    Args:
        picture: [H, W, 3].
        window: side of a patch in pixels.
        count: how many.
        part: "train" or "test".
        name: of the picture, the key of the draw.

    Returns:
        [count, window, window, 3].
    """
    cell = int(window * CELL_TO_WINDOW)
    rows, columns = picture.shape[0] // cell, picture.shape[1] // cell
    cells = [
        (row * cell, column * cell)
        for row in range(rows)
        for column in range(columns)
        if ((row + column) % 3 == 0) == (part == "test")
    ]
    draw = generator("patches", name, part)
    order = draw.permutation(len(cells))
    room = cell - window + 1
    taken: set[tuple[int, int]] = set()
    patches = []
    while len(patches) < count:
        top, left = cells[order[len(patches) % len(cells)]]
        corner = (top + int(draw.integers(room)), left + int(draw.integers(room)))
        if corner not in taken:
            taken.add(corner)
            patches.append(picture[corner[0] : corner[0] + window, corner[1] : corner[1] + window])
    return np.stack(patches)


def _from_pictures(
    pictures: Mapping[str, tuple],
    window: int,
    finish: Callable[[np.ndarray], np.ndarray],
    train: int = TRAIN_PATCHES,
    test: int = TEST_PATCHES,
) -> Arrays:
    arrays: Arrays = {}
    for part, count in (("train", train), ("test", test)):
        cut = [cut_patches(_picture(*where), window, count, part, name) for name, where in pictures.items()]
        arrays[f"x_{part}"] = finish(np.concatenate(cut))
        arrays[f"y_{part}"] = np.repeat(np.arange(len(pictures)), count)
    return arrays | {"classes": np.array(list(pictures))}


@cache
def _picture(package: str, file: str, border: float = 0.0) -> np.ndarray:
    """Pixels of a picture inside an installed package, uint8 [H, W, 3], without a share of each side as its border."""
    path = Path(find_spec(package).origin).parent / file
    if not path.is_file():
        raise Problem(f"{path}: {package} no longer ships this picture; install the locked version (make test does)")
    with Image.open(path) as image:
        width, height = image.size
        inside = [round(share * side) for share in (border, 1 - border) for side in (width, height)]
        return np.asarray(image.convert("RGB").crop(inside))


def _even_contrast(patches: np.ndarray) -> np.ndarray:
    """Gray, mean 128, SD 48, enlarged to SIDE; uint8 [N, SIDE, SIDE, 3]."""
    gray = patches.mean(axis=3)
    centred = gray - gray.mean(axis=(1, 2), keepdims=True)
    # A flat patch keeps its noise small.
    scaled = centred * (48 / np.maximum(centred.std(axis=(1, 2), keepdims=True), 4))
    return _enlarged(np.clip(np.rint(scaled + 128), 0, 255).astype(np.uint8))


def _enlarged(gray: np.ndarray) -> np.ndarray:
    """Repeat pixels of uint8 [N, h, w] up to SIDE and channels to three."""
    factor = SIDE // gray.shape[1]
    return np.repeat(gray.repeat(factor, axis=1).repeat(factor, axis=2)[..., None], 3, axis=3)


def _parted(images: np.ndarray, labels: np.ndarray, fraction: float, name: str) -> Arrays:
    """Part images at random, the same share of each class."""
    test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        test[rows[generator("test", name, int(label)).permutation(len(rows))[: round(fraction * len(rows))]]] = True
    parts = {"train": ~test, "test": test}
    return {f"x_{part}": images[rows] for part, rows in parts.items()} | {
        f"y_{part}": labels[rows].astype(np.int64) for part, rows in parts.items()
    }


def _digits() -> Arrays:
    from sklearn.datasets import load_digits

    digits = load_digits()
    gray = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    classes = np.array([str(label) for label in digits.target_names])
    return _parted(_enlarged(gray), digits.target, DIGITS_TEST, "digits") | {"classes": classes}


def _faces() -> Arrays:
    import skimage.data

    gray = np.rint(skimage.data.lfw_subset() * 255).astype(np.uint8)
    labels = np.repeat([0, 1], len(gray) // 2)
    enlarged = [Image.fromarray(face).resize((SIDE, SIDE), Image.Resampling.BICUBIC).convert("RGB") for face in gray]
    return _parted(np.stack([np.asarray(face) for face in enlarged]), labels, FACES_TEST, "faces") | {
        "classes": np.array(["face", "other"])
    }


MAKERS: dict[str, Callable[[], Arrays]] = {
    "photos": lambda: _from_pictures(PHOTOS, SIDE, lambda patches: patches),
    "digits": _digits,
    "faces": _faces,
    "tissues": lambda: _from_pictures(TISSUES, SIDE // 2, _even_contrast),
    "retina": lambda: _from_pictures(RETINA, SIDE // 2, _even_contrast, RETINA_TRAIN, RETINA_TEST),
}
