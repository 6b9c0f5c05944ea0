"""Random datasets as people might bring them, with what a right reading of each is."""

import os
import random
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_helpers import encoded, picture

CLASSES = ["cat", "dog", "Café", "sea lion", "1", "2", "007", "n01440764", "train", "Käfer", "a", "A", "none", "O'Neil"]
CLASSES += ["犬", "x,y", "x;y", "{a}", "$b$", "_c_", "val", "bus", "c d", "1.0", "É"]
STEMS = [
    "p{n}",
    "IMG_{n:04d}",
    "{n}",
    "{n:03d}",
    "é{n}",
    "a b{n}",
    "x.{n}",
    "{n}.final",
    "P{n}",
    "$p{n}",
    "{{p{n}}}",
    "-{n}",
]
SUFFIXES = [(".png", "PNG"), (".jpg", "JPEG"), (".PNG", "PNG"), (".JPG", "JPEG"), (".bmp", "BMP"), (".tif", "TIFF")]
JUNK = [
    "@eaDir/t.jpg",
    ".hidden.png",
    "Thumbs.db",
    "._x.jpg",
    "__MACOSX/x.png",
    ".ipynb_checkpoints/y.png",
    "desktop.ini",
]
OTHERS = ["notes.txt", "readme.md", "odd.heic", "noext", "x.xml", "trailing.png ", "b\udcffd.png", "b.\udcff"]


@dataclass
class Dataset:
    """A dataset on disk.

    Attributes:
        folder: where it lies.
        format: that reads it.
        options: of the format.
        truth: the right label of each content, by the number that its pixels carry.
        parts: the right part of each content, where one is shipped.
        story: what was done to it.
        files: its pictures.
    """

    folder: Path
    format: str
    options: dict[str, Any] = field(default_factory=dict)
    truth: dict[int, str] = field(default_factory=dict)
    parts: dict[int, str] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


