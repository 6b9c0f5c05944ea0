import numpy as np
import pytest
from figure_checks import check_apart, check_saved, same_points
from figure_studies import (
    BOOTSTRAP,
    KINDS,
    OTHER_SPACE,
    SIZES,
    SPACE,
    WIDTHS,
    draw_other,
    drawing,
    other_errors,
    pictures,
    row,
    written,
)
from matplotlib.patches import FancyBboxPatch
from small import packed_images

from apr.basics.problems import Problem
from apr.figures.runs.design_space import choose_examples, draw_design_space
from apr.scores.frames import read_column
from apr.statistics.ranks import spearman


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_drawn_and_saved(kind, tmp_path):
    check_saved(drawing(kind, SIZES[-1]), tmp_path, WIDTHS[kind])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "design_space"])
def test_panels_stay_apart_and_within_the_figure(kind):
    check_apart(drawing(kind, 8).figure)


# Figure 2: example images and the design space


@pytest.mark.parametrize("space", [SPACE, OTHER_SPACE], ids=["paper", "small"])
@pytest.mark.parametrize("count", [1, 4, 9])
def test_no_text_of_the_design_space_overlaps_or_is_cut(count, space):
    figure = draw_design_space(pictures(count), space).figure
    figure.draw_without_rendering()
    (ax,) = figure.axes
    texts = [text for text in ax.texts if text.get_text()]
    boxes = [text.get_window_extent() for text in texts] + [image.get_window_extent() for image in ax.images]
    for i, box in enumerate(boxes):
        assert min(box.x0, box.y0) >= 0
        assert max(box.x1 - figure.bbox.x1, box.y1 - figure.bbox.y1) <= 0.5
        assert not any(box.padded(-0.5).overlaps(other.padded(-0.5)) for other in boxes[i + 1 :])
    frames = [patch.get_window_extent() for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    for frame in frames:
        inside = [box for box in boxes if frame.contains((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)]
        assert len(inside) == 2
        assert all(frame.contains(*corner) for box in inside for corner in box.corners())


def test_the_schematic_says_what_the_space_says():
    texts = "\n".join(text.get_text() for text in draw_design_space(pictures(1), OTHER_SPACE).figure.axes[0].texts)
    for expected in ("2–5 blocks", "8–1024 channels", "1, 2, 4, 8, 16, 32 channels", "0.8–1 million", "18 classes"):
        assert expected in texts
    assert "3×3 conv, stride 2,\n32 channels" in texts
    assert "max-pool" not in texts
    sizes = [line.split(": ")[1] for line in texts.splitlines() if line.startswith("stride ") and ":" in line]
    assert sizes == ["16×16", "8×8", "4×4", "2×2"]


def test_images_are_central_squares_with_their_own_pixels():
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = np.arange(100, dtype=np.uint8).reshape(10, 10, 1)
    drawn = draw_design_space({"Wide": [wide]}, SPACE)
    shown = np.asarray(drawn.figure.axes[0].images[0].get_array())
    factor = len(shown) // 10
    assert factor > 1
    assert np.array_equal(shown[::factor, ::factor], wide[:, 10:20])
    assert drawn.data.to_dict("records") == [{"dataset": "Wide", "image": 1, "height": 10, "width": 30}]
    assert "30 × 10" in drawn.caption


def test_examples_are_test_images_of_different_classes(tmp_path):
    packed, labels = packed_images(tmp_path)
    index = packed.index.copy()
    index["split"] = np.arange(len(labels)) % 9 >= 6
    packed.index = index
    of_row = {packed.read(row).tobytes(): row for row in range(len(labels))}

    def rows(count, seed):
        return [of_row[image.tobytes()] for image in choose_examples(packed, count, seed)]

    for seed in range(5):
        chosen = rows(8, seed)
        assert index["split"][chosen].all()
        assert sorted(labels[chosen[:6]]) == list(range(6))
        assert len(set(chosen)) == 8
    assert rows(4, 0) == rows(4, 0)
    assert len({tuple(rows(4, seed)) for seed in range(5)}) > 1
    assert len(rows(1000, 0)) == index["split"].sum()


def test_a_dataset_without_images_is_named():
    with pytest.raises(Problem, match="Empty"):
        draw_design_space({"Full": pictures(1)["Dataset 0"], "Empty": []}, SPACE)
    with pytest.raises(Problem):
        draw_design_space({}, SPACE)


# Figure A4: other errors


@pytest.mark.parametrize("n", SIZES)
def test_other_errors_draw_their_numbers(n):
    drawn, values = drawing("other_errors", n), other_errors(n)
    groups = drawn.data.groupby(["panel", "task"], sort=False)
    assert [key for key, _ in groups] == [
        ("A", "photos"),
        ("A", "long"),
        *(("B", t) for t in ("lines", "woods", "photos")),
    ]
    for ax, ((letter, task), rows) in zip(drawn.figure.axes, groups, strict=True):
        if letter == "A":
            x, y = values["first"][task], values["second"][task]
        else:
            x, y = values["shape"]["cumulative_depth"], values["train"][task]
        assert same_points(ax.collections[0].get_offsets(), np.column_stack([x, y]))
        assert same_points(rows[["x", "y"]].to_numpy(), np.column_stack([x, y]))
        rho = f"{spearman(x, y, **BOOTSTRAP).rho:.2f}".replace("-", "−")
        assert ax.get_title(loc="left").startswith(f"ρ = {rho} [")


@pytest.mark.parametrize(("both", "deep", "letters"), [((), ("lines",), "B"), (("photos",), (), "A")])
def test_one_block_may_be_empty(both, deep, letters):
    drawn = draw_other(8, both, deep)
    assert "".join(drawn.data["panel"].unique()) == letters
    assert len(drawn.figure.axes) == 1
    assert [f"({letter})" in drawn.caption for letter in "AB"] == [letter in letters for letter in "AB"]


def test_other_errors_that_cannot_be_drawn_are_a_problem():
    with pytest.raises(Problem, match="lines has no top-5 error"):
        draw_other(8, both=("photos", "lines"))
    with pytest.raises(Problem, match="names no task"):
        draw_other(8, both=(), deep=())
    with pytest.raises(Problem, match="has no model a000"):
        draw_other(8, shape=other_errors(8)["shape"].iloc[1:])


def test_a_column_is_read_without_the_diverged(tmp_path):
    rows = [row("a000", 1, 10.0, train_top1_error=4.0), row("a001", 1, None, train_top1_error=9.0)]
    for name in ("lines", "woods"):
        written(tmp_path / f"{name}.csv", *rows)
    read = read_column([tmp_path / "lines.csv", tmp_path / "woods.csv"], "train_top1_error")
    assert list(read.columns) == ["lines", "woods"]
    assert read.loc["a000"].tolist() == [4.0, 4.0]
    assert read.loc["a001"].isna().all()
