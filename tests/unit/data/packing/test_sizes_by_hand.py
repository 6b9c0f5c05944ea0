"""What a manifest says of the sizes and the brightness of images, worked out by hand."""

import numpy as np

from apr.data.packing import _moments, _sizes


def test_sizes_have_their_median_and_pairs_are_counted():
    index = np.array([(1, 7), (2, 7), (9, 7), (9, 8), (2, 7)], [("height", np.uint16), ("width", np.uint16)])
    assert _sizes(index) == {
        "height": {"min": 1, "median": 2.0, "max": 9},
        "width": {"min": 7, "median": 7.0, "max": 8},
        "distinct": 4,
    }


def test_mean_and_sd_of_each_channel_are_of_all_its_values():
    histogram = np.zeros((2, 256), np.int64)
    histogram[0, [0, 255]] = 3, 1  # mean 1/4, variance (3/16 + 9/16) / 4 = 3/16
    histogram[1, 51] = 5  # a fifth of 255
    assert _moments(histogram) == ([0.25, 0.2], [0.433013, 0.0])
