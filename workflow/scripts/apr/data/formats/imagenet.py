"""ImageNet (ILSVRC 2012) as tars read in place or as folders, and Tiny-ImageNet."""

import io
import tarfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

from apr.basics.causes import reason
from apr.basics.problems import Problem
from apr.data.reading.label_table import read_table
from apr.data.reading.listing import Item, Listing, Span
from apr.data.reading.walking import LeftOut, find_images, is_picture, pass_over_beside, visible
from apr.data.sources.archive_members import BoundedHeaders, Damaged, members_of
from apr.data.sources.file_kinds import kind_of_file

TRAIN, VAL = "ILSVRC2012_img_train", "ILSVRC2012_img_val"
LABEL_TABLE, GROUND_TRUTH = "LOC_val_solution.csv", "ILSVRC2012_validation_ground_truth.txt"
CLASS_TABLE, SYNSETS, DEVKIT = "map_clsloc.txt", "meta.mat", "ILSVRC2012_devkit_t12.tar.gz"
KAGGLE = "Data/CLS-LOC"
PARTS = ("train", "val", TRAIN, VAL)
IMAGES = {*PARTS, "test", "ILSVRC", "Data"}


def read_tiny_imagenet(root: Path) -> Listing:
    """Read train/<wnid>/images/*.JPEG and val/images/*.JPEG with val/val_annotations.txt; test/ has no labels.

    Raises:
        Problem: a part is missing, or the annotations and the images differ.
    """
    left = LeftOut()
    annotations = root / "val" / "val_annotations.txt"
    for needed in (root / "train", annotations):
        if not needed.exists():
            raise Problem(f"{needed}: is missing; this is not Tiny-ImageNet's layout")
    items = _train_folder(root, root / "train", left)
    header = ("image", "wnid", "x0", "y0", "x1", "y1")
    rows = read_table(annotations, header[:2], left, delimiter="tab", header=header).rows
    labels = _unique(annotations, [(row.line, row.cells["image"], row.cells["wnid"]) for row in rows])
    images = {path.name: path for path in find_images(root / "val" / "images", left)}
    differing = sorted(labels.keys() ^ images.keys())
    if differing:
        raise Problem(
            f"{annotations}: {len(differing)} images are in only one of it and the folder: {differing[0]} and others"
        )
    items += [Item(f"val/images/{name}", labels[name], Span(images[name]), "test") for name in sorted(images)]
    return Listing(items, sorted({item.label for item in items}), left)


def read_ilsvrc(
    root: Path,
    *,
    train: str | Literal[False] | None = None,
    val: str | None = None,
    labels: str | list[str] | None = None,
) -> Listing:
    """Read ILSVRC 2012: train and val each as the official tar, not unpacked, or as a folder (a cluster's, Kaggle's).

    Classes are WordNet ids in ascending order, as everywhere. Labels of a flat val come from Kaggle's
    LOC_val_solution.csv, or from ILSVRC2012_validation_ground_truth.txt with map_clsloc.txt or the devkit's meta.mat,
    or from the devkit's archive. In train the folders and the names of the inner tars are the labels.

    Args:
        root: holds all.
        train: tar of tars, or folder of <wnid>/*.JPEG; by default ILSVRC2012_img_train.tar, train or, as on Kaggle,
            ILSVRC/Data/CLS-LOC/train. False: there is none, or it is not wanted; val alone is read.
        val: flat tar, flat folder, or folder of <wnid>/*.JPEG; by default ILSVRC2012_img_val.tar, val or, as on
            Kaggle, ILSVRC/Data/CLS-LOC/val.
        labels: the table or tables of val's labels; by default they are looked for below the root.

    Raises:
        Problem: something is missing or truncated, or an image has no label.
    """
    left = LeftOut()
    train_path = None if train is False else _place(root, train, TRAIN, "train")
    val_path = _place(root, val, VAL, "val")
    if train_path is None:
        items = []
    elif train_path.is_dir():
        items = _train_folder(root, train_path, left)
    else:
        items = [
            Item(f"train/{member.stem}/{name}", member.stem, span, "train")
            for member, tar in _tar_members(train_path, Span(train_path), left, ".tar")
            for name, span in ((inner.name, span) for inner, span in _tar_members(train_path, tar, left))
        ]
    if val_path.is_dir() and visible(val_path)[0]:
        folders, files = visible(val_path, left)
        before = len(items)
        for folder in folders:
            for path in find_images(folder, left):
                items.append(Item(f"val/{folder.name}/{path.name}", folder.name, Span(path), "test"))
        pass_over_beside(val_path, files, len(items) - before, left)
    else:
        if val_path.is_dir():
            images = [(path, Span(path)) for path in find_images(val_path, left)]
        else:
            images = list(_tar_members(val_path, Span(val_path), left))
        wnid_of = _val_labels(root, labels, left)
        unknown = [path.name for path, _ in images if path.stem not in wnid_of]
        if unknown:
            raise Problem(f"{val_path}: {len(unknown)} images have no label: {unknown[0]}; check options: labels")
        items += [Item(f"val/{path.name}", wnid_of[path.stem], span, "test") for path, span in images]
    return Listing(items, sorted({item.label for item in items}), left)


