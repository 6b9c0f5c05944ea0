"""Every reader on the layouts that publishers ship."""

from collections import Counter

import pytest
from data_helpers import real

from apr.data.formats import Span, read_listing
from apr.data.reading.decoding import decode
from apr.data.sources.archives import unpack_all

# --- the real ones


REAL = {
    "tiny_imagenet": (["tiny-imagenet-200.zip"], {}, 200, {"train": 12_000, "test": 3_000}),
    "split_folders": (["CIFAR-10-images.zip"], {}, 10, {"train": 9_000, "test": 1_500}),
    "split_folders natural": (
        ["intel-image-classification.zip"],
        {"train": "seg_train", "test": "seg_test"},
        6,
        {"train": 660, "test": 180},
    ),
    "split_folders hymenoptera": (["hymenoptera_data.zip"], {}, 2, {"train": 42, "test": 24}),
    "cifar": (["cifar-10-python.tar.gz"], {}, 10, {"train": 1_000, "test": 500}),
    "class_folders": (["concrete-cracks.zip"], {}, 2, {None: 700}),
    "class_folders omniglot": (["omniglot_images_background_small1.zip"], {"depth": 2}, 136, {None: 2_720}),
    "file_names": (["powerline.zip"], {"pattern": r"^(VL|IR)[ _]+(?P<class>TV|TY)[ _]"}, 2, {None: 40}),
    "idx": (
        [f"mydata_idx/{part}-{what}-ubyte.gz" for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1")],
        {},
        5,
        {"train": 900, "test": 450},
    ),
    "csv_labels": (
        ["HAM10000_images_part_1.zip", "HAM10000_images_part_2.zip", "HAM10000_metadata.csv"],
        {"table": "HAM10000_metadata.csv", "image": "image_id", "label": "dx", "group": "lesion_id"},
        7,
        {None: 10_015},
    ),
}


@pytest.mark.parametrize("case", REAL)
def test_real_archives(tmp_path, case):
    names, options, classes, expected = REAL[case]
    unpack_all(real(*names), tmp_path / "set")
    listing = read_listing(tmp_path / "set", case.partition(" ")[0], options)
    assert len(listing.classes) == classes
    assert Counter(item.split for item in listing.items) == expected
    last = listing.items[-1].source
    assert decode(last.read()).image.size > (20, 20) if isinstance(last, Span) else last.shape[:2] >= (28, 28)


def test_real_cifar_pickles_and_folders_show_the_same_images(tmp_path):
    unpack_all(real("cifar-10-python.tar.gz"), tmp_path / "pickles")
    unpack_all(real("CIFAR-10-images.zip"), tmp_path / "folders")
    pickles = read_listing(tmp_path / "pickles", "cifar")
    folders = read_listing(tmp_path / "folders", "split_folders")
    assert pickles.classes == folders.classes
    known = {decode(item.source.read()).image.tobytes(): item.label for item in folders.items if item.split == "test"}
    assert all(known[item.source.tobytes()] == item.label for item in pickles.items if item.split == "test")


def test_real_ilsvrc(tmp_path):
    tables = ("LOC_val_solution.csv", "ILSVRC2012_validation_ground_truth.txt", "map_clsloc.txt")
    paths = real(
        "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar", *(f"ilsvrc2012_tables/{name}" for name in tables)
    )
    for path in paths:
        (tmp_path / path.name).symlink_to(path)
    listing = read_listing(tmp_path, "ilsvrc")
    assert Counter(item.split for item in listing.items) == {"train": 640, "test": 239}
    assert len({item.label for item in listing.items if item.split == "train"}) == 49
    other = read_listing(tmp_path, "ilsvrc", {"labels": list(tables[1:])})
    assert [(item.name, item.label) for item in other.items] == [(item.name, item.label) for item in listing.items]
    for item in listing.items[::50]:
        assert min(decode(item.source.read()).image.size) >= 100
