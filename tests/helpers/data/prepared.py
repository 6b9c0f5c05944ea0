"""Entries of resources/datasets.yaml, each taken from what its publisher ships to the packed manifest."""

from collections import defaultdict

from data_helpers import encoded, picture

from apr.data.formats import Listing, read_listing
from apr.data.packing import pack_dataset
from apr.data.sources.archives import unpack_all
from study.settings import load_registry, resolve_dataset

REGISTRY = load_registry()


def prepare(tmp_path, name, paths, most=None, classes=None, **changes):
    """Unpack, list and pack as the workflow does; `most` images of each class and part are packed."""
    entry = resolve_dataset(name, changes, REGISTRY)
    if not changes.get("files"):
        assert [path.name for path in paths] == [file["name"] for file in entry["files"]]
    folder = paths[0].parent
    if entry["unpack"]:
        folder = tmp_path / "unpacked"
        unpack_all(paths, folder, nested=entry["options"].get("nested", False))
    listing = read_listing(folder, entry["format"], entry["options"])
    return listing, pack_dataset(
        thinned(listing, most) if most else listing,
        tmp_path / name,
        tmp_path / f"{name}.json",
        name=name,
        storage=entry["storage"],
        split=entry["split"],
        classes=classes or entry["classes"],
    )


def thinned(listing, most):
    taken = defaultdict(list)
    for item in listing.items:
        if len(taken[item.label, item.split]) < most:
            taken[item.label, item.split].append(item)
    return Listing([item for items in taken.values() for item in items], listing.classes, listing.ignored)


def pictures(form, count, kind="JPEG", size=(12, 10)):
    """Members of an archive, named by a pattern."""
    return {form.format(number): encoded(picture(number, size), kind) for number in range(1, count + 1)}
