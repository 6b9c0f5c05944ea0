"""The published predictions: what they are, and what is said where a folder of them is broken."""

import json
import zipfile

import numpy as np
import pytest
import yaml
from data_helpers import real
from published import REGISTRY, published_scores

from apr.basics.problems import Problem
from apr.scores.predictions import import_predictions


def published_folder(folder, name, test_set):
    """One test set's files of a published source, as a folder of one's own, and the shipped entry of the registry."""
    source = yaml.safe_load(REGISTRY.read_text(encoding="utf-8"))[name]
    declared = source["sets"][test_set]
    files = [path for path in (declared["labels"], source.get("class_ids")) if path]
    wanted = [f"/{path}" for path in (declared["predictions"] + "/", *files)]
    (archive,) = real(source["files"][0]["name"])
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder, [one for one in file.namelist() if any(part in one for part in wanted)])
    (top,) = folder.iterdir()
    return top, source | {"sets": {test_set: declared}}


def test_what_is_wrong_with_a_folder_of_published_cifar_predictions_is_named(tmp_path):
    root, entry = published_folder(tmp_path, "cifar10.1_predictions", "cifar10.1_v6")
    assert entry["sets"]["cifar10.1_v6"]["digest_of_files"]
    assert len(import_predictions(root, entry, dict.fromkeys(entry["sets"], "top1_accuracy"))["cifar10.1_v6"]) == 30
    path = min((root / "model_predictions/v6_predictions").iterdir())
    whole = json.loads(path.read_text())
    for values, message in (
        (whole[:-1], f"{path.name}: has predictions for 1,999 images, its test set 2,000"),
        ([*whole[:7], 10, *whole[8:]], f"{path.name}: image 8: class id 10 is not one of 0 to 9"),
        (
            sorted(whole),
            "the 31 files that cifar10.1_v6 is read from are not the declared ones .30 of pred",
        ),
    ):
        path.write_text(json.dumps(values))
        with pytest.raises(Problem, match=message) as problem:
            import_predictions(root, entry, dict.fromkeys(entry["sets"], "top1_accuracy"))
        assert "put the published file back into a `folder` of yours" in str(problem.value)
    path.write_text("[1,")
    with pytest.raises(Problem, match=r"is not JSON .*put the published file back"):
        import_predictions(root, entry, dict.fromkeys(entry["sets"], "top1_accuracy"))


def test_what_is_wrong_with_a_folder_of_published_imagenetv2_predictions_is_named(tmp_path):
    root, entry = published_folder(tmp_path, "imagenetv2_predictions", "imagenetv2_matched_frequency")
    path = root / "data/predictions/imagenetv2-b-33/alexnet.npy"
    whole = np.load(path)
    for values, message in (
        (whole[:-1], "alexnet.npy: has predictions for 9,999 images, its test set 10,000"),
        (np.where(whole == whole[0, 0], 1000, whole), "alexnet.npy: image 1: class id 1000 is not one of 0 to 999"),
        (whole[:, [0, 1, 2, 3, 3]], "alexnet.npy: image 1: class id [0-9]+ appears twice"),
    ):
        np.save(path, values)
        with pytest.raises(Problem, match=message):
            import_predictions(root, entry, dict.fromkeys(entry["sets"], "top1_accuracy"))
    np.save(path, whole)
    images = root / "data/datasets/imagenetv2-b-33.json"
    content = json.loads(images.read_text())
    content["image_filenames"][5] = content["image_filenames"][4]
    images.write_text(json.dumps(content))
    with pytest.raises(Problem, match=r"imagenetv2-b-33.json: image '.*' appears twice"):
        import_predictions(root, entry, dict.fromkeys(entry["sets"], "top1_accuracy"))


def test_the_registry_pins_what_is_read():
    registry = yaml.safe_load(REGISTRY.read_text(encoding="utf-8"))
    for name, entry in registry.items():
        for file in entry["files"]:
            assert len(next(part for part in file["url"].split("/") if len(part) == 40)) == 40, "a commit"
        for declared in entry.get("sets", {}).values():
            if "measured" in declared:
                assert {len(file["sha256"]) for file in entry["files"]} == {64}, name
                continue
            assert len(declared["digest_of_files"]) == 64, name
            if "labels" not in declared:
                assert declared["labels_from"] in registry
                assert len(declared["label_values"]) == 64


def test_the_published_sets_are_whole():
    published = published_scores()
    assert {name: (len(table), table["n"].iloc[0]) for name, table in published.items()} == {
        "imagenet_val": (67, 50_000),
        "imagenetv2_matched_frequency": (67, 10_000),
        "imagenetv2_threshold_0.7": (67, 10_000),
        "imagenetv2_top_images": (67, 10_000),
        "cifar10": (30, 10_000),
        "cifar10.1_v4": (30, 2_021),
        "cifar10.1_v6": (30, 2_000),
    }
    for tables in (list(published.values())[:4], list(published.values())[4:]):
        assert all(table.index.equals(tables[0].index) for table in tables)
    assert published["cifar10.1_v4"]["correct_top5"].isna().all()


def test_the_reversed_model_lies_between_its_neighbours_on_every_set():
    published = published_scores()
    for name in list(published)[:4]:
        top1 = published[name]["correct_top1"]
        assert top1["fv_4k"] < top1["fv_16k"] < top1["fv_64k"], name
