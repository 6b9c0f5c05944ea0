import numpy as np
import pytest
from data_helpers import refused_as
from golden import checked

from apr.basics.problems import Problem
from apr.data.packed import INDEX
from apr.data.splits import (
    folds_as_released,
    rows_as_released,
    split_by_group,
    split_by_image,
    strata,
    validation_by_group,
    validation_by_image,
)
from apr.data.views import select_view, view_indices

TRAIN = {"ant": 40, "bee": 25, "cow": 12, "dog": 9, "eel": 5}
TEST = {"ant": 8, "bee": 7, "cow": 3, "dog": 2, "eel": 1}
WHOLE = {"classes": None, "per_class": None, "cap": None, "seed": 0, "within": None}


@pytest.fixture
def dataset():
    return {
        "name": "zoo",
        "classes": list(TRAIN),
        "mean": [0.1, 0.2, 0.3],
        "sd": [0.4, 0.5, 0.6],
        "bin_sha256": "b" * 64,
        "index_sha256": "i" * 64,
    }


@pytest.fixture
def index():
    rows = [
        (code, split)
        for split, part in enumerate((TRAIN, TEST))
        for code, n in enumerate(part.values())
        for _ in range(n)
    ]
    index = np.zeros(len(rows), INDEX)
    index["label"], index["split"] = np.array(rows).T
    return index


def draw(dataset, index, parent=None, **definition):
    manifest = select_view("v", WHOLE | definition, dataset, index, parent)
    return manifest, view_indices(manifest, index)


def test_everything(dataset, index):
    manifest, arrays = draw(dataset, index)
    assert len(manifest.pop("indices_digest")) == 64
    assert manifest == {
        "view": "v",
        "dataset": "zoo",
        "dataset_digest": "b" * 64,
        "index_digest": "i" * 64,
        "selection": WHOLE,
        "classes": ["ant", "bee", "cow", "dog", "eel"],
        "codes": [0, 1, 2, 3, 4],
        "n_train": 91,
        "n_test": 21,
        "per_class": {"train": [40, 25, 12, 9, 5], "test": [8, 7, 3, 2, 1]},
        "mean": [0.1, 0.2, 0.3],
        "sd": [0.4, 0.5, 0.6],
    }
    np.testing.assert_array_equal(arrays["train"], np.arange(91))
    np.testing.assert_array_equal(arrays["test_labels"], index["label"][91:])
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.int64)}


def test_drawn_classes(dataset, index):
    manifest, arrays = draw(dataset, index, classes=3)
    chosen = manifest["classes"]
    assert len(chosen) == 3
    assert chosen == [label for label in dataset["classes"] if label in chosen]
    for split in ("train", "test"):
        named = [dataset["classes"][label] for label in index["label"][arrays[split]]]
        assert named == [chosen[label] for label in arrays[f"{split}_labels"]]
        assert set(index["split"][arrays[split]]) == {0 if split == "train" else 1}
    again, same = draw(dataset, index, classes=3)
    assert again == manifest
    assert all(np.array_equal(same[key], arrays[key]) for key in arrays)
    assert len({tuple(draw(dataset, index, classes=3, seed=seed)[0]["classes"]) for seed in range(20)}) > 3


def test_named_classes(dataset, index):
    manifest, arrays = draw(dataset, index, classes=["dog", "ant"])
    assert manifest["classes"] == ["ant", "dog"]
    assert np.bincount(arrays["train_labels"]).tolist() == [40, 9]
    with refused_as(
        "view 'v': classes: dataset 'zoo' has no 'dogs' (did you mean dog?); no 'xylophone' (it has ant, bee, cow, "
        "dog, eel, ...)"
    ):
        draw(dataset, index, classes=["dogs", "ant", "xylophone"])
    for too_few in (["ant", "ant"], ["ant", "ant", "bee"], ["ant"]):
        with refused_as("view 'v': classes: name at least two, each once"):
            draw(dataset, index, classes=too_few)


@pytest.mark.parametrize("wanted", [6, 1, 0])
def test_wrong_numbers_of_classes(dataset, index, wanted):
    with pytest.raises(Problem, match=f"view 'v': classes: {wanted}: dataset 'zoo' has 5; ask for 2 to 5"):
        draw(dataset, index, classes=wanted)


def test_nested_draws(dataset, index):
    parent = select_view("big", WHOLE | {"classes": 4}, dataset, index)
    for seed in range(10):
        child, _ = draw(dataset, index, parent, classes=2, seed=seed, within="big")
        assert set(child["classes"]) < set(parent["classes"])
    with pytest.raises(Problem, match="view 'big' has 4; ask for 2 to 4"):
        draw(dataset, index, parent, classes=5, within="big")
    with refused_as(
        "view 'v': within 'big', which is a view of 'farm', not of 'zoo'; draw within a view of the same dataset"
    ):
        draw(dataset, index, parent | {"dataset": "farm"}, classes=2, within="big")


def test_independent_draws_are_not_nested(dataset, index):
    nested = [
        set(draw(dataset, index, classes=2, seed=seed)[0]["classes"])
        < set(draw(dataset, index, classes=3, seed=seed)[0]["classes"])
        for seed in range(20)
    ]
    assert not all(nested)


