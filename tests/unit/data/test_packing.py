import errno
import hashlib
import json
import pickle
import tracemalloc

import numpy as np
import pytest
from data_helpers import SHIPPED, class_folders, encoded, picture, real, refused_as, tree
from PIL import Image

from apr.basics.problems import Problem
from apr.data.formats import Listing, read_listing
from apr.data.packed import INDEX, groups_of, open_packed
from apr.data.packing import _need_groups, pack_dataset
from apr.data.reading.listing import Item
from apr.data.sources.archives import unpack_all


def pack(folder, out, storage="pixels", listing=None, **more):
    listing = listing or read_listing(folder, "class_folders")
    return pack_dataset(
        listing, out / "set", out / "set.json", **({"name": "set", "storage": storage, "split": SHIPPED} | more)
    )


@pytest.mark.parametrize("storage", ["pixels", "encoded"])
def test_what_goes_in_comes_out(tmp_path, storage):
    class_folders(tmp_path / "in", {"b": 12, "a": 3})
    (tmp_path / "in" / "a" / "gray.png").write_bytes(encoded(picture(7, (5, 30)).convert("L"), "PNG"))
    manifest = pack(tmp_path / "in", tmp_path / "out", storage)
    packed = open_packed(tmp_path / "out" / "set", storage)
    names = (tmp_path / "out" / "set.files.txt").read_text().splitlines()
    assert len(packed) == len(names) == 16
    for row, name in enumerate(names):
        original = np.asarray(Image.open(tmp_path / "in" / name).convert("RGB"))
        image = packed.read(row)
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, original)
        entry = packed.index[row]
        assert (entry["height"], entry["width"]) == original.shape[:2]
        assert manifest["classes"][entry["label"]] == name.split("/")[0]
        if storage == "encoded" and name.endswith(".jpg"):
            stored = packed.pixels[entry["offset"] : entry["offset"] + entry["bytes"]]
            assert stored.tobytes() == (tmp_path / "in" / name).read_bytes()
    order = [(entry["split"], entry["label"], name) for entry, name in zip(packed.index, names, strict=True)]
    assert order == sorted(order)
    assert manifest["classes"] == ["a", "b"]
    assert manifest["per_class"] == {"train": [3, 11], "test": [1, 1]}
    assert manifest["converted"] == {"grayscale": 1}
    assert manifest["sizes"]["height"]["max"] == 30
    assert manifest == json.loads((tmp_path / "out" / "set.json").read_text())


def test_mean_and_sd_are_those_of_the_training_pixels(tmp_path):
    class_folders(tmp_path / "in", {"a": 12, "b": 9})
    (tmp_path / "in" / "a" / "large.png").write_bytes(encoded(picture(7, (50, 30)), "PNG"))
    manifest = pack(tmp_path / "in", tmp_path / "out")
    packed = open_packed(tmp_path / "out" / "set", "pixels")
    train = [packed.read(row).reshape(-1, 3) for row in np.flatnonzero(packed.index["split"] == 0)]
    values = np.concatenate(train) / 255
    np.testing.assert_allclose(manifest["mean"], values.mean(0), atol=1e-6)
    np.testing.assert_allclose(manifest["sd"], values.std(0), atol=1e-6)


def test_same_input_same_bytes(tmp_path):
    class_folders(tmp_path / "in", {"a": 20, "b": 20})
    for out, threads in (("one", 1), ("two", 3)):
        pack(tmp_path / "in", tmp_path / out, "encoded", threads=threads)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    manifest = json.loads((tmp_path / "one" / "set.json").read_text())
    for key, name in (("bin_sha256", "set.bin"), ("index_sha256", "set.index.npy")):
        assert manifest[key] == hashlib.sha256((tmp_path / "one" / name).read_bytes()).hexdigest()


