"""The tables that describe a study."""

import pandas as pd
import pytest

from apr.basics.problems import Problem
from apr.comparisons.descriptions import dataset_table, items_table, reference_table, settings_table
from apr.comparisons.table import save_table

SHIPPED = {"rule": "shipped"}
DRAWN = {"rule": "drawn", "test_fraction": 0.1, "seed": 0, "by": "image"}


def sides(height, width):
    """Sizes as a manifest has them: (smallest, median, largest) of height and width."""
    keys = ("min", "median", "max")
    distinct = 1 if len({*height}) == len({*width}) == 1 else 7
    return {"height": dict(zip(keys, height, strict=True)), "width": dict(zip(keys, width, strict=True))} | {
        "distinct": distinct
    }


def manifest(train, test, classes, sizes, split=SHIPPED):
    return {"n_train": train, "n_test": test, "classes": list(range(classes)), "sizes": sizes, "split": split}


MANIFESTS = {
    "digits": manifest(50_000, 10_000, 10, sides((32, 32.0, 32), (32, 32.0, 32))),
    "skin": manifest(9_014, 1_001, 7, sides((450, 450.0, 450), (500, 600.0, 612)), DRAWN),
}
ENTRIES = {
    "skin": {"title": "Skin", "domain": "medicine", "licence": "CC BY", "home": "https://example.org"},
    "digits": {"title": None, "domain": None, "licence": None, "home": None},
}


def test_datasets_stand_in_the_order_of_the_study_with_their_counts():
    table = dataset_table(MANIFESTS, ENTRIES)
    assert table.shown.iloc[0].tolist() == [
        *("Skin", "9,014 + 1,001", "7", "median 450 × 600 (450 × 500–612)", "medicine", "CC BY", "https://example.org"),
        "–",
    ]
    assert table.shown.iloc[1].tolist() == [
        *("digits", "50,000 + 10,000", "10", "32 × 32", "not stated", "not stated", "not stated"),
        "–",
    ]
    row = table.data.set_index("dataset").loc["skin"]
    assert (row["n_train"], row["n_test"], row["classes"], row["width_max"], row["split_by"]) == (
        *(9014, 1001, 7, 612, "image"),
    )


def test_validation_parts_are_counted_where_there_are_any():
    split = DRAWN | {"validation_fraction": 0.1}
    table = dataset_table(MANIFESTS | {"skin": MANIFESTS["skin"] | {"n_validation": 800, "split": split}}, ENTRIES)
    assert table.shown["Images (train + validation + test)"].tolist() == ["9,014 + 800 + 1,001", "50,000 + 0 + 10,000"]
    assert "59,014 training, 800 validation and 11,001 test images" in table.caption
    assert "The validation part of Skin was cut out of train, with a seed." in table.caption
    assert "n_validation" not in dataset_table(MANIFESTS, ENTRIES).data


def test_the_caption_says_whose_test_part_was_drawn():
    caption = dataset_table(MANIFESTS, ENTRIES).caption
    assert "59,014 training and 11,001 test images" in caption
    assert "no test part of Skin;" in caption
    shipped = dataset_table({"digits": MANIFESTS["digits"]}, {"digits": ENTRIES["digits"]})
    assert "All publishers ship the test part" in shipped.caption


def test_a_dataset_without_a_manifest_is_named():
    with pytest.raises(Problem, match=r"results/datasets/skin\.json"):
        dataset_table({"digits": MANIFESTS["digits"]}, ENTRIES)


def settings(title, **changes):
    row = {"title": title, "dataset": "ImageNet", "epochs": 10, "batch": 128, "lr": 0.05, "weight_decay": 5e-5}
    return row | {"resolution": 224, "metric": "top5_error"} | changes


def test_settings_are_those_of_the_rows():
    table = settings_table([settings("ImageNet"), settings("Cifar10", epochs=30, metric="top1_error", task="cifar10")])
    assert table.shown.iloc[1].tolist() == ["Cifar10", "ImageNet", 30, 128, "0.05", "5e-05", 224, "top-1 error"]
    assert table.shown.iloc[0]["Metric"] == "top-5 error"
    assert table.data["task"].iloc[1] == "cifar10"
    assert "2 tasks" in table.caption
    assert "not values taken from the paper" in table.caption


def network(name, **changes):
    shape = {"block": "basic", "depths": [9, 9, 9], "widths": [16, 32, 64], "params": 855_770, "flops": 126_561_000}
    return {"name": name, "title": name.title(), **shape, **changes}


def errors(**rows):
    return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "status"]).assign(metric="top1_error")


def test_references_show_their_error_or_why_there_is_none():
    networks = [network("one"), network("two"), network("three")]
    table = reference_table(errors(one=(5.914, "completed"), two=(float("nan"), "diverged")), networks, "Cifar10")
    assert table.shown.iloc[0].tolist() == ["One", "basic", "9, 9, 9", "16, 32, 64", "0.86", "126.6", "5.91"]
    assert table.shown["Top-1 error (%)"].tolist() == ["5.91", "diverged", "not trained"]
    assert table.data["top1_error"].isna().tolist() == [False, True, True]
    assert "1 of 3 completed" in table.caption


def test_an_undescribed_or_doubled_network_is_named():
    two = errors(two=(1.0, "completed"))
    with pytest.raises(Problem, match="two was trained, but is not described"):
        reference_table(two, [network("one")], "Cifar10")
    with pytest.raises(Problem, match="two scores of the network two"):
        reference_table(pd.concat([two, two]), [network("two")], "Cifar10")


def test_items_say_what_is_lacking():
    made = {"item": "Figure 3", "target": "fig_a", "shows": "Errors", "lacks": None}
    lacking = {"item": "Figure A6", "target": "fig_b", "shows": "More errors", "lacks": "a task from other weights"}
    table = items_table([made, lacking])
    assert table.shown["Made"].tolist() == ["yes", "no: the study lacks a task from other weights"]
    assert table.data["made"].tolist() == [True, False]
    assert "makes 1 of 2; for the others" in table.caption
    assert items_table([made]).caption.endswith("makes 1 of 1.")


def test_the_tables_are_written(tmp_path):
    paths = {kind: tmp_path / f"t.{kind}" for kind in ("csv", "md", "caption")}
    save_table(dataset_table(MANIFESTS, ENTRIES), **paths)
    assert "median 450 × 600" in paths["md"].read_text()
    assert pd.read_csv(paths["csv"])["n_train"].sum() == 59_014