def marked(number: int, kind: str) -> bytes:
    """A picture that carries its number in a plain block, which survives JPEG."""
    image = picture(number, (24, 16)).convert("RGB")
    image.paste((16 * (number // 16) + 8, 16 * (number % 16) + 8, 100), (0, 0, 24, 16))
    return encoded(image, kind, **({"quality": 95} if kind == "JPEG" else {}))


def number_of(pixels: Any) -> int:
    """The number that a picture carries."""
    red, green, _ = pixels[4:12, 6:18].reshape(-1, 3).mean(axis=0)
    return 16 * int(red // 16) + int(green // 16)


def put(rng: random.Random, data: Dataset, folder: Path, label: str, part: str | None, stem: str) -> Path | None:
    """Write one picture; None where its name is taken."""
    number = len(data.truth)
    suffix, kind = rng.choice(SUFFIXES[:4] if rng.random() < 0.8 else SUFFIXES)
    path = folder / (stem.format(n=number) + suffix)
    folder.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return None
    path.write_bytes(marked(number, kind))
    data.files.append(path)
    data.truth[number] = unicodedata.normalize("NFC", label)
    if part:
        data.parts[number] = part
    return path


def folders(rng: random.Random, root: Path) -> Dataset:
    """Class folders, with or without parts above or below them."""
    shape = rng.choice(["plain", "plain", "split", "split", "inside", "wrapped"])
    data = Dataset(root, "split_folders" if shape == "split" else "class_folders", story=[shape])
    names = rng.choice([("train", "test"), ("train", "val"), ("training_set", "test_set"), ("Train", "Test")])
    top = root / "wrap" / "inner" if shape == "wrapped" else root
    classes = rng.sample(CLASSES, rng.choice([1, 2, 2, 3, 3, 4]))
    for label in classes:
        for index, part in enumerate(names if shape in ("split", "inside") else [None]):
            shown = unicodedata.normalize("NFD", label) if rng.random() < 0.2 else label
            folder = {"split": top / f"{part}" / shown, "inside": top / shown / f"{part}"}.get(shape, top / shown)
            stem = rng.choice(STEMS)
            for _ in range(rng.choice([1, 2, 3, 4, 4, 5]) if rng.random() < 0.9 else 0):
                put(rng, data, folder, label, ("train", "test")[index] if shape == "split" else None, stem)
    if shape == "split" and rng.random() < 0.7:
        data.options = {"train": names[0], "test": names[1]}
    if shape == "inside":
        data.parts = {}  # refused, or pooled where the classes are listed
    if rng.random() < 0.1:
        data.options["classes_order"] = sorted(set(data.truth.values()))
    return data


def table(rng: random.Random, root: Path) -> Dataset:
    """A table of labels beside pictures."""
    data = Dataset(root, "csv_labels", {"table": "labels.csv", "image": "image", "label": "label"})
    classes = rng.sample(CLASSES, rng.choice([2, 2, 3]))
    places = rng.choice([["imgs"], ["imgs/A", "imgs/B"], ["."], ["x/y/A", "x/y/B"]])
    stem, rows, split = rng.choice(STEMS), [], rng.random() < 0.3
    for position in range(rng.randint(6, 20)):
        label, part = rng.choice(classes), ("train", "test")[position % 2]
        path = put(rng, data, root / rng.choice(places), label, part if split else None, stem)
        if path:
            rows.append([_said(rng, path.relative_to(root)), label, part, len(data.truth) - 1])
    style = rng.choice(
        ["as it is", "as it is", "name alone", "no suffix", "backslash", "absolute", "case", "lost folder"]
    )
    data.story.append(f"names: {style}")
    for row in rows:
        row[0] = _styled(row[0], style)
    if split:
        data.options["split"] = "part"
    _write(rng, data, rows)
    return data


def _said(rng: random.Random, path: Path) -> str:
    text = path.as_posix()
    return unicodedata.normalize("NFD", text) if rng.random() < 0.1 else text


def _styled(name: str, style: str) -> str:
    path = Path(name)
    return {
        "name alone": path.name,
        "no suffix": os.path.splitext(name)[0],
        "backslash": name.replace("/", "\\"),
        "absolute": f"/home/somebody/{name}",
        "case": name.upper(),
        "lost folder": f"elsewhere/{path.name}",
    }.get(style, name)


def _write(rng: random.Random, data: Dataset, rows: list[list[str]]) -> None:
    """The table's text, with what happens to tables."""
    sign = rng.choice([",", ",", ";", "\t", "|"])
    header = ["image", "label", "part"]
    spoilt = rng.choice(
        [*[""] * 12, "short", "long", "nan", "empty", "twice", "conflict", "quote", "float", "case", "lost"]
    )
    victim = rng.randrange(len(rows)) if rows else 0
    lines = [list(row) for row in rows]
    if rows and spoilt in ("nan", "empty"):
        lines[victim][1] = {"nan": rng.choice(["nan", "NaN", "NA", "null"]), "empty": ""}[spoilt]
    if rows and spoilt in ("twice", "conflict"):
        lines.append([rows[victim][0], rows[victim][1] + ("" if spoilt == "twice" else "x"), rows[victim][2], -1])
    if rows and spoilt in ("float", "case"):
        lines[victim][1] = {"float": "1.0", "case": lines[victim][1].swapcase()}[spoilt]
        if spoilt == "float":
            lines[victim - 1][1] = "1"
        data.truth |= {number: label for _, label, _, number in lines}
    if rows and spoilt == "lost":
        lines.append(["nowhere.png", rows[0][1], "train", -1])
    text = []
    for index, cells in enumerate([header, *(line[:3] for line in lines)]):
        quoted = [f'"{cell}"' if sign in cell or rng.random() < 0.05 else cell for cell in cells]
        if index == victim + 1 and spoilt == "short":
            quoted.pop()
        if index == victim + 1 and spoilt == "long":
            quoted.insert(1, "more")
        if index == victim + 1 and spoilt == "quote":
            quoted[1] = '"' + quoted[1].strip('"')
        text.append((f" {sign} " if rng.random() < 0.1 and sign != "\t" else sign).join(quoted))
    encoding = rng.choice([*["utf-8"] * 8, "utf-8-sig", "utf-16", "cp1252", "latin-1", "shift_jis", "cp437"])
    ending = rng.choice(["\n", "\n", "\r\n", "\r"])
    data.story += [f"table: {encoding}, {sign!r}, {ending!r}, {spoilt or 'sound'}"]
    for number, label in data.truth.items():
        data.truth[number] = label.encode(encoding, "replace").decode(encoding)
    body = (ending.join(text) + rng.choice(["", ending, ending * 3])).encode(encoding, "replace")
    (data.folder / "labels.csv").write_bytes(body)
    if encoding not in ("utf-8", "utf-8-sig", "utf-16") and rng.random() < 0.5:
        data.options["encoding"] = encoding
    if rng.random() < 0.2:
        data.options["delimiter"] = rng.choice([sign, sign, {"\t": "tab", ",": "comma"}.get(sign, ";"), "tabs", "\\t"])


def named_files(rng: random.Random, root: Path) -> Dataset:
    """The class in the file's name."""
    data = Dataset(root, "file_names", {"pattern": r"^(?P<class>[a-z]+)_(?P<group>g\d)_"})
    for label in rng.sample(["cat", "dog", "train", "none", "cow"], rng.choice([1, 2, 3, 3])):
        for group in range(3):
            for _ in range(rng.randint(1, 3)):
                put(rng, data, root / rng.choice(["", "sub"]), label, None, f"{label}_g{group}_" + "{n}")
    if rng.random() < 0.3:
        data.options["group"] = rng.choice([r"(?P<group>g\d)", "(", "patient", r"(?P<group>z)"])
    return data


def disturb(rng: random.Random, data: Dataset) -> None:
    """Leftovers, files of other kinds, links, loops, broken pictures."""
    places = [place for place in [data.folder, *sorted(data.folder.rglob("*"))] if place.is_dir()]
    for _ in range(rng.choice([0, 0, 1, 2, 4])):
        what, place = (
            rng.choice(["junk", "junk", "other", "loop", "dangling", "link", "hard", "copy", "broken"]),
            rng.choice(places),
        )
        data.story.append(f"{what} in {place.relative_to(data.folder)}")
        files = [path for path in data.files if path.suffix == ".png"]
        target = place / f"{what}{rng.randrange(99)}"
        if target.exists() or target.is_symlink():
            continue
        if what in ("junk", "other"):
            path = place / rng.choice(JUNK if what == "junk" else OTHERS)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(marked(255, "PNG"))
        elif what == "loop":
            target.symlink_to(os.path.relpath(rng.choice(places), place))
        elif what == "dangling":
            target.with_suffix(rng.choice([".png", "", ".txt"])).symlink_to("/nowhere/at/all")
        elif files and what == "link":
            target.with_suffix(".png").symlink_to(rng.choice(files))
        elif files and what == "hard":
            os.link(rng.choice(files), target.with_suffix(".png"))
        elif files and what == "broken":
            path = rng.choice(files)
            path.write_bytes(path.read_bytes()[: rng.choice([0, 10, 60])])


def make(seed: int, root: Path) -> Dataset:
    """The dataset of a seed."""
    rng = random.Random(seed)
    root.mkdir(parents=True)
    data = rng.choice([folders, folders, table, table, table, named_files])(rng, root)
    if rng.random() < 0.6:
        disturb(rng, data)
    if rng.random() < 0.1:
        data.options |= rng.choice(
            [{"others": "ignore"}, {"missing": "drop"}, {"root": "nowhere"}, {"root": "."}, {"typo": 1}]
        )
    return data