def test_unreadable_pictures_are_all_named_and_nothing_is_written(tmp_path):
    root = class_folders(tmp_path / "in", {"a": 5, "b": 5})
    (root / "a" / "002.jpg").write_bytes((root / "a" / "002.jpg").read_bytes()[:300])
    (root / "b" / "004.jpg").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0")
    with pytest.raises(
        Problem,
        match=r"^set: 2 of 10 images cannot be decoded: a/002\.jpg is damaged \(.*\); b/004\.jpg is a Git-LFS pointer, "
        r"not the picture \(fetch it with `git lfs pull`, or from the publisher\)\. Fetch what is damaged again, or "
        r"remove these files$",
    ):
        pack(root, tmp_path / "out")
    assert tree(tmp_path / "out") == {}


def test_at_most_twenty_are_named(tmp_path):
    root = class_folders(tmp_path / "in", {"a": 30, "b": 2})
    for path in (root / "a").iterdir():
        path.write_bytes(b"")
    with pytest.raises(Problem, match=r"30 of 32 images.* and 10 more\. Replace or remove these files$") as caught:
        pack(root, tmp_path / "out")
    assert str(caught.value).count("is empty") == 20


def test_a_class_with_one_image(tmp_path):
    with pytest.raises(Problem, match="class 'b' has one image"):
        pack(class_folders(tmp_path / "in", {"a": 5, "b": 1}), tmp_path / "out")


def test_a_class_without_test_images(tmp_path):
    pixels = np.zeros((2, 2), np.uint8)
    items = [
        Item(f"{n}", label, pixels, part)
        for n, (label, part) in enumerate([("a", "train"), ("b", "train"), ("a", "test")])
    ]
    with refused_as("set: class 'b' has no test image; add some, or set options: missing: drop, or keep"):
        pack(None, tmp_path / "out", listing=Listing(items, ["a", "b"]))
    with refused_as("set: its test part is empty: 2 images are too few for `split`; add some"):
        pack(None, tmp_path / "out", listing=Listing(items[:2], ["a", "b"]))


def test_unexpected_number_of_classes(tmp_path):
    root = class_folders(tmp_path / "in", {"a": 2, "b": 2})
    with refused_as("set: 3 classes expected, 2 found (a, b); correct `classes`, or look at what was unpacked"):
        pack(root, tmp_path / "out", classes=3)
    assert pack(root, tmp_path / "out", classes=2)["classes"] == ["a", "b"]


def test_a_test_set_alone_needs_no_training_images(tmp_path):
    class_folders(tmp_path / "in", {"10": 1, "9": 2})
    manifest = pack(tmp_path / "in", tmp_path / "out", split={"by": "none"})
    assert (manifest["n_train"], manifest["n_test"]) == (0, 3)
    assert manifest["classes"] == ["9", "10"]
    assert manifest["split"] == {"rule": "none"}
    packed = open_packed(tmp_path / "out" / "set", "pixels")
    pixels = np.concatenate([packed.read(i).reshape(-1, 3) for i in range(3)]) / 255
    np.testing.assert_allclose(manifest["mean"], pixels.mean(axis=0), atol=1e-6)
    lacking = Listing(read_listing(tmp_path / "in", "class_folders").items, ["9", "10", "c"])
    with pytest.raises(Problem, match="class 'c' has no test image"):
        pack(None, tmp_path / "other", listing=lacking, split={"by": "none"})


def test_split_by_group_needs_groups(tmp_path):
    root = class_folders(tmp_path / "in", {"a": 2, "b": 2})
    with refused_as("split: by: group: this format gives no group; set options: group, or split by image"):
        pack(root, tmp_path / "out", split=SHIPPED | {"by": "group"})
    items = [Item(name, "a", None, group=group) for name, group in zip("pqrst", ["", "x", None, "", ""], strict=True)]
    remedy = "fill it (an image of its own: its own name), or split by image"
    with refused_as(f"split: by: group: 4 of 5 images have no group: p, r, s and 1 more; {remedy}"):
        _need_groups(items, None)
    with refused_as(f"split: by: group: t.csv: line 2 has none; {remedy}"):
        _need_groups(items, "t.csv: line 2 has none")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_takes_nothing(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, "no")

    root = class_folders(tmp_path / "in", {"a": 2, "b": 2})
    monkeypatch.setattr("apr.basics.files.os.replace", refuse)
    with pytest.raises(Problem, match=r"cannot be written: the (disk is full|file system is read-only)"):
        pack(root, tmp_path / "out")
    assert tree(tmp_path / "out") == {}


