"""ImageNet and Tiny-ImageNet."""

import io

import numpy as np
import pytest
from data_helpers import counts, encoded, make_tar, picture, put, refused_as, tar_bytes
from scipy.io import savemat

from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.formats.imagenet import _synsets

# --- ImageNet


def tiny(root):
    put(root, "train/n01/images/n01_0.JPEG", "train/n02/images/n02_0.JPEG", "test/images/test_0.JPEG")
    put(root, "val/images/val_0.JPEG", "val/images/val_1.JPEG")
    text = "val_0.JPEG\tn02\t0\t0\t9\t9\nval_1.JPEG\tn01\t0\t0\t9\t9\n"
    (root / "val" / "val_annotations.txt").write_text(text)


def test_tiny_imagenet(tmp_path):
    tiny(tmp_path / "tiny-imagenet-200")
    listing = read_listing(tmp_path, "tiny_imagenet")
    assert [(item.name, item.label, item.split) for item in listing.items] == [
        ("train/n01/images/n01_0.JPEG", "n01", "train"),
        ("train/n02/images/n02_0.JPEG", "n02", "train"),
        ("val/images/val_0.JPEG", "n02", "test"),
        ("val/images/val_1.JPEG", "n01", "test"),
    ]
    (tmp_path / "tiny-imagenet-200/val/images/val_1.JPEG").unlink()
    with pytest.raises(Problem, match=r"val_1\.JPEG"):
        read_listing(tmp_path, "tiny_imagenet")


def ilsvrc_parts():
    train = {wnid: [encoded(picture(n)) for n in (i, i + 10)] for i, wnid in enumerate(("n01", "n02"))}
    val = {f"ILSVRC2012_val_0000000{n}.JPEG": encoded(picture(90 + n)) for n in (1, 2)}
    return train, val


def ilsvrc_tars(root):
    train, val = ilsvrc_parts()
    root.mkdir()
    inner = {
        f"{wnid}.tar": tar_bytes({f"{wnid}_{n}.JPEG": data for n, data in enumerate(images)})
        for wnid, images in train.items()
    }
    make_tar(root / "ILSVRC2012_img_train.tar", inner)
    make_tar(root / "ILSVRC2012_img_val.tar", val)
    return root


def labels_csv(root):
    rows = "ImageId,PredictionString\nILSVRC2012_val_00000002,n01 1 2 3 4\nILSVRC2012_val_00000001,n02\n"
    (root / "LOC_val_solution.csv").write_text(rows)


def labels_txt(root):
    put(root, "tables/map_clsloc.txt", data=b"n02 1 kit_fox\nn01 2 English_setter\n")
    put(root, "tables/ILSVRC2012_validation_ground_truth.txt", data=b"1\n2\n")


DEVKIT = "ILSVRC2012_devkit_t12"


def devkit(truth=b"1\n2\n"):
    synsets = np.zeros(2, [("ILSVRC2012_ID", object), ("WNID", object), ("num_children", object)])
    synsets[0], synsets[1] = (1, "n02", 0), (2, "n01", 0)
    buffer = io.BytesIO()
    savemat(buffer, {"synsets": synsets})
    return {
        f"{DEVKIT}/data/meta.mat": buffer.getvalue(),
        f"{DEVKIT}/data/ILSVRC2012_validation_ground_truth.txt": truth,
        f"{DEVKIT}/readme.txt": b"",
    }


def labels_devkit(root):
    make_tar(root / f"{DEVKIT}.tar.gz", devkit(), "w:gz")


def labels_unpacked_devkit(root):
    for name, data in devkit().items():
        put(root, name, data=data)


@pytest.mark.parametrize("labels", [labels_csv, labels_txt, labels_devkit, labels_unpacked_devkit])
def test_ilsvrc_tars_are_read_in_place(tmp_path, labels):
    root = ilsvrc_tars(tmp_path / "raw")
    with pytest.raises(Problem, match="no labels of the val images"):
        read_listing(root, "ilsvrc")
    labels(root)
    listing = read_listing(root, "ilsvrc")
    train, val = ilsvrc_parts()
    assert listing.classes == ["n01", "n02"]
    assert [(item.name, item.label) for item in listing.items[-2:]] == [
        ("val/ILSVRC2012_val_00000001.JPEG", "n02"),
        ("val/ILSVRC2012_val_00000002.JPEG", "n01"),
    ]
    assert [item.source.read() for item in listing.items] == [*train["n01"], *train["n02"], *val.values()]


@pytest.mark.parametrize("named", ["aside/LOC_val_solution.csv", ["aside/LOC_val_solution.csv"]], ids=["one", "list"])
def test_labels_of_val_may_lie_elsewhere(tmp_path, named):
    root = ilsvrc_tars(tmp_path / "raw")
    (root / "aside").mkdir()
    labels_csv(root / "aside")
    listing = read_listing(root, "ilsvrc", {"labels": named})
    assert [item.label for item in listing.items[-2:]] == ["n02", "n01"]
    with pytest.raises(Problem, match=r"aside/other\.csv: the table of labels is missing; correct options: labels$"):
        read_listing(root, "ilsvrc", {"labels": "aside/other.csv"})


@pytest.mark.parametrize("flat", [True, False])
def test_ilsvrc_folders(tmp_path, flat):
    train, val = ilsvrc_parts()
    data = tmp_path / "Data"
    for wnid, images in train.items():
        for number, image in enumerate(images):
            put(data, f"train/{wnid}/{wnid}_{number}.JPEG", data=image)
    for (name, image), wnid in zip(val.items(), ("n02", "n01"), strict=True):
        put(data, f"val/{name}" if flat else f"val/{wnid}/{name}", data=image)
    if flat:
        labels_csv(tmp_path)
    places = {"train": "Data/train", "val": "Data/val", "root": "."}
    listing = read_listing(tmp_path, "ilsvrc", places)
    assert counts(listing) == {("n01", "train"): 2, ("n02", "train"): 2, ("n01", "test"): 1, ("n02", "test"): 1}


