"""What every figure has to be: saved whole, at a journal's width, with nothing that runs into anything else."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from apr.figures.style import DPI, save_drawing


def save(drawn, folder):
    folder.mkdir(parents=True, exist_ok=True)
    paths = {kind: folder / f"f.{kind}" for kind in ("pdf", "png", "csv")} | {"caption": folder / "f.rst"}
    save_drawing(drawn, **paths)
    return paths


def same_points(drawn, expected):
    return np.allclose(*(np.array(sorted(map(tuple, values))) for values in (drawn, expected)), equal_nan=True)


def check_saved(drawn, folder, expected_width):
    """Width in mm; text in the PDF is text, and the CSV holds the numbers."""
    paths = save(drawn, folder)
    with Image.open(paths["png"]) as image:
        width, height = np.array(image.size) / DPI * 25.4
        assert np.asarray(image.convert("L")).std() > 5
    assert width == pytest.approx(expected_width, abs=0.5)
    assert height < 240
    pdf = paths["pdf"].read_bytes()
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    read = pd.read_csv(paths["csv"], keep_default_na=False, na_values=[""])
    expected = drawn.data.replace("", np.nan)
    pd.testing.assert_frame_equal(read, expected, check_dtype=False, rtol=1e-8)


def check_apart(figure, slack=0):
    """Panels and legends stay apart from each other and within the figure; `slack` pixels may touch."""
    figure.draw_without_rendering()
    boxes = [ax.get_tightbbox() for ax in figure.axes] + [legend.get_window_extent() for legend in figure.legends]
    boxes = [box.padded(-slack) for box in boxes]
    for i, box in enumerate(boxes):
        assert min(box.x0, box.y0) >= 0
        assert max(box.x1 - figure.bbox.x1, box.y1 - figure.bbox.y1) <= 1
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])