def _place(root: Path, given: str | None, tar: str, folder: str) -> Path:
    kaggle = f"{KAGGLE}/{folder}"
    names = [given] if given else [f"{tar}.tar", tar, folder, f"ILSVRC/{kaggle}", kaggle]
    for name in names:
        if (root / name).exists():
            return root / name
    alone = ", or train: false to read the validation images alone" if folder == "train" else ""
    raise Problem(
        f"{root}: holds none of {', '.join(names)}; name the folder that holds one, or set options: {folder}{alone}"
    )


def _train_folder(root: Path, folder: Path, left: LeftOut) -> list[Item]:
    items = []
    folders, files = visible(folder, left)
    for one in folders:
        images = find_images(one, left)
        if not images:
            raise Problem(f"{one}: the folder of class {one.name!r} holds no image: add some, or remove the folder")
        items += [Item(path.relative_to(root).as_posix(), one.name, Span(path), "train") for path in images]
    if not items:
        raise Problem(f"{folder}: holds no folder of a class; set options: train")
    pass_over_beside(folder, files, len(items), left)
    return items


def _unique(path: Path, rows: list[tuple[int, str, str]]) -> dict[str, str]:
    """Labels by name; a name that appears twice under different labels is refused."""
    known: dict[str, tuple[int, str]] = {}
    for line, name, label in rows:
        first = known.setdefault(name, (line, label))
        if first[1] != label:
            raise Problem(
                f"{path}: {name} is {first[1]!r} in line {first[0]} and {label!r} in line {line}; correct one of them"
            )
    return {name: label for name, (_, label) in known.items()}


def _tar_members(archive: Path, tar: Span, left: LeftOut, suffix: str | None = None) -> Iterator[tuple[Path, Span]]:
    """Members of a tar, or of a tar inside a tar, as spans of the outermost file."""
    end = tar.offset + tar.size if tar.size >= 0 else archive.stat().st_size
    with open(archive, "rb") as file:
        file.seek(tar.offset)
        try:
            # tarfile counts from where the file stands when it is opened.
            headers = BoundedHeaders(file)
            with tarfile.open(fileobj=headers, mode="r:") as members:
                for info in members:
                    headers.renew()
                    path = Path(info.name)
                    if not info.isreg() or not (path.suffix == suffix if suffix else is_picture(path.name)):
                        if not info.isdir():
                            left.pass_over("not_an_image", [path])
                        continue
                    if info.offset_data + info.size > end:
                        raise Problem(f"{archive}: is truncated in the middle of {info.name}; fetch it again")
                    yield path, Span(archive, info.offset_data, info.size)
                    if members.offset >= end:
                        break
        except tarfile.TarError as error:
            raise Problem(f"{archive}: is a damaged or truncated tar ({error}); fetch it again") from error


