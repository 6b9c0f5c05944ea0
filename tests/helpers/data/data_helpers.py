"""Builders of small datasets and archives, and the way to the real ones."""

import io
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from apr.basics.problems import Problem

ARCHIVES = Path(__file__).resolve().parents[4] / "shared" / "data" / "archives"
SHIPPED = {"test_fraction": 0.1, "seed": 0, "by": "image"}


def real(*names: str) -> list[Path]:
    """Paths of real archives; the test skips where one is absent."""
    paths = [ARCHIVES / name for name in names]
    for name, path in zip(names, paths, strict=True):
        if not path.exists():
            pytest.skip(f"../shared/data/archives/{name} is missing")
    return paths


@contextmanager
def refused_as(text: str) -> Iterator[None]:
    """What is done within is refused in exactly these words."""
    with pytest.raises(Problem) as caught:
        yield
    assert str(caught.value) == text


def picture(seed: int = 0, size: tuple[int, int] = (12, 10)) -> Image.Image:
    """A picture of smooth colours; size is (width, height)."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (3, 3, 3), np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "JPEG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


JPEG = encoded(picture())


def put(root: Path, *names: str, data: bytes = JPEG) -> Path:
    """Files with the same content."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def counts(listing) -> Counter:
    """Images of each class and part."""
    return Counter((item.label, item.split) for item in listing.items)


def class_folders(root: Path, counts: dict[str, int], suffix: str = ".jpg") -> Path:
    """Folders of classes with so many pictures each."""
    for position, (label, count) in enumerate(counts.items()):
        folder = root / label
        folder.mkdir(parents=True)
        for number in range(count):
            kind = {".jpg": "JPEG", ".png": "PNG", ".JPEG": "JPEG"}[suffix]
            data = encoded(picture(1000 * position + number), kind)
            (folder / f"{number:03d}{suffix}").write_bytes(data)
    return root


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def make_tar(path: Path, members: dict[str, bytes], mode: str = "w", **special: tarfile.TarInfo) -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in special.values():
            archive.addfile(info)
    return path


def tar_bytes(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zip_bytes(members: dict[str, bytes], **options: Any) -> bytes:
    """A zip whose members have no date, so that it is the same on any day."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
