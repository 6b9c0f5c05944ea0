"""What contradicts itself where a view has a validation part."""

import pytest
from fabricated import edit, study

from apr.basics.files import read_json
from apr.watch.consistency import contradictions, impossible


def validated(manifest):
    manifest["per_class"]["validation"] = [3] * len(manifest["classes"])
    manifest["n_validation"] = 3 * len(manifest["classes"])


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (18, ""),
        (17, "epoch 1: validation has 17 images, its view 18; delete it"),
        (None, "epoch 1: was evaluated on test, train, its view has test, train, validation; delete it"),
    ],
)
def test_a_run_has_the_parts_of_its_view(tmp_path, images, says):
    study(tmp_path)
    run, view = (read_json(tmp_path / f"results/{file}.json") for file in ("runs/digits/a001", "views/digits"))
    validated(view)
    for entry in [*run["history"], run["outcome"]] if images else ():
        entry["parts"]["validation"] = {"n": images, "correct_top1": 5, "correct_top5": 10}
    assert impossible(run, view) == says


def test_a_view_has_the_validation_images_of_its_dataset(tmp_path):
    study(tmp_path)
    dataset, view = (tmp_path / f"results/{folder}/digits.json" for folder in ("datasets", "views"))
    edit(dataset, validated)
    assert "validation: class 'c0' has 0 images, its dataset 3" in contradictions("digits", tmp_path)[0][1]
    edit(view, validated)
    assert contradictions("digits", tmp_path) == []
    edit(view, lambda manifest: manifest.update(n_validation=17))
    assert "validation: 6 counts for 6 classes" in contradictions("digits", tmp_path)[0][1]
