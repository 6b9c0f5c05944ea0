"""Example images of each dataset, and the AnyNetX design space as a schematic."""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from apr.basics.escaping import plain
from apr.basics.problems import Problem
from apr.basics.randomness import generator
from apr.data.packed import PackedImages
from apr.figures.style import BLUE, FAINT, GREEN, GREY, INK, MM, ORANGE, TEXT, Drawing, styled
from apr.models.anynet import STAGES, STRIDES
from apr.models.stems import stem_of

# All lengths below are in millimetres.
MARGIN = 0.5  # so that lines at the rim are whole
WIDTH = TEXT / MM - 2 * MARGIN
GAP, LARGEST, TITLE = 1.0, 15.0, 4.5  # between images; an image; the line above a row of them
ENLARGED = 256  # pixels: smaller images are enlarged by a whole factor first, so that their pixels stay square
SCHEMATIC = 80.0  # height of (B)
NETWORK = (60, 80, 100, 120)  # left ends of the stages
FRAME = 110.0  # width of an opened stage or block
SMALL = 6.5  # points
LETTERS = 34  # that fit beside the frames


def choose_examples(packed: PackedImages, count: int, seed: int) -> list[np.ndarray]:
    """Draw test images at random, of different classes as far as there are enough.

    Returns:
        Up to `count` images, uint8 [H, W, 3]: fewer where the test part has fewer.
    """
    test = generator("examples", seed).permutation(np.flatnonzero(packed.index["split"] == 1))
    labels = pd.Series(packed.index["label"][test])
    # First an image of each class, then a second one of each.
    order = labels.groupby(labels).cumcount().sort_values(kind="stable").index
    return [packed.read(row) for row in test[order[:count]]]


