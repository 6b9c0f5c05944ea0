"""CPU-seconds from pictures to a finished run, against pycls' own training, on the same pictures for as many epochs.

    git clone https://github.com/facebookresearch/pycls
    python -m pip install --target cv opencv-python-headless      # for the peer alone
    PYTHONPATH=cv python benchmarks/end_to_end.py --pycls pycls --json end_to_end.json

At 224 px the pictures are JPEG files of 500 × 375 (`benchmarks/input.py` makes them), at 32 px pickles like those of
CIFAR-10; the network is one of the paper's band, its stem that of the size. Ours is packing, the view and train.py,
each started plainly. The peer is pycls.core.trainer.train_model, which its tools/train_net.py calls, on a CPU, with
its defaults. These keep a second, averaged network, and settle and test it as well; the authors' pycls of 2020 had
none, so the peer is measured with it and without. Processes run alone with one thread, rounds are interleaved,
medians count, and starting counts in full. Both sides settle BatchNorm and test after each epoch.
"""

import argparse
import json
import os
import pickle
import resource
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / part) for part in ("workflow/scripts", "benchmarks")]

from input import import_pycls, photographs, processor  # noqa: E402

from apr.basics.files import read_json, write_json  # noqa: E402
from apr.models.anynet import Genotype  # noqa: E402
from apr.models.population import Space, sample_population  # noqa: E402
from apr.models.stems import stem_of  # noqa: E402

