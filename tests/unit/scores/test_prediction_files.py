"""Files of published predictions that cannot be what they say they are."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from made_predictions import CLASSES, SOURCE, TOP, file_of, made, refused, source


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a[:-1], "alpha.npy: has predictions for 39 images, its test set 40"),
        (lambda a: a[0, 0], r"is an array of shape \(\)"),
        (lambda a: np.where(a == a[6, 4], CLASSES, a), "alpha.npy: image [0-9]+: class id 12 is not one of 0 to 11"),
        (lambda a: a - 20, "image 1: class id -[0-9]+ is not one"),
        (lambda a: np.column_stack([a[:, :4], a[:, 1]]), "image 1: class id [0-9]+ appears twice among its"),
        (lambda a: a.astype(float), "is no array of class ids .holds float64"),
        (lambda a: a[:0], "is no array of class ids .is empty"),
        (lambda a: a[None], r"shape \(1, 40, 5\)"),
    ],
)
def test_predictions_that_cannot_be_are_named(tmp_path, change, message):
    root = made(tmp_path)
    np.save(file_of(root), change(np.load(file_of(root))))
    refused(root, message)


def test_files_that_are_no_arrays_are_named_and_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "sprung",)

    root = made(tmp_path)
    whole = file_of(root).read_bytes()
    for content in (pickle.dumps(Trap()), b"", b"<html>", whole[:-9]):
        file_of(root).write_bytes(content)
        refused(root, "alpha.npy: is no array of class ids")
    np.save(file_of(root), np.array([Trap()] * 40), allow_pickle=True)
    refused(root, "alpha.npy: is no array of class ids")
    assert not (tmp_path / "sprung").exists()
    np.savez(root / "archive.npz", np.zeros((40, 5), int))
    (root / "archive.npz").rename(file_of(root))
    refused(root, "alpha.npy: is no array of class ids .is empty or an archive")
    file_of(root).unlink()
    for text, message in (("[1, [2]]", "is no array"), ('["a"]', "is no array"), ("[", "is not JSON"), ("{}", "is no")):
        file_of(root, suffix="json").write_text(text)
        refused(root, f"alpha.json: {message}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: [rows[0], *rows[:-1]], "new.json: image '00000.JPEG' appears twice"),
        (lambda rows: [*rows[:-1], ["x.JPEG", "n9999"]], "image 'x.JPEG': class 'n9999' is none of the 12 classes"),
        (lambda rows: rows[:-1], "has predictions for 40 images, its test set 39"),
        (lambda rows: [row[0] for row in rows], "has no list image_filenames of pairs"),
        (lambda _: None, "has no list image_filenames"),
    ],
)
def test_image_lists_that_cannot_be_are_named(tmp_path, change, message):
    root = made(tmp_path)
    path = root / TOP / "new.json"
    rows = json.loads(path.read_text())["image_filenames"]
    path.write_text(json.dumps({"image_filenames": change(rows)}))
    refused(root, message)


def test_labels_and_classes_that_cannot_be_are_named(tmp_path):
    root = made(tmp_path)
    np.save(root / TOP / "labels.npy", np.full(40, CLASSES))
    refused(root, "labels.npy: image 1: class id 12 is not one of 0 to 11", source(labels="labels.npy"))
    np.save(root / TOP / "labels.npy", np.zeros((40, 2), int))
    refused(root, r"labels.npy: is an array of shape \(40, 2\), not labels", source(labels="labels.npy"))
    refused(root, "none.npy: no such file", source(labels="none.npy"))
    refused(root, "predictions/none: no such folder", source(predictions="predictions/none"))
    classes = json.loads((root / TOP / "class_info.json").read_text())
    for wrong, message in (
        (classes[1:], "its cid are not the numbers 0 to 11"),
        ([*classes[1:], classes[1] | {"wnid": "n1"}], "its cid are not"),
        ([{"wnid": "n1"}], "is no list of classes"),
    ):
        (root / TOP / "class_info.json").write_text(json.dumps(wrong))
        refused(root, f"class_info.json: {message}")
    (root / TOP / "class_info.json").unlink()
    refused(root, "class_info.json: no such file")
    for path in (root / TOP / "predictions" / "old").iterdir():
        path.unlink()
    refused(root, "old: holds no predictions", SOURCE | {"class_ids": None})
