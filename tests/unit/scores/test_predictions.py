import copy
import json
import logging
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from published import frame

from apr.basics.problems import Problem
from apr.scores.frames import read_models
from apr.scores.predictions import count_correct, files_digest, import_predictions, values_digest
from apr.scores.table import write_scores

TOP = "Repository-0123abc"
CLASSES = 12
IDS = {f"n{900 - i:04}": (5 * i + 3) % CLASSES for i in range(CLASSES)}  # neither in the order of names nor of the list
METRIC = "top1_accuracy"
SOURCE = {
    "classes": CLASSES,
    "class_ids": "class_info.json",
    "renamed": {"fisher_model": "fisher"},
    "sets": {
        "old": {"predictions": "predictions/old", "labels": "old.json"},
        "new": {"predictions": "predictions/new", "labels": "new.json"},
    },
}
N = {"old": 60, "new": 40}


def image_list(n, seed):
    """Images, not in the order of their names, and their classes."""
    names = np.random.default_rng(seed).choice(list(IDS), n)
    return [[f"{(7 * i) % n:05}.JPEG", str(name)] for i, name in enumerate(names)]


def top_five(labels, right_at, seed=0):
    """Predictions [n, 5] whose column right_at[i] has the label of image i, and none where it is 5."""
    random = np.random.default_rng(seed)
    rows = np.array([random.permutation([c for c in range(CLASSES) if c != label])[:5] for label in labels])
    for row, (label, column) in enumerate(zip(labels, right_at, strict=True)):
        if column < 5:
            rows[row, column] = label
    return rows


def made(root, models=("alpha", "beta"), right=(30, 10)):
    """A source: the first images of each set are right at rank 1, the next ones at rank 3."""
    top = root / TOP
    for name, n in N.items():
        images = image_list(n, seed=n)
        (top / "predictions" / name).mkdir(parents=True)
        (top / f"{name}.json").write_text(json.dumps({"seed": 1, "image_filenames": images}))
        labels = [IDS[label] for _, label in images]
        for model in models:
            right_at = [0] * right[0] + [2] * right[1] + [5] * (n - sum(right))
            np.save(top / "predictions" / name / f"{model}.npy", top_five(labels, right_at))
    (top / "class_info.json").write_text(json.dumps([{"wnid": w, "cid": c} for w, c in IDS.items()]))
    return root


def labels_of(root, name):
    rows = json.loads((root / TOP / f"{name}.json").read_text())["image_filenames"]
    return np.array([IDS[label] for _, label in rows])


def file_of(root, name="new", model="alpha", suffix="npy"):
    return root / TOP / "predictions" / name / f"{model}.{suffix}"


def source(**changes):
    """The source with changes of its test set `new`."""
    changed = copy.deepcopy(SOURCE)
    changed["sets"]["new"] |= changes
    return changed


def imported(root, entry, labels=None):
    """The score tables as data frames."""
    return {name: frame(rows) for name, rows in import_predictions(root, entry, METRIC, labels).items()}


def refused(root, message, entry=SOURCE, labels=None):
    with pytest.raises(Problem, match=message):
        imported(root, entry, labels)


def test_counts_per_model_and_set(tmp_path):
    tables = import_predictions(made(tmp_path, models=("beta", "alpha")), SOURCE, METRIC)
    assert list(tables) == ["old", "new"]
    write_scores(tmp_path / "new.csv", tables["new"])
    table = read_models(tmp_path / "new.csv")
    assert table.index.tolist() == ["alpha", "beta"]
    assert table.loc["alpha", ["n", "correct_top1", "correct_top5"]].tolist() == [40, 30, 40]
    assert table.loc["alpha", ["value", "metric", "test_top5_error"]].tolist() == [75, METRIC, 0]
    assert table["seed"].isna().all()
    assert [row["correct_top5"] for row in tables["old"]] == [40, 40]


def test_the_repository_itself_serves_as_well_as_an_unpacked_archive(tmp_path):
    made(tmp_path)
    inside, outside = (imported(folder, SOURCE)["old"] for folder in (tmp_path / TOP, tmp_path))
    assert inside.equals(outside)
    refused(tmp_path / "nowhere", "nowhere: there is no predictions/old in it")


def test_lists_of_first_choices_have_no_top_five(tmp_path):
    root = made(tmp_path)
    entry = copy.deepcopy(SOURCE) | {"name_ends": "_predictions"}
    for name in N:
        file_of(root, name, "beta").unlink()
        file_of(root, name).unlink()
        choices = labels_of(root, name)
        choices[:4] = (choices[:4] + 1) % CLASSES
        file_of(root, name, "gamma_predictions", "json").write_text(json.dumps(choices.tolist()))
    table = imported(root, entry)["new"]
    assert table[["model", "correct_top1"]].to_numpy().tolist() == [["gamma", 36]]
    assert table[["correct_top5", "test_top5_error"]].isna().all(axis=None)