SPACE = Space(depth=(1, 16), width=(8, 1024), bottleneck=(1, 2, 4), group_width=(1, 2, 4, 8, 16, 32))
TRAIN = Path(__file__).resolve().parents[1] / "workflow/scripts/train.py"
CLASSES, BATCH = 8, 32
PROTOCOL = {
    **{"batch": BATCH, "lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-5, "warmup_epochs": 0},
    **{"precise_bn": 8192, "flip": True, "channels_last": True, "zero_init_final_gamma": False},
    **{"seed": 1, "revision": 1},
}
LARGE = {"resolution": 224, "eval_resize": 256, "crop": "random_resized", "padding": 0, "stem": "res_stem_in"}
SMALL = {"resolution": 32, "eval_resize": 32, "crop": "padded", "padding": 4, "stem": "res_stem_cifar"}


def main() -> None:
    """Run the comparison and print it, or be one side of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pycls", required=True, type=Path, help="a clone of facebookresearch/pycls")
    parser.add_argument("--json", type=Path, help="write the result to this file")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (default 3)")
    parser.add_argument(
        "--large", type=int, default=128, help="training pictures of 224 px, and half of them to test on"
    )
    parser.add_argument("--small", type=int, default=1280, help="the same of 32 px")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"], help="of ours (pycls: fp32)")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not (options.pycls / "pycls" / "core" / "net.py").is_file():
        parser.error(f"--pycls {options.pycls}: is no clone of facebookresearch/pycls (pycls/core/net.py is not there)")
    if options.side:
        side, task = options.side.split("=", 1)
        {"pack": packed, "peer": peer}[side](read_json(task), options.pycls)
        return
    result: dict[str, Any] = {"processor": processor(), "epochs": options.epochs, "precision": options.precision}
    for name, count, shape in (("large", options.large, LARGE), ("small", options.small, SMALL)):
        if count:
            with tempfile.TemporaryDirectory() as folder:
                result[name] = compared(Path(folder), count, shape, options)
    print(json.dumps(result, indent=1))
    if options.json:
        write_json(options.json, result)


def compared(folder: Path, count: int, shape: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """CPU-seconds of each side, and the ratios."""
    space = {"stem": "res_stem_in", "classes": CLASSES, "resolution": 224}
    genotype = sample_population(SPACE, size=1, seed=1, band=(360e6, 400e6), **space)[0]["genotype"]
    pictures(folder / "pictures", count, shape["resolution"])
    task = {"folder": str(folder), "count": count, "genotype": genotype, "epochs": options.epochs, **shape}
    protocol = PROTOCOL | shape | {"epochs": options.epochs, "precision": options.precision}
    taken: dict[str, list[float]] = {name: [] for name in ("pack", "train", "pycls", "pycls_without_ema")}
    for number in range(options.rounds):
        place = folder / str(number)
        place.mkdir()
        for name in taken:
            write_json(place / f"{name}.json", task | {"place": str(place), "ema": name == "pycls"})
            side = "pack" if name == "pack" else "peer"
            command = [__file__, "--pycls", str(options.pycls), "--side", f"{side}={place / name}.json"]
            if name == "train":
                command = training(place, genotype, protocol, shape["resolution"])
            taken[name].append(cpu_seconds(command, place / f"{name}.log"))
            print(f"{shape['resolution']} px: {name} {taken[name][-1]:.1f} CPU-s", flush=True)
    found = {name: statistics.median(times) for name, times in taken.items()}
    ours = found["pack"] + found["train"]
    return {
        **{"pictures": count, "genotype": genotype, "cpu_seconds": found, "ours": ours},
        **{f"ratio_to_{name}": found[name] / ours for name in ("pycls", "pycls_without_ema")},
        "ratio_to_pycls_without_ema_packed_before": found["pycls_without_ema"] / found["train"],
    }


def cpu_seconds(command: list[str], log: Path) -> float:
    """What a Python process and its children take to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(log, "w") as file:
        code = subprocess.run([sys.executable, *command], stdout=file, stderr=subprocess.STDOUT).returncode
    if code:
        sys.exit(f"error: {command[0]} ended with {code}:\n{log.read_text()[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def training(place: Path, genotype: str, protocol: dict[str, Any], resolution: int) -> list[str]:
    """The command of our training."""
    return [
        *[str(TRAIN), "--task", "timed", "--model", "a000", "--genotype", genotype, "--device", "cpu"],
        *["--view", str(place / "view.json"), "--packed", str(place / "packed")],
        *["--storage", "pixels" if resolution == 32 else "encoded", "--protocol", json.dumps(protocol)],
        *["--run", str(place / "run.json"), "--checkpoint", str(place / "checkpoint.pt")],
    ]


def pictures(folder: Path, count: int, resolution: int) -> None:
    """Pictures to train on, and half as many to test on, as both sides read them."""
    if resolution == 32:
        import numpy as np

        folder.mkdir()
        rows = np.random.default_rng(0).integers(0, 256, (count + count // 2, 3072)).astype(np.uint8)
        parts = dict(zip([f"data_batch_{i}" for i in range(1, 6)], np.array_split(rows[:count], 5), strict=True))
        for name, part in (parts | {"test_batch": rows[count:]}).items():
            labels = [i % CLASSES for i in range(len(part))]
            (folder / name).write_bytes(pickle.dumps({b"data": part, b"labels": labels}, protocol=2))
        names = {b"label_names": [f"n{i}".encode() for i in range(CLASSES)]}
        (folder / "batches.meta").write_bytes(pickle.dumps(names, protocol=2))
        return
    for i, data in enumerate(photographs(count + count // 2)):
        place = folder / ("train" if i < count else "val") / f"n{i % CLASSES}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{i}.jpg").write_bytes(data)


def packed(task: dict[str, Any], clone: Path) -> None:
    """Pack the pictures and select all of them, as the workflow does."""
    from apr.data.formats import read_listing
    from apr.data.packed import open_packed
    from apr.data.packing import pack_dataset
    from apr.data.views import select_view

    place, small = Path(task["place"]), task["resolution"] == 32
    listing = read_listing(
        Path(task["folder"], "pictures"),
        "cifar" if small else "split_folders",
        {} if small else {"test": "val"},
    )
    split, storage = {"test_fraction": 0.2, "seed": 0, "by": "image"}, "pixels" if small else "encoded"
    dataset = pack_dataset(
        listing, place / "packed", place / "dataset.json", name="timed", storage=storage, split=split
    )
    whole = {"classes": None, "per_class": None, "cap": None, "seed": 0}
    write_json(place / "view.json", select_view("timed", whole, dataset, open_packed(place / "packed", storage).index))


def peer(task: dict[str, Any], clone: Path) -> None:
    """Train with pycls, which knows GPUs alone: what moves to one stays."""
    import_pycls(clone)
    import cv2
    import pycls.core.net as net
    import pycls.core.trainer as trainer
    import pycls.datasets.loader as loader
    import torch
    from pycls.core.config import cfg

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.Tensor.cuda = torch.nn.Module.cuda = lambda self, *where, **how: self
    torch.cuda.current_device = lambda: 0
    torch.load = partial(torch.load, weights_only=False)  # it reads its own checkpoints
    genotype, small = Genotype.parse(task["genotype"]), task["resolution"] == 32
    cfg.MODEL.TYPE, cfg.MODEL.NUM_CLASSES = "anynet", CLASSES
    cfg.ANYNET.STEM_TYPE, cfg.ANYNET.STEM_W = task["stem"], stem_of(task["stem"])[2]
    cfg.ANYNET.BLOCK_TYPE, cfg.ANYNET.DEPTHS = "res_bottleneck_block", list(genotype.depths)
    cfg.ANYNET.WIDTHS, cfg.ANYNET.GROUP_WS = list(genotype.widths), list(genotype.group_widths)
    cfg.ANYNET.STRIDES = [1, 2, 2, 2]
    cfg.ANYNET.BOT_MULS = [1 / ratio for ratio in genotype.bottlenecks]
    cfg.OPTIM.BASE_LR, cfg.OPTIM.WEIGHT_DECAY, cfg.OPTIM.MAX_EPOCH = 0.05, 5e-5, task["epochs"]
    cfg.TRAIN.BATCH_SIZE, cfg.TEST.BATCH_SIZE, cfg.TRAIN.IM_SIZE = BATCH, BATCH, task["resolution"]
    cfg.TEST.IM_SIZE, cfg.TRAIN.DATASET = task["eval_resize"], "cifar10" if small else "imagenet"
    cfg.TEST.DATASET, cfg.TEST.SPLIT = cfg.TRAIN.DATASET, "test" if small else "val"
    cfg.DATA_LOADER.NUM_WORKERS, cfg.DATA_LOADER.PIN_MEMORY, cfg.PREC_TIME.NUM_ITER = 0, False, 0
    cfg.OUT_DIR, cfg.TRAIN.AUTO_RESUME = str(Path(task["place"], "ema" if task["ema"] else "plain")), False
    loader._DATA_DIR, loader._PATHS = task["folder"], dict.fromkeys(("cifar10", "imagenet"), "pictures")
    if not task["ema"]:
        without_ema(net, trainer)
    os.makedirs(cfg.OUT_DIR)
    trainer.train_model()


def without_ema(net: Any, trainer: Any) -> None:
    """Neither average the network, nor settle or test the average: every second call is for it."""
    net.update_model_ema = lambda *arguments: None
    for module, name in ((net, "compute_precise_bn_stats"), (trainer, "test_epoch")):
        calls, whole = [], getattr(module, name)

        def first_of_two(*arguments: Any, calls: list = calls, whole: Any = whole) -> None:
            calls.append(1)
            if len(calls) % 2:
                whole(*arguments)

        setattr(module, name, first_of_two)
    get = trainer.meters.TestMeter.get_epoch_stats
    trainer.meters.TestMeter.get_epoch_stats = lambda meter, epoch: (
        get(meter, epoch) if meter.num_samples else {"top1_err": 100.0}
    )


if __name__ == "__main__":
    main()
