"""Class ids of predictions at the ends of their range."""

from pathlib import Path

import numpy as np
import pytest

from apr.basics.problems import Problem
from apr.scores.prediction_files import _check_once, _check_range

FILE = Path("p.npy")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([[0, 4], [4, 0]], None),
        ([[0, 1], [0, 5]], "image 2: class id 5 is not one of 0 to 4"),
        ([[-1, 1], [0, 9]], "image 1: class id -1 is not one of 0 to 4"),
        ([[0, 1], [7, -2]], "image 2: class id 7 is not one of 0 to 4"),
    ],
)
def test_class_ids_are_of_a_class(rows, words):
    if words is None:
        _check_range(FILE, np.array(rows), 5)
    else:
        with pytest.raises(Problem, match=words):
            _check_range(FILE, np.array(rows), 5)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([[0, 1, 2], [2, 1, 0]], None),
        ([[0, 1, 2], [2, 1, 2]], "image 2: class id 2 appears twice among its choices"),
        ([[3, 3, 1], [2, 1, 2]], "image 1: class id 3 appears twice"),
    ],
)
def test_an_image_has_each_choice_once(rows, words):
    if words is None:
        _check_once(FILE, np.array(rows))
    else:
        with pytest.raises(Problem, match=words):
            _check_once(FILE, np.array(rows))
