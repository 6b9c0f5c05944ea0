"""Speed of the input on a CPU core against pycls' own loader: pictures in files or arrays to augmented batches.

    git clone https://github.com/facebookresearch/pycls
    python -m pip install --target cv opencv-python-headless      # for the peer alone
    PYTHONPATH=cv python benchmarks/input.py --pycls pycls --json input.json

Both sides make training batches of the same pictures: at 224 px from JPEG of 500 × 375, cut from the photographs that
scikit-image ships, and at 32 px from arrays like those of CIFAR-10. The peer is pycls' ImageNet and Cifar10 and its
DataLoader without further processes. Ours: decoded once and kept, which counts a pass, and with the decoding spread
over 10 passes; and decoded anew. Seconds are CPU-seconds of this process; rounds are interleaved, medians count. The
pixels of every decoder at hand are compared with Pillow's, also on archives that --archives names.
"""

import argparse
import io
import json
import pickle
import platform
import statistics
import sys
import tarfile
import tempfile
import time
import types
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np
import PIL
import torch
from PIL import Image, features

from apr.basics.files import write_json
from apr.data import packed as packed_files
from apr.data.packed import INDEX, PackedImages, open_packed
from apr.runs.batches import Images, Loader, Recipe
from apr.runs.machine.memory import keep_freed_memory

CPU = torch.device("cpu")
SIZE = (500, 375)
LARGE = Recipe(crop="random_resized", resolution=224, eval_resize=256, padding=0, flip=True)
SMALL = Recipe(crop="padded", resolution=32, eval_resize=32, padding=4, flip=True)
PASSES = 10


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pycls", required=True, type=Path, help="a clone of facebookresearch/pycls")
    parser.add_argument("--json", type=Path, help="write the result to this file")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--count", type=int, default=256, help="pictures of 500 × 375; ten times as many of 32 × 32")
    parser.add_argument("--archives", type=Path, help="a folder of zip and tar files with JPEG to compare decoders on")
    options = parser.parse_args()
    if not (options.pycls / "pycls" / "core" / "net.py").is_file():
        parser.error(f"--pycls {options.pycls}: is no clone of facebookresearch/pycls (pycls/core/net.py is not there)")
    loaders_of = pycls_loaders(options.pycls)
    torch.set_num_threads(1)
    keep_freed_memory()  # as a training does; the peer has the benefit of it, too
    with tempfile.TemporaryDirectory() as folder:
        result = {
            "processor": processor(),
            "versions": {"torch": torch.__version__, "numpy": np.__version__, "pillow": PIL.__version__}
            | {"libjpeg_turbo": features.version("libjpeg_turbo"), "simplejpeg": bool(packed_files.decode_jpeg)},
            "large": large(Path(folder), options.count, options.rounds, loaders_of),
            "small": small(Path(folder), 10 * options.count, options.rounds, loaders_of),
        }
    if options.archives:
        result["decoders"] = decoders(options.archives)
    print(json.dumps(result, indent=1))
    if options.json:
        write_json(options.json, result)


def large(folder: Path, count: int, rounds: int, loaders_of: Callable) -> dict[str, float]:
    """Images per second and core at 224 px."""
    files = photographs(count)
    for split in ("train", "val"):
        for i, data in enumerate(files):
            place = folder / "imagenet" / split / f"n{i % 2:08d}"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{i}.jpg").write_bytes(data)
    packed = pack(folder / "photographs", files, *SIZE[::-1], "encoded")
    started = time.process_time()
    kept = own(packed, LARGE, 2**40)
    decoding = time.process_time() - started
    contestants = {
        "pycls": loaders_of(folder / "imagenet", "imagenet", 224),
        "kept": kept,
        "anew": own(packed, LARGE, 0),
    }
    found = measured(contestants, rounds, count)
    found["decoded_once"] = count / decoding
    found[f"kept_{PASSES}_passes"] = 1 / (1 / found["kept"] + 1 / found["decoded_once"] / PASSES)
    return with_ratios(found)


def small(folder: Path, count: int, rounds: int, loaders_of: Callable) -> dict[str, float]:
    """Images per second and core at 32 px."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3)).astype(np.uint8)
    packed = pack(folder / "small", [one.tobytes() for one in pixels], 32, 32, "pixels")
    (folder / "cifar10").mkdir()
    rows = pixels.transpose(0, 3, 1, 2).reshape(count, -1)
    for name, part in zip([f"data_batch_{i}" for i in range(1, 6)], np.array_split(rows, 5), strict=True):
        with open(folder / "cifar10" / name, "wb") as file:
            pickle.dump({b"data": part, b"labels": [0] * len(part)}, file)
    contestants = {"pycls": loaders_of(folder / "cifar10", "cifar10", 32), "kept": own(packed, SMALL, 2**40)}
    return with_ratios(measured(contestants, rounds, count))


def own(packed: PackedImages, recipe: Recipe, resident_bytes: int) -> Callable[[int], Iterator]:
    """One training pass of this project's loader, by its number."""
    labels = np.zeros(len(packed), np.int64)
    images = Images(packed, np.arange(len(packed)), labels, CPU, resident_bytes=resident_bytes, workers=1)
    loader = Loader(images, recipe, mean=[0.485, 0.456, 0.406], sd=[0.229, 0.224, 0.225], seed=0)
    return lambda number: loader.training(number, 64)


