"""A folder of pictures with a table of their labels, as people have them."""

from data_helpers import put

from apr.data.formats import read_listing

COLUMNS = {"table": "t.csv", "image": "image", "label": "label"}
PLAIN = "image,label\np0.png,cat\np1.png,dog\np2.png,cat\np3.png,dog\n"
NAMES = [f"p{number}.png" for number in range(4)]


def read(root, text=PLAIN, names=NAMES, encoding="utf-8", **options):
    put(root, *(f"imgs/{name}" for name in names))
    (root / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return read_listing(root, "csv_labels", COLUMNS | options)


def labels(listing):
    return {item.name.removeprefix("imgs/"): item.label for item in listing.items}


RIGHT = {"p0.png": "cat", "p1.png": "dog", "p2.png": "cat", "p3.png": "dog"}