def test_images_per_class_touch_train_alone(dataset, index):
    manifest, arrays = draw(dataset, index, per_class=5)
    assert manifest["per_class"] == {"train": [5] * 5, "test": list(TEST.values())}
    assert not np.array_equal(arrays["train"], draw(dataset, index, per_class=5, seed=1)[1]["train"])
    with refused_as("view 'v': per_class: 6: class 'eel' has 5 training images; ask for fewer"):
        draw(dataset, index, per_class=6)


def test_cap(dataset, index):
    manifest, arrays = draw(dataset, index, cap="second_largest")
    assert manifest["per_class"] == {"train": [25, 25, 12, 9, 5], "test": [7, 7, 3, 2, 1]}
    assert len(set(arrays["train"].tolist())) == 76
    assert draw(dataset, index, cap=10)[0]["per_class"] == {"train": [10, 10, 10, 9, 5], "test": [8, 7, 3, 2, 1]}
    assert draw(dataset, index, cap=1)[0]["per_class"] == {"train": [1] * 5, "test": [1] * 5}
    with refused_as("view 'v': cap: 0: has to be at least 1, or second_largest"):
        draw(dataset, index, cap=0)


def test_the_cap_of_a_validation_part_of_one_class_is_one(dataset, index):
    index["split"][:3] = 2  # of ants alone
    manifest = draw(dataset, index, cap="second_largest")[0]
    assert manifest["per_class"]["validation"] == [1, 0, 0, 0, 0]


def test_indices_of_other_images_are_refused(dataset, index):
    manifest, _ = draw(dataset, index, per_class=5)
    index["split"][0] = 1
    with refused_as(
        "results/views/v.json: was drawn from other images than those of data/packed/zoo, or by another version; "
        "delete it to draw it again"
    ):
        view_indices(manifest, index)


def test_train_and_test_are_capped_by_draws_of_their_own():
    one = np.zeros(80, INDEX)
    one["label"], one["split"] = np.tile(np.repeat([0, 1], 20), 2), np.repeat([0, 1], 40)
    manifest = {"name": "two", "classes": ["a", "b"], "mean": [0], "sd": [1], "bin_sha256": "", "index_sha256": ""}
    arrays = draw(manifest, one, cap=8)[1]
    assert not np.array_equal(arrays["train"], arrays["test"] - 40)


def drawn_parts():
    """Rows of test and validation parts of 37 images of three classes, in groups of unequal size."""
    labels = [*"aaaaaaaaaaaaaaaaaaaa", *"bbbbbbbbbbbb", *"ccccc"]
    names = [f"{label}/{(7 * row) % 37:02}.png" for row, label in enumerate(labels)]
    groups = [f"{label}{row // (2 + row % 3)}" for row, label in enumerate(labels)]
    for fraction, seed in ((0.1, 0), (0.25, 0), (0.25, 7), (0.9, 1)):
        for name, test, validation in (
            ("image", split_by_image(names, labels, fraction, seed), validation_by_image),
            ("group", split_by_group(labels, groups, fraction, seed), validation_by_group),
        ):
            told = names if name == "image" else groups
            given = (names, labels) if name == "image" else (labels, groups)
            held = validation(*given, test, min(fraction, 0.3), seed) if fraction < 0.9 else np.zeros(37, bool)
            yield f"by {name}, {fraction}, seed {seed}: test {np.flatnonzero(test).tolist()}"
            yield f"    validation {np.flatnonzero(held).tolist()}, the first of {told[0]}"
    yield f"as released: {rows_as_released(labels, 'cab', 0.3, 5)}"
    folds = [("one" if row % 2 else "two", row % 9) for row in range(37)]
    yield f"folds: {np.flatnonzero(folds_as_released(folds, 0.3, 5)).tolist()}"
    yield f"strata: {strata([('a', 'b'), ('b',), ('a',), (), ('c', 'a'), ('c', 'b'), ('d', 'a'), ()])}"


def drawn_views(dataset, index):
    parent = select_view("big", WHOLE | {"classes": 4, "seed": 3}, dataset, index)
    wanted = [{}, {"classes": 3}, {"classes": 3, "seed": 1}, {"per_class": 2}, {"per_class": 2, "seed": 1}]
    wanted += [{"cap": 3}, {"cap": "second_largest", "seed": 2}, {"classes": ["dog", "ant"]}]
    wanted += [{"classes": 2, "within": "big"}, {"classes": 3, "per_class": 4, "seed": 9}, {"classes": 4, "cap": 6}]
    for definition in wanted:
        manifest, arrays = draw(dataset, index, parent if "within" in definition else None, **definition)
        train = arrays["train"].tolist()
        yield f"{definition}: {manifest['classes']} {manifest['codes']} {manifest['per_class']}"
        yield f"    {train[:6]} {train[-3:]} {arrays['train_labels'][-3:].tolist()} {arrays['test'].tolist()[:9]}"
        yield f"    {manifest['indices_digest']}"


def test_draws_are_what_they_were(dataset, index):
    """Who has finished runs has trained on these images: another draw would be another task under the same name."""
    checked("draws", "\n".join([*drawn_parts(), *drawn_views(dataset, index)]) + "\n")