def _val_labels(root: Path, labels: str | list[str] | None, left: LeftOut) -> dict[str, str]:
    """WordNet id of each val image by its stem."""
    if labels:
        files = {Path(name).name: root / name for name in ([labels] if isinstance(labels, str) else labels)}
    else:
        files = {path.name: path for path in _shallow_files(root)}
    missing = [str(path) for path in files.values() if not path.is_file()]
    if missing:
        raise Problem(f"{missing[0]}: the table of labels is missing; correct options: labels")
    if LABEL_TABLE in files:
        path = files[LABEL_TABLE]
        rows = read_table(path, ("ImageId", "PredictionString"), left).rows
        # The column goes on with bounding boxes.
        words = [(row.line, row.cells["ImageId"], row.cells["PredictionString"].split()[:1]) for row in rows]
        empty = [line for line, _, word in words if not word]
        if empty:
            raise Problem(f"{path}: line {empty[0]}: column 'PredictionString' is empty; complete or remove the line")
        return _unique(
            path, [(line, Path(name).stem if is_picture(name) else name, word[0]) for line, name, word in words]
        )
    if GROUND_TRUTH in files and CLASS_TABLE in files:
        path = files[CLASS_TABLE]
        rows = read_table(path, ("wnid", "number"), left, delimiter="space", header=("wnid", "number", "name")).rows
        wnid_of = _unique(path, [(row.line, row.cells["number"], row.cells["wnid"]) for row in rows])
        return _numbered(files[GROUND_TRUTH], files[GROUND_TRUTH].read_bytes(), wnid_of)
    if GROUND_TRUTH in files and SYNSETS in files:
        synsets = _synsets(files[SYNSETS], files[SYNSETS].read_bytes())
        return _numbered(files[GROUND_TRUTH], files[GROUND_TRUTH].read_bytes(), synsets)
    if DEVKIT in files:
        return _devkit_labels(files[DEVKIT])
    raise Problem(
        f"{root}: no labels of the val images: put {DEVKIT} there, or {GROUND_TRUTH} with {SYNSETS} or {CLASS_TABLE}, "
        f"or {LABEL_TABLE}, or sort the images into val/<wnid>/"
    )


def _shallow_files(root: Path) -> list[Path]:
    """Files where labels may lie: in the root, its folders, and a devkit's data; not among the images."""
    folders, files = visible(root)
    folders = [folder for folder in folders if folder.name not in IMAGES]
    folders += [folder / "data" for folder in folders if (folder / "data").is_dir()]
    return files + [path for folder in folders for path in visible(folder)[1]]


def _numbered(path: Path, truth: bytes, wnid_of: dict[str, str]) -> dict[str, str]:
    numbers = truth.decode("latin1").split()
    unknown = set(numbers) - wnid_of.keys()
    if unknown:
        raise Problem(f"{path}: says {min(unknown)!r}, which is the number of no class; fetch it again")
    return {f"ILSVRC2012_val_{row:08d}": wnid_of[number] for row, number in enumerate(numbers, start=1)}


def _synsets(path: Path, data: bytes) -> dict[str, str]:
    """WordNet id of each class by its number in the devkit's meta.mat."""
    from scipy.io import loadmat

    try:
        synsets = loadmat(io.BytesIO(data), squeeze_me=True)["synsets"]
        return {str(int(row["ILSVRC2012_ID"])): str(row["WNID"]) for row in synsets}
    except Exception as error:  # SciPy raises whatever a damaged file leads it to.
        raise Problem(f"{path}: {SYNSETS} cannot be read ({reason(error)}); fetch it again") from error


def _devkit_labels(path: Path) -> dict[str, str]:
    try:
        members = members_of(path, kind_of_file(path), None, str(path), lambda size, members: None)
        wanted = ((Path(member.name).name, member.chunks) for member in members if member.kind == "file")
        found = {name: b"".join(islice(chunks, 16)) for name, chunks in wanted if name in (SYNSETS, GROUND_TRUTH)}
    except Damaged as error:
        raise Problem(f"{path}: is a damaged or truncated archive ({error}); fetch it again") from error
    if SYNSETS not in found or GROUND_TRUTH not in found:
        raise Problem(f"{path}: lacks {SYNSETS} or {GROUND_TRUTH}; fetch it again")
    return _numbered(path, found[GROUND_TRUTH], _synsets(path, found[SYNSETS]))