@styled
def draw_design_space(examples: Mapping[str, Sequence[np.ndarray]], space: Mapping[str, Any]) -> Drawing:
    """(A) Rows of example images, each cut to its central square; (B) the AnyNetX design space with its ranges.

    Args:
        examples: title of a dataset -> images, uint8 [H, W, 3].
        space: depth [low, high], width [low, high], bottleneck and group_width (choices), megaflops [low, high], stem,
            resolution (px), classes.

    Raises:
        Problem: there is no image.
    """
    if not examples or not all(examples.values()):
        lacking = ", ".join(title for title, images in examples.items() if not images)
        raise Problem(
            f"no example image{' of ' if lacking else ''}{lacking}: give the study a task of a dataset with images"
        )
    most = max(map(len, examples.values()))
    columns = min(2, len(examples))
    side = min(LARGEST, ((WIDTH - 6 * (columns - 1)) / columns + GAP) / most - GAP)
    rows = -(-len(examples) // columns)
    top = 5 + rows * (TITLE + side + 2)
    figure = Figure(figsize=(TEXT, (top + SCHEMATIC) * MM))
    ax = figure.add_axes((0, 0, 1, 1))
    for i, (title, images) in enumerate(examples.items()):
        x, y = (i // rows) * (WIDTH + 6) / columns, top + SCHEMATIC - 5 - (i % rows) * (TITLE + side + 2)
        ax.text(x, y - TITLE + 1, plain(title), weight="bold")
        for position, image in enumerate(images):
            left, low = x + position * (side + GAP), y - TITLE - side
            ax.imshow(_square(image), extent=(left, left + side, low, low + side), gid=title)
    _draw_schematic(ax, space)
    for letter, y in (("A", top + SCHEMATIC - 4), ("B", SCHEMATIC - 4)):
        ax.text(0, y, letter, size=10, weight="bold")
    ax.set(xlim=(-MARGIN, WIDTH + MARGIN), ylim=(0, top + SCHEMATIC), aspect="equal")
    ax.set_axis_off()
    data = pd.DataFrame(
        [
            {"dataset": title, "image": number, "height": image.shape[0], "width": image.shape[1]}
            for title, images in examples.items()
            for number, image in enumerate(images, start=1)
        ]
    )
    return Drawing(figure, data, _caption(data, space))


def _square(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    factor = -(-ENLARGED // side)
    return image[top : top + side, left : left + side].repeat(factor, axis=0).repeat(factor, axis=1)


def _draw_schematic(ax: Axes, space: Mapping[str, Any]) -> None:
    _draw_network(ax, space, y=57)
    _zoom(ax, (NETWORK[2], 57), 15, top=51)
    _draw_stage(ax, y=33)
    _zoom(ax, (34, 35), 22, top=27)
    _draw_block(ax, y=1)
    _draw_ranges(ax, space, top=50)


def _draw_network(ax: Axes, space: Mapping[str, Any], y: float) -> None:
    kernel, stride, channels, pool = stem_of(space["stem"])
    size = -(-space["resolution"] // (stride * (2 if pool else 1)))
    pooling = "\n3×3 max-pool, stride 2" if pool else ""
    _text(ax, 8, y + 7, f"Image\n{_by(space['resolution'])} px")
    _box(ax, 20, y, 33, 14, "Stem", f"{kernel}×{kernel} conv, stride {stride},\n{channels} channels{pooling}", GREY)
    _text(ax, 36.5, y + 16, _by(size), color=FAINT)
    for i, (left, step) in enumerate(zip(NETWORK, STRIDES, strict=True), start=1):
        size = -(-size // step)
        _box(ax, left, y, 15, 14, f"Stage {i}", f"$d_{i}$, $w_{i}$,\n$b_{i}$, $g_{i}$", BLUE)
        _text(ax, left + 7.5, y + 16, f"stride {step}: {_by(size)}", color=FAINT)
    _box(ax, 142, y, 31, 14, "Head", f"global average pool,\nfully connected,\n{space['classes']} classes", GREY)
    boxes = [(0, 16), (20, 53), *((left, left + 15) for left in NETWORK), (142, 173)]
    for (_, left), (right, _) in pairwise(boxes):
        _arrow(ax, (left, y + 7), (right, y + 7))


def _draw_stage(ax: Axes, y: float) -> None:
    _frame(ax, y, 18, "Stage $i$: $d_i$ residual blocks", BLUE)
    _box(ax, 6, y + 2, 22, 9, "Block 1", "the stage's stride", ORANGE)
    _box(ax, 34, y + 2, 22, 9, "Block 2", "stride 1", ORANGE)
    _box(ax, 80, y + 2, 22, 9, "Block $d_i$", "stride 1", ORANGE)
    _text(ax, 68, y + 6.5, "…")
    for left, right in ((1, 6), (28, 34), (56, 65), (71, 80), (102, 108)):
        _arrow(ax, (left, y + 6.5), (right, y + 6.5))


def _draw_block(ax: Axes, y: float) -> None:
    _frame(ax, y, 26, "Block of stage $i$", ORANGE)
    middle = y + 8
    _box(ax, 9, y + 3, 20, 10, "1×1 conv", "$w_i / b_i$ channels", GREEN)
    _box(ax, 34, y + 3, 28, 10, "3×3 group conv", "$g_i$ channels a group", GREEN)
    _box(ax, 67, y + 3, 19, 10, "1×1 conv", "$w_i$ channels", GREEN)
    for left, right in ((1, 9), (29, 34), (62, 67), (86, 91.5), (96.5, 108)):
        _arrow(ax, (left, middle), (right, middle))
    ax.add_patch(Circle((94, middle), 2.5, facecolor="white", edgecolor=INK, linewidth=0.6))
    _text(ax, 94, middle, "+")
    ax.plot([5, 5, 94], [middle, y + 18, y + 18], color=INK, linewidth=0.7)
    _arrow(ax, (94, y + 18), (94, middle + 2.5))
    _text(ax, 49, y + 20, "shortcut; a 1×1 projection where width or size changes")


def _draw_ranges(ax: Axes, space: Mapping[str, Any], top: float) -> None:
    ranges = {
        "$d_i$": ("depth", f"{_range(space['depth'])} blocks"),
        "$w_i$": ("width", f"{_range(space['width'])} channels"),
        "$b_i$": ("bottleneck ratio", _choices(space["bottleneck"])),
        "$g_i$": ("group width", f"{_choices(space['group_width'])} channels"),
    }
    left, y = 120.0, top - 1
    ax.text(left, y, f"Drawn for each stage $i$ = 1…{STAGES}", weight="bold", va="top", parse_math=True)
    y -= 6.5
    for symbol, (name, values) in ranges.items():
        lines = textwrap.wrap(values, LETTERS)
        ax.text(left, y, symbol, parse_math=True)
        ax.text(left + 6, y, name, size=SMALL)
        ax.text(left + 6, y - 1, "\n".join(lines), va="top", size=SMALL, linespacing=1.3)
        y -= 2.4 + 3 * (1 + len(lines))
    kept = f"kept: {_range(space['megaflops'])} million multiply-adds"
    ax.text(left, y + 1.5, f"{len(ranges) * STAGES} degrees of freedom;\n{kept}", va="top", size=SMALL, linespacing=1.3)


def _box(ax: Axes, x: float, y: float, width: float, height: float, name: str, text: str, color: str) -> None:
    shape = "round,pad=0,rounding_size=1"
    ax.add_patch(FancyBboxPatch((x, y), width, height, shape, fc=to_rgba(color, 0.2), ec=color, linewidth=0.7))
    lines = 1 + text.count("\n")
    middle = y + height / 2
    _text(ax, x + width / 2, middle + 1.35 * lines, name, weight="bold")
    _text(ax, x + width / 2, middle - 1.5, text, linespacing=1.15)


def _frame(ax: Axes, y: float, height: float, name: str, color: str) -> None:
    ax.add_patch(Rectangle((0, y), FRAME, height, facecolor=to_rgba(color, 0.06), edgecolor=color, linewidth=0.5))
    ax.text(2, y + height - 1.5, name, va="top", size=SMALL, weight="bold", parse_math=True)


def _zoom(ax: Axes, below: tuple[float, float], width: float, top: float) -> None:
    """Dashed lines from the lower corners of a box to the upper corners of the frame that opens it."""
    for start, end in ((below[0], 0), (below[0] + width, FRAME)):
        ax.plot([start, end], [below[1], top], color=FAINT, linewidth=0.5, linestyle=(0, (3, 2)))


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "mutation_scale": 5, "color": INK, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", xy=end, xytext=start, arrowprops=style)


def _text(ax: Axes, x: float, y: float, text: str, **more: Any) -> None:
    ax.text(x, y, text, **({"ha": "center", "va": "center", "size": SMALL, "parse_math": True} | more))


def _by(size: int) -> str:
    return f"{size}×{size}"


def _range(ends: Sequence[float]) -> str:
    return f"{ends[0]:g}–{ends[1]:g}"


def _choices(values: Sequence[int]) -> str:
    return ", ".join(map(str, values))


def _caption(data: pd.DataFrame, space: Mapping[str, Any]) -> str:
    counts = data.groupby("dataset", sort=False).size()
    many = f"{counts.max()}" if counts.nunique() == 1 else f"Up to {counts.max()}"
    order = (data["height"] * data["width"]).sort_values(kind="stable").index
    sizes = dict.fromkeys(f"{data['width'][i]} × {data['height'][i]}" for i in (order[0], order[-1]))
    return (
        f"(A) {many} test images of each dataset, drawn at random and of different classes as far as there are enough, "
        f"each cut to its central square; they measure {' to '.join(sizes)} pixels (width × height). "
        f"(B) The AnyNetX design space: a stem ({space['stem']}), {STAGES} stages of residual bottleneck blocks, and a "
        f"head. Drawn for each stage are the depth d ({_range(space['depth'])} blocks), the width w "
        f"({_range(space['width'])} channels), the bottleneck ratio b ({_choices(space['bottleneck'])}), by which the "
        f"inner width is smaller, and the group width g ({_choices(space['group_width'])} channels). Kept are the "
        f"architectures of {_range(space['megaflops'])} million multiply-adds for an image of "
        f"{_by(space['resolution'])} pixels and {space['classes']} classes. A stage's first block "
        "carries its stride, in the 3×3 convolution. BatchNorm and ReLU follow each convolution, but the block's last "
        "ReLU follows the addition."
    )
