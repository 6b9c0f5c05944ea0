import copy
import json
import logging
import shutil

import numpy as np
from made_predictions import (
    CLASSES,
    METRIC,
    SOURCE,
    TOP,
    N,
    file_of,
    imported,
    labels_of,
    made,
    refused,
    source,
)

from apr.scores.frames import read_models
from apr.scores.predictions import count_correct, files_digest, import_predictions, values_digest
from apr.scores.table import write_scores


def test_counts_per_model_and_set(tmp_path):
    tables = import_predictions(made(tmp_path, models=("beta", "alpha")), SOURCE, dict.fromkeys(SOURCE["sets"], METRIC))
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
