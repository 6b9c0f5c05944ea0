"""Camera traps: JSON files of images, categories and annotations."""

import json
from collections import Counter

import pytest
from data_helpers import encoded, make_tar, picture, put
from packed_sets import pack, said
from prepared import REGISTRY, prepare

from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.packed import groups_of

CATEGORIES = {1: "opossum", 6: "bobcat", 11: "bird", 30: "empty", 99: "rodent"}
OPTIONS = {"train": "train.json", "test": "test.json", "categories": [6, 1, 11], "leave_out": [30]}
TRAIN = {"t0": [1], "t1": [6], "t2": [11], "t3": [30], "t4": [1, 1], "t5": [1, 6]}
TEST = {"s0": [1], "s1": [6, 6], "s2": [11]}


def annotations(boxes, categories=CATEGORIES, **image):
    """A file of annotations: the categories of the boxes of each image."""
    return {
        "images": [
            {"id": one, "file_name": f"{one}.jpg", "location": 33, "seq_id": f"q{one[:1]}{row // 2}"} | image
            for row, one in enumerate(boxes)
        ],
        "categories": [{"id": number, "name": name} for number, name in categories.items()],
        "annotations": [
            {"id": f"{one}-{box}", "image_id": one, "category_id": number, "bbox": [0, 0, 5, 5]}
            for one, numbers in boxes.items()
            for box, number in enumerate(numbers)
        ],
    }


def traps(root, train=None, test=None):
    for number, name in enumerate((*TRAIN, *TEST)):
        put(root, f"small/{name}.jpg", data=encoded(picture(number)))
    put(root, "train.json", data=json.dumps(train or annotations(TRAIN)).encode())
    put(root, "test.json", data=json.dumps(test or annotations(TEST)).encode())
    return root


def test_one_sample_an_image(tmp_path):
    listing = read_listing(traps(tmp_path), "coco_camera_traps", OPTIONS | {"group": "seq_id"})
    assert listing.classes == ["bobcat", "opossum", "bird"]
    assert [(item.name, item.label, item.split, item.group) for item in listing.items] == [
        ("small/t0.jpg", "opossum", "train", "qt0"),
        ("small/t1.jpg", "bobcat", "train", "qt0"),
        ("small/t2.jpg", "bird", "train", "qt1"),
        ("small/t4.jpg", "opossum", "train", "qt2"),
        ("small/s0.jpg", "opossum", "test", "qs0"),
        ("small/s1.jpg", "bobcat", "test", "qs0"),
        ("small/s2.jpg", "bird", "test", "qs1"),
    ]
    assert listing.ignored["image_of_other_categories"] == 1
    [note] = [note for note in listing.ignored.notes if "several categories" in note]
    assert note.startswith("train.json: 1 of 5 images have boxes of several categories and are left out: t5.jpg")
    manifest = pack(listing, tmp_path / "out")
    assert manifest["per_class"] == {"train": [1, 2, 1], "test": [1, 1, 1]}
    assert groups_of(tmp_path / "out/set", manifest["n_groups"]).max() == 4
    assert said(manifest, "images of categories that are left out: 1")


def test_one_sample_an_annotation(tmp_path):
    listing = read_listing(traps(tmp_path), "coco_camera_traps", OPTIONS | {"sample": "annotation"})
    labels = Counter((item.label, item.split) for item in listing.items)
    assert labels["opossum", "train"] == 4
    assert labels["bobcat", "train"] == labels["bobcat", "test"] == 2
    assert [item.name for item in listing.items[3:7]] == [
        "small/t4.jpg#0",
        "small/t4.jpg#1",
        "small/t5.jpg#0",
        "small/t5.jpg#1",
    ]
    manifest = pack(listing, tmp_path / "out")
    assert manifest["n_train"] == 7
    assert said(manifest, "t5.jpg#1 (bobcat) = small/t5.jpg#0 (opossum)")


@pytest.mark.parametrize(
    ("train", "options", "says"),
    [
        (
            annotations(TRAIN | {"t2": [99]}),
            {},
            r"annotation 't2-0': its category 99 is neither in options: categories",
        ),
        (None, {"categories": [6, 1, 12]}, r"categories: there is no category 12 \(1 opossum, 6 bobcat, 11 bird"),
        (None, {"categories": [6, 1, 6]}, r"name each category once"),
        (
            None,
            {"train": "absent.json"},
            r"absent\.json: cannot be read \(No such file or directory\); correct options: train, test, validation$",
        ),
        (
            None,
            {"test": ["test.json", "train.json"]},
            r"the image small/t0\.jpg is in several files of annotations; correct options: train, test$",
        ),
        (None, {"group": "season"}, r"train\.json: image 't0' has no 'season'; correct options: group"),
        (annotations(TRAIN | {"t9": [1]}), {}, r"train\.json: 1 of 5 images are missing: t9\.jpg"),
        (annotations(TRAIN) | {"annotations": [{"id": 1, "image_id": "x", "category_id": 1}]}, {}, r"no image 'x'"),
        (annotations(TRAIN) | {"annotations": [{"id": 1}]}, {}, r"one of its annotations lacks id, image_id, cat"),
        ({"images": []}, {}, r"has no list of categories; is it of camera traps in COCO's form"),
        ([], {}, r"has no list of images"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, train, options, says):
    root = traps(tmp_path)
    if train is not None:
        (root / "train.json").write_text(json.dumps(train))
    with pytest.raises(Problem, match=says):
        read_listing(root, "coco_camera_traps", OPTIONS | options)


def test_a_file_that_is_no_json(tmp_path):
    (traps(tmp_path) / "train.json").write_text("[" * 50_000)
    with pytest.raises(Problem, match=r"train\.json: is not JSON"):
        read_listing(tmp_path, "coco_camera_traps", OPTIONS)


def test_from_archives_to_manifest(tmp_path):
    numbers = REGISTRY["cct20"]["options"]["categories"]
    names = {number: f"kind{number}" for number in numbers} | {30: "empty"}
    parts = {"train": numbers, "cis_val": numbers[:3], "cis_test": [*numbers[:14], 30], "trans_test": numbers}
    files, images = {}, {}
    for place, (part, kinds) in enumerate(parts.items()):
        boxes = {f"{part}{number}": [number] for number in kinds}
        whole = annotations(boxes, names)
        files[f"eccv_18_annotation_files/{part}_annotations.json"] = json.dumps(whole).encode()
        for number in kinds:
            images[f"eccv_18_all_images_sm/{part}{number}.jpg"] = encoded(picture(100 * place + number))
    paths = [
        make_tar(tmp_path / "eccv_18_all_images_sm.tar.gz", images, "w:gz"),
        make_tar(tmp_path / "eccv_18_annotations.tar.gz", files, "w:gz"),
    ]
    listing, manifest = prepare(tmp_path, "cct20", paths)
    assert manifest["classes"] == [names[number] for number in numbers]
    assert (manifest["n_train"], manifest["n_validation"], manifest["n_test"]) == (15, 3, 14)
    assert said(manifest, "no test image of 1 of 15 classes: 'kind99': what is reported says nothing of them")
    assert said(manifest, "no validation image of 12 of 15 classes")
    assert listing.ignored["not_in_table"] == 16