def test_truncated_or_foreign_files_are_noticed_on_opening(tmp_path):
    pack(class_folders(tmp_path / "in", {"a": 2, "b": 2}), tmp_path)
    data = (tmp_path / "set.bin").read_bytes()
    (tmp_path / "set.bin").write_bytes(data[:-1])
    stem, remedy = tmp_path / "set", "delete both and pack again"
    with refused_as(f"{stem}.bin: has {len(data) - 1:,} bytes where its index says {len(data):,}; {remedy}"):
        open_packed(stem, "pixels")
    for other in (np.zeros(3), np.zeros(0, INDEX), np.zeros((1, 1), INDEX)):
        np.save(tmp_path / "set.index.npy", other)
        with refused_as(f"{stem}.index.npy: is not an index of this version; {remedy}"):
            open_packed(stem, "pixels")
    (tmp_path / "set.bin").unlink()
    with pytest.raises(Problem, match=rf"set\.bin, {stem}\.index\.npy: cannot be opened \(.*\); {remedy}$"):
        open_packed(stem, "pixels")


def test_workers_get_paths_and_not_bytes(tmp_path):
    pack(class_folders(tmp_path / "in", {"a": 30, "b": 30}), tmp_path)
    packed = open_packed(tmp_path / "set", "pixels")
    sent = pickle.dumps(packed)
    assert len(sent) < 1000
    np.testing.assert_array_equal(pickle.loads(sent).read(3), packed.read(3))


def test_memory_stays_flat(tmp_path):
    pictures = [np.full((1000, 1000, 3), value, np.uint8) for value in (1, 2)]
    items = [Item(f"{row:03d}", "ab"[row % 2], pictures[row % 2], "train" if row < 38 else "test") for row in range(40)]
    tracemalloc.start()
    pack(None, tmp_path, listing=Listing(items, ["a", "b"]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "set.bin").stat().st_size == 40 * 3_000_000
    assert peak < 60_000_000


def test_real_skin_lesions_by_group(tmp_path):
    unpack_all(
        real("HAM10000_images_part_1.zip", "HAM10000_images_part_2.zip", "HAM10000_metadata.csv"), tmp_path / "in"
    )
    options = {"table": "HAM10000_metadata.csv", "image": "image_id", "label": "dx", "group": "lesion_id"}
    listing = read_listing(tmp_path / "in", "csv_labels", options)
    manifest = pack(None, tmp_path, "encoded", listing, split=SHIPPED | {"by": "group"}, classes=7)
    assert manifest["n_train"] + manifest["n_test"] == 10_015
    assert manifest["n_groups"] == 7_470
    assert manifest["split"] == {"rule": "drawn", **SHIPPED, "by": "group"}
    lesion_of = {item.name: item.group for item in listing.items}
    rows = [line.split("\t") for line in (tmp_path / "set.files.txt").read_text().splitlines()]
    assert all(lesion_of[name] == lesion for name, lesion in rows)
    cut = manifest["n_train"]
    assert not {lesion for _, lesion in rows[:cut]} & {lesion for _, lesion in rows[cut:]}
    numbers = groups_of(tmp_path / "set", manifest["n_groups"])
    assert (numbers.dtype, len(numbers), numbers[0], numbers.max()) == (np.int64, 10_015, 0, 7_469)
    assert len({(lesion, number) for (_, lesion), number in zip(rows, numbers.tolist(), strict=True)}) == 7_470
    assert list(dict.fromkeys(numbers.tolist())) == list(range(7_470))


def test_real_mixed_pictures(tmp_path):
    unpack_all(real("hymenoptera_data.zip"), tmp_path / "in")
    listing = read_listing(tmp_path / "in", "split_folders")
    manifest = pack(None, tmp_path, "encoded", listing)
    assert manifest["converted"] == {"palette": 1}
    packed = open_packed(tmp_path / "set", "encoded")
    for row, name in enumerate((tmp_path / "set.files.txt").read_text().splitlines()):
        original = np.asarray(Image.open(tmp_path / "in" / "hymenoptera_data" / name).convert("RGB"))
        np.testing.assert_array_equal(packed.read(row), original)