def test_labels_may_come_as_an_array_and_from_another_source(tmp_path):
    root = made(tmp_path)
    expected = imported(root, SOURCE)["new"]
    labels = labels_of(root, "new")
    np.save(root / TOP / "labels.npy", labels.astype(np.uint8))
    assert imported(root, source(labels="labels.npy"))["new"].equals(expected)
    entry = source(labels_from="elsewhere", label_values=values_digest(labels))
    del entry["sets"]["new"]["labels"]
    for kind in (np.int64, np.uint16):
        np.save(tmp_path / "other.npy", labels.astype(kind))
        assert imported(root, entry, tmp_path / "other.npy")["new"].equals(expected)
    refused(root, "new: has no labels: give the file of elsewhere", entry)
    np.save(tmp_path / "other.npy", labels[::-1])
    refused(root, "other.npy: the digest of its labels is", entry, tmp_path / "other.npy")


def test_renamed_files_are_one_model(tmp_path):
    root = made(tmp_path)
    file_of(root, "old", "beta").rename(file_of(root, "old", "fisher"))
    file_of(root, "new", "beta").rename(file_of(root, "new", "fisher_model"))
    tables = imported(root, SOURCE)
    assert [table["model"].tolist() for table in tables.values()] == [["alpha", "fisher"]] * 2
    np.save(file_of(root, "new", "fisher"), np.load(file_of(root, "new", "fisher_model")))
    refused(root, "fisher_model.npy: is a second file of model fisher on new")


def test_reversed_columns_are_declared_and_found(tmp_path):
    root = made(tmp_path)
    expected = imported(root, SOURCE)["new"]
    np.save(file_of(root), np.load(file_of(root))[:, ::-1])
    refused(root, "alpha.npy: its columns are not in descending order.*right on 30 images.*name it under `ascending`")
    assert imported(root, source(ascending=["alpha"]))["new"].equals(expected)
    refused(root, "beta.npy: its columns are not in ascending order.*take it out", source(ascending=["alpha", "beta"]))
    refused(root, "new: ascending: there is no model gamma", source(ascending=["alpha", "gamma"]))


def test_a_model_that_guesses_is_not_taken_for_reversed():
    random = np.random.default_rng(0)
    for _ in range(50):
        first, _ = count_correct(
            random.integers(1000, size=(10_000, 5)), random.integers(1000, size=10_000), False, "x"
        )
        assert first < 40


def test_a_model_absent_from_a_set_is_left_out_there_with_a_warning(tmp_path, caplog):
    root = made(tmp_path)
    file_of(root, model="beta").unlink()
    with caplog.at_level(logging.WARNING, logger="apr"):
        tables = imported(root, SOURCE)
    assert [table["model"].tolist() for table in tables.values()] == [["alpha", "beta"], ["alpha"]]
    assert "model beta: no predictions on new" in caplog.text
    file_of(root, "old", "alpha").unlink()
    refused(root, "no model has predictions on all of old, new: new shares none with old .alpha there, beta on old.")


def test_the_test_set_that_shares_no_model_is_named_with_two_names_that_differ(tmp_path):
    root = made(tmp_path, models=("alpha_1", "beta_1"))
    entry = copy.deepcopy(SOURCE)
    entry["sets"]["again"] = entry["sets"]["new"]
    entry["sets"]["third"] = entry["sets"]["new"] | {"predictions": "predictions/third"}
    shutil.copytree(root / TOP / "predictions" / "new", root / TOP / "predictions" / "third")
    for model in ("alpha", "beta"):
        file_of(root, "third", f"{model}_1").rename(file_of(root, "third", f"{model}_2"))
    refused(root, "third shares none with old, new, again .alpha_2 there, alpha_1 on old.; if two names are one", entry)
    file_of(root, "third", "alpha_2").rename(file_of(root, "third", "alpha_1"))
    file_of(root, "old", "alpha_1").unlink()
    file_of(root, "third", "beta_2").unlink()
    refused(root, "third shares none with old .alpha_1 there, beta_1 on old", entry)


def test_a_file_without_five_choices_is_named_once_it_is_the_exception(tmp_path, caplog):
    root = made(tmp_path)
    np.save(file_of(root), np.load(file_of(root))[:, :3])
    with caplog.at_level(logging.INFO, logger="apr"):
        table = imported(root, SOURCE)["new"].set_index("model")
    assert table["correct_top5"].isna().to_dict() == {"alpha": True, "beta": False}
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert f"{file_of(root)}: holds [40, 3], not [images, 5], so that the top-5 error of model alpha" in caplog.text
    caplog.clear()
    np.save(file_of(root, model="beta"), np.load(file_of(root, model="beta"))[:, 0])
    with caplog.at_level(logging.INFO, logger="apr"):
        imported(root, SOURCE)
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert "new: no file has 5 choices an image" in caplog.text


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


def test_what_is_read_is_what_was_declared_whatever_else_the_archive_holds(tmp_path):
    root = made(tmp_path)
    paths = ["new.json", "class_info.json", "predictions/new/alpha.npy", "predictions/new/beta.npy"]
    entry = source(digest_of_files=files_digest(root / TOP, paths))
    (root / TOP / "predictions" / "new" / "notes.txt").write_text("not read")
    assert len(imported(root, entry)["new"]) == 2
    values = np.load(file_of(root))
    values[0, 4] = (values[0, 4] + 1) % CLASSES
    np.save(file_of(root), values)
    refused(root, "predictions/new: the 4 files that new is read from are not the declared ones", entry)
    file_of(root).unlink()
    refused(root, r"predictions/new: the 3 files that new .* \(1 of predictions, new.json, class_info.json\)", entry)
