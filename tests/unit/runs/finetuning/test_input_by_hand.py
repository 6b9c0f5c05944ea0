"""How large the pictures of a pretrained network are, and when they are said to be far too small."""

import logging
from types import SimpleNamespace

import pytest

from apr.basics.problems import Problem
from apr.runs.finetuning.networks import input_of

SHADES = {"mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6)}
MANIFEST = {"mean": [0.7], "sd": [0.8]}


def told(caplog, resolution=None, eval_resize=None, weights="w", **keys):
    protocol = {"resolution": resolution, "eval_resize": eval_resize, "normalisation": "weights"} | keys
    pretrained = SimpleNamespace(sizes=(200, 225), preprocessing=SHADES, weights=weights, source="w.pt")
    caplog.clear()
    with caplog.at_level(logging.INFO):
        found = input_of(protocol, pretrained, MANIFEST)
    return (found["resolution"], found["eval_resize"]), caplog.messages, (found["mean"], found["sd"])


@pytest.mark.parametrize(
    ("given", "sizes"),
    [
        ({}, (200, 225)),
        ({"resolution": 100}, (100, 112)),  # 112.5, to even
        ({"resolution": 101}, (101, 114)),
        ({"eval_resize": 200}, (200, 200)),
        ({"resolution": 160, "eval_resize": 300}, (160, 300)),
    ],
)
def test_sizes_are_those_given_or_of_the_weights_or_in_their_proportion(caplog, given, sizes):
    assert told(caplog, **given) == (sizes, [], ([0.1, 0.2, 0.3], [0.4, 0.5, 0.6]))


def test_pictures_below_half_the_size_of_the_weights_are_said(caplog):
    text = (
        "pictures of 99 px are far below the 200 px that these weights were made for, so that the model may lose more "
        "than others; resolution: null takes each model's own"
    )
    assert told(caplog, 99)[:2] == ((99, 111), [text])
    assert told(caplog, 99, weights=None)[1] == told(caplog, 100)[1] == []


def test_a_picture_in_a_frame_is_refused(caplog):
    with pytest.raises(Problem) as found:
        told(caplog, 160, 159)
    assert str(found.value) == (
        "eval_resize 159 is less than the 160 px of w.pt: an evaluation would show the picture in a black frame; set "
        "eval_resize: null, or 160 or more, or a smaller resolution"
    )


def test_pictures_are_normalised_as_the_weights_imagenet_or_the_data(caplog):
    assert told(caplog, normalisation="data")[2] == ([0.7], [0.8])
    mean, sd = told(caplog, normalisation="imagenet")[2]
    assert (list(mean), list(sd)) == ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