def test_ilsvrc_s_validation_images_can_be_read_alone(tmp_path):
    root = ilsvrc_tars(tmp_path / "in")
    labels_csv(root)
    (root / "ILSVRC2012_img_train.tar").unlink()
    listing = read_listing(root, "ilsvrc", {"train": False})
    assert counts(listing) == {("n01", "test"): 1, ("n02", "test"): 1}
    with pytest.raises(Problem, match="train: false to read the validation images alone"):
        read_listing(root, "ilsvrc")


@pytest.mark.parametrize("labels", [labels_csv, labels_devkit])
def test_a_folder_that_holds_nothing_but_val_lacks_labels(tmp_path, labels):
    _, val = ilsvrc_parts()
    for name, image in val.items():
        put(tmp_path / "in" / "one", f"val/{name}", data=image)
    expected = r"in/one: no labels of the val images: put .*devkit_t12.*ground_truth.txt with.*or LOC_val_solution.csv"
    with pytest.raises(Problem, match=expected):
        read_listing(tmp_path / "in", "ilsvrc", {"train": False})
    labels(tmp_path / "in" / "one")
    assert counts(read_listing(tmp_path / "in", "ilsvrc", {"train": False})) == {("n01", "test"): 1, ("n02", "test"): 1}


def test_a_lone_val_of_class_folders_needs_no_labels(tmp_path):
    for wnid in ("n01", "n02"):
        put(tmp_path, f"val/{wnid}/1.JPEG")
    assert counts(read_listing(tmp_path, "ilsvrc", {"train": False})) == {("n01", "test"): 1, ("n02", "test"): 1}
    with pytest.raises(Problem, match=r"holds none of .* val, .*; name the folder that holds one, or set options: val"):
        read_listing(tmp_path / "val" / "n01", "ilsvrc", {"train": False})


def test_truncated_ilsvrc_tars_are_named(tmp_path):
    root = ilsvrc_tars(tmp_path / "raw")
    labels_csv(root)
    path = root / "ILSVRC2012_img_train.tar"
    whole = path.read_bytes()
    second = whole.index(b"n01_1.JPEG")  # its header, before its data
    cuts = {
        6000: r"is (truncated|a damaged)",
        second + 512 + 9: r"is truncated in the middle of n01\.tar; fetch it again$",
        100: r"is a damaged or truncated tar \(.+\); fetch it again$",
    }
    for length, words in cuts.items():
        path.write_bytes(whole[:length])
        with pytest.raises(Problem, match=rf"img_train\.tar: {words}"):
            read_listing(root, "ilsvrc")


@pytest.mark.parametrize("place", ["ILSVRC/Data/CLS-LOC", "Data/CLS-LOC"])
def test_kaggle_s_layout_of_ilsvrc(tmp_path, place):
    train, val = ilsvrc_parts()
    for wnid in train:
        put(tmp_path, f"{place}/train/{wnid}/{wnid}_1.JPEG", f"ILSVRC/Annotations/CLS-LOC/train/{wnid}/{wnid}_1.xml")
    put(tmp_path, *(f"{place}/val/{name}" for name in val), f"{place}/test/ILSVRC2012_test_00000001.JPEG")
    put(tmp_path, "LOC_synset_mapping.txt", "LOC_train_solution.csv", "LOC_sample_submission.csv", data=b"")
    labels_csv(tmp_path)
    listing = read_listing(tmp_path, "ilsvrc")
    assert [(item.name, item.label) for item in listing.items if item.split == "test"] == [
        ("val/ILSVRC2012_val_00000001.JPEG", "n02"),
        ("val/ILSVRC2012_val_00000002.JPEG", "n01"),
    ]
    assert counts(listing)["n01", "train"] == counts(listing)["n02", "train"] == 1


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (devkit(b"1\n3\n"), r"devkit_t12\.tar\.gz: says '3', which is the number of no class"),
        ({f"{DEVKIT}/data/meta.mat": b""}, r"lacks meta\.mat or ILSVRC2012_validation_ground_truth"),
        (devkit() | {f"{DEVKIT}/data/meta.mat": b"mat"}, r"tar\.gz: meta\.mat cannot be read \(.+\); fetch it again$"),
    ],
)
def test_a_wrong_devkit_is_named(tmp_path, members, words):
    root = ilsvrc_tars(tmp_path / "raw")
    path = make_tar(root / f"{DEVKIT}.tar.gz", members, "w:gz")
    with pytest.raises(Problem, match=words):
        read_listing(root, "ilsvrc")
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(
        Problem, match=r"devkit_t12\.tar\.gz: is a damaged or truncated archive \(.+\); fetch it again$"
    ):
        read_listing(root, "ilsvrc")


def test_a_damaged_meta_of_which_nothing_is_said_is_named_by_the_error(monkeypatch):
    def fail(*_, **__):
        raise ValueError

    monkeypatch.setattr("scipy.io.loadmat", fail)
    with refused_as("kit: meta.mat cannot be read (ValueError); fetch it again"):
        _synsets("kit", b"")


def test_a_train_folder_without_classes_is_named(tmp_path):
    put(tmp_path, "train/n01.tar", "val/n01/1.JPEG")
    with pytest.raises(Problem, match=r"train: holds no folder of a class; set options: train"):
        read_listing(tmp_path, "ilsvrc")