def pycls_loaders(clone: Path) -> Callable:
    """What makes one training pass of pycls' loader, of a folder, a dataset's name and a resolution."""
    import_pycls(clone)
    import cv2
    import pycls.datasets.loader as loader
    from pycls.core.config import cfg

    cv2.setNumThreads(1)

    def passes(folder: Path, name: str, resolution: int) -> Callable[[int], Iterator]:
        cfg.TRAIN.IM_SIZE, cfg.DATA_LOADER.NUM_WORKERS, cfg.DATA_LOADER.PIN_MEMORY = resolution, 0, False
        loader._DATA_DIR, loader._PATHS[name] = str(folder.parent), folder.name
        made = loader._construct_loader(name, "train", 64, shuffle=True, drop_last=True)

        def one(number: int) -> Iterator:
            cfg.TRAIN.IM_SIZE = resolution
            return iter(made)

        return one

    return passes


def import_pycls(clone: Path) -> None:
    """Put pycls on the path, and stand-ins for what it imports and no training on one device uses."""
    sys.path.insert(0, str(clone.resolve()))
    parts = {
        "submitit": {"helpers": types.SimpleNamespace(Checkpointable=object)},
        "simplejson": {"dumps": lambda value, **how: json.dumps(value, default=str), "loads": json.loads},
        "fairscale": {},
        "fairscale.nn": dict.fromkeys(("auto_wrap", "config_auto_wrap_policy", "enable_wrap")),
        "fairscale.nn.data_parallel": {"FullyShardedDataParallel": type("FSDP", (), {})},
        "fairscale.optim": {},
        "fairscale.optim.grad_scaler": {"ShardedGradScaler": None},
    }
    for name, content in parts.items():
        stand_in = types.ModuleType(name)
        vars(stand_in).update(content)
        sys.modules.setdefault(name, stand_in)


def measured(contestants: dict[str, Callable], rounds: int, count: int) -> dict[str, float]:
    """Images per CPU-second, medians over interleaved rounds after one that does not count."""
    taken = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, one in contestants.items():
            started = time.process_time()
            for inputs, _ in one(number):
                inputs[0, 0, 0, 0].item()
            taken[name].append(time.process_time() - started)
    return {name: count // 64 * 64 / statistics.median(times[1:]) for name, times in taken.items()}


def with_ratios(found: dict[str, float]) -> dict[str, float]:
    """The same, and each side's ratio to pycls."""
    others = [name for name in found if name not in ("pycls", "decoded_once")]
    return found | {f"{name}_ratio_to_pycls": found[name] / found["pycls"] for name in others}


def photographs(count: int) -> list[bytes]:
    """JPEG files of 500 × 375 pixels: parts of photographs in colour, in turn, at quality 90."""
    from skimage import data

    sources = [Image.fromarray(one()).convert("RGB") for one in (data.astronaut, data.coffee, data.cat, data.rocket)]
    generator, files = np.random.default_rng(0), []
    for i in range(count):
        source = sources[i % len(sources)]
        part = 0.6 + 0.4 * generator.random()
        width = int(part * min(source.width, source.height * 4 / 3))
        x, y = (int(generator.random() * room) for room in (source.width - width, source.height - width * 3 // 4))
        buffer = io.BytesIO()
        picture = source.resize(SIZE, Image.Resampling.LANCZOS, box=(x, y, x + width, y + width * 3 // 4))
        picture.save(buffer, "JPEG", quality=90)
        files.append(buffer.getvalue())
    return files


def pack(stem: Path, files: list[bytes], height: int, width: int, storage: str) -> PackedImages:
    """Files of one size as a packed dataset."""
    index = np.zeros(len(files), INDEX)
    index["bytes"] = [len(data) for data in files]
    index["offset"] = np.concatenate([[0], np.cumsum(index["bytes"])[:-1]])
    index["height"], index["width"] = height, width
    Path(f"{stem}.bin").write_bytes(b"".join(files))
    np.save(f"{stem}.index.npy", index)
    return open_packed(stem, storage)


def decoders(archives: Path) -> dict[str, dict]:
    """Milliseconds a picture, and how many differ from Pillow's, over at most 300 colour JPEG of each archive."""
    found = {}
    for path in sorted(archives.iterdir()):
        files = [data for _, data in zip(range(300), jpegs(path), strict=False)]
        if files:
            found[path.name] = compared(files)
    return found


def compared(files: list[bytes]) -> dict[str, float]:
    """Pillow and what the loader decodes with, in turn."""
    taken = {"pillow": 0.0, "loader": 0.0}
    different = 0
    for data in files:
        array, pixels = np.frombuffer(data, np.uint8), {}
        for name in taken:
            started = time.process_time()
            if name == "pillow":
                with Image.open(io.BytesIO(data)) as image:
                    pixels[name] = np.asarray(image)
            else:
                pixels[name] = packed_files._decoded(array)
            taken[name] += time.process_time() - started
        different += not np.array_equal(*pixels.values())
    ms = {f"{name}_ms": 1000 * seconds / len(files) for name, seconds in taken.items()}
    return {"pictures": len(files), "different": different} | ms


def jpegs(path: Path) -> Iterator[bytes]:
    """The JPEG in colour in an archive, and in tars inside it."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (data for info in archive.infolist() if in_colour(data := archive.read(info)))
    elif path.is_file() and tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            for member in archive:
                data = archive.extractfile(member).read() if member.isfile() else b""
                if member.name.endswith(".tar"):
                    with tarfile.open(fileobj=io.BytesIO(data)) as inner:
                        files = (inner.extractfile(one).read() for one in inner if one.isfile())
                        yield from (one for one in files if in_colour(one))
                elif in_colour(data):
                    yield data


def in_colour(data: bytes) -> bool:
    """Whether it is a JPEG with three channels."""
    return data[:3] == packed_files.JPEG and Image.open(io.BytesIO(data)).mode == "RGB"


def processor() -> str:
    """Its name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


if __name__ == "__main__":
    main()
