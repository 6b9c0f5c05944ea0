"""What one GPU does with this project, in under 8 minutes: no network, no Snakemake, nothing outside the repository.

    python benchmarks/gpu.py --json gpu.json [--pycls DIR] [--npz FILE]

In order: the device and its ceilings, tests/gpu, variants of the training step (images/s, and the share of what the
measured copy rate allows), input, several trainings at once, one short real training. A part that fails is recorded
with its error, and the others go on; what no time is left for is recorded as such. `--device cpu` tries the script
itself, at sizes that say nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("workflow/scripts", "benchmarks")]

import numpy as np  # noqa: E402
import torch  # noqa: E402
from gpu_steps import DEFAULT, PROTOCOL, architectures, ceilings, finetuning, seconds, step_of, steps  # noqa: E402
from PIL import Image  # noqa: E402

from apr.basics.files import write_json  # noqa: E402
from apr.data.packed import INDEX, open_packed  # noqa: E402
from apr.data.sources.bundled import make_bundled  # noqa: E402
from apr.models.network import build_network  # noqa: E402
from apr.runs.batches import Images, Loader, Recipe  # noqa: E402
from apr.runs.checkpoints import Checkpointing  # noqa: E402
from apr.runs.machine.devices import described, machine_of, set_arithmetic, versions  # noqa: E402
from apr.runs.trainer import Trainer  # noqa: E402
from apr.runs.training import train_network  # noqa: E402

MINUTES = 7.5
WAIT = 1800  # seconds: a part that takes longer hangs


def main() -> None:
    """Run every part and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, help="write the results to this file, part by part")
    parser.add_argument("--pycls", type=Path, help="a clone of facebookresearch/pycls, to compare the step with")
    parser.add_argument("--npz", type=Path, help="x_train, y_train, x_test, y_test to train on (default: bundled)")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"to stop after (default {MINUTES})")
    parser.add_argument("--skip", nargs="*", default=[], help="parts to leave out")
    parser.add_argument("--device", default="cuda", help="cuda (default), or cpu to try the script")
    parser.add_argument("--beside", type=float, help=argparse.SUPPRESS)  # one of several trainings at once
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        parser.error("torch sees no GPU here; `--device cpu` tries the script itself")
    if options.beside:
        print(one_beside(device, options.beside))
        return
    if options.pycls:
        sys.path.insert(0, str(options.pycls.resolve()))
    deadline = 60 * options.minutes + time.monotonic()
    torch.set_num_threads(1 if device.type == "cpu" else min(8, os.cpu_count() or 1))
    parts: dict[str, Callable[[], Any]] = {
        "device": partial(about, device),
        "ceilings": partial(ceilings, device),
        "tests": tests,
        "steps_224": partial(steps, device, 224, options.pycls is not None, deadline),
        "steps_32": partial(steps, device, 32, options.pycls is not None, deadline),
        "input": partial(inputs, device),
        "training": partial(training, device, options.npz),
        "at_once": partial(at_once, options.device),
        "finetuning": partial(finetuning, device),
    }
    results: dict[str, Any] = {}
    for name, part in parts.items():
        if name in options.skip:
            continue
        started = time.monotonic()
        if started > deadline:
            results[name] = "no time was left"
        else:
            try:
                results[name] = part()
            except Exception as error:
                traceback.print_exc()
                results[name] = {"error": f"{type(error).__name__}: {error}"[:1000]}
        print(f"{name} ({time.monotonic() - started:.0f} s): {json.dumps(results[name])}"[:2500], flush=True)
        write_json(options.json, results)
    if any(isinstance(result, dict) and "error" in result for result in results.values()):
        sys.exit(1)


def about(device: torch.device) -> dict:
    """Device and versions, as the provenance of a run has them."""
    machine = machine_of(torch)
    return (
        versions(torch.get_num_threads()) | described(str(device), "bf16", machine, torch) | {"cores": os.cpu_count()}
    )


def tests() -> dict:
    """The tests of tests/gpu."""
    folder = [str(ROOT / "tests" / "gpu"), "-q", "-p", "no:cacheprovider", "--no-header"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *folder], cwd=ROOT, capture_output=True, text=True, timeout=WAIT
    )
    lines = (done.stdout + done.stderr).strip().splitlines()
    if done.returncode:
        print("\n".join(lines[-60:]), flush=True)
    return {"said": lines[-1]} | ({} if done.returncode in (0, 5) else {"error": "\n".join(lines[-12:])})


def packed_noise(folder: Path, *, count: int, height: int, width: int, storage: str) -> tuple[Any, np.ndarray]:
    """Smooth noise, packed: pixels, or JPEGs as a camera makes them."""
    random = np.random.default_rng(0)
    index, labels = np.zeros(count, INDEX), np.arange(count) % 10
    with open(folder / f"{storage}.bin", "wb") as file:
        for i in range(count):
            rough = random.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
            image = Image.fromarray(rough).resize((width, height), Image.Resampling.BICUBIC)
            index[i]["offset"] = file.tell()
            if storage == "encoded":
                image.save(file, format="JPEG", quality=90)
            else:
                file.write(np.asarray(image).tobytes())
            index[i]["bytes"] = file.tell() - int(index[i]["offset"])
    index["height"], index["width"], index["label"] = height, width, labels
    np.save(folder / f"{storage}.index.npy", index)
    return open_packed(folder / storage, storage), labels


def inputs(device: torch.device) -> dict:
    """Images per second of the loader alone, at 224 px from 500 × 375: resident, read as pixels, decoded from JPEG."""
    gpu, found = device.type == "cuda", {}
    count, batch, size = (1024, 128, (375, 500)) if gpu else (16, 4, (37, 50))
    recipe = Recipe(crop="random_resized", resolution=224, eval_resize=256, padding=0, flip=True)
    threads = min(16, os.cpu_count() or 1)
    for name, storage, resident in (("resident", "pixels", 2**40), ("pixels", "pixels", 0), ("jpeg", "encoded", 0)):
        with tempfile.TemporaryDirectory() as folder:
            packed, labels = packed_noise(Path(folder), count=count, height=size[0], width=size[1], storage=storage)
            images = Images(packed, np.arange(count), labels, device, resident_bytes=resident, workers=threads)
            loader = Loader(images, recipe, mean=[0.5] * 3, sd=[0.25] * 3, seed=0)
            for _ in loader.training(0, batch):
                pass
            started, passes = time.perf_counter(), 4 if name == "resident" else 1
            for epoch in range(passes):
                for batch_inputs, _ in loader.training(1 + epoch, batch):
                    batch_inputs.sum()
            if gpu:
                torch.cuda.synchronize()
            found[name] = passes * (count // batch * batch) / (time.perf_counter() - started)
    return found | {"threads": threads}


def one_beside(device: torch.device, duration: float) -> float:
    """Images per second of a 32-px training step over some seconds that others train, too."""
    step = step_of(architectures(1)[0], 32, 128, device, DEFAULT)
    seconds(step, device, 3)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < duration:
        step()
        done += 128
    if device.type == "cuda":
        torch.cuda.synchronize()
    return done / (time.perf_counter() - started)


def at_once(device: str) -> dict:
    """Images per second of one, two and four trainings of 32 px on one GPU, in processes of their own."""
    found = {}
    for count in (1, 2, 4):
        command = [sys.executable, __file__, "--json", os.devnull, "--device", device, "--beside", "5"]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
        found[count] = sum(float(one.communicate(timeout=WAIT)[0].split()[-1]) for one in running)
    return found


def training(device: torch.device, npz: Path | None) -> dict:
    """One real training, its steps as they are by default and plain: its errors, and how fast it was."""
    arrays = dict(np.load(npz, allow_pickle=False)) if npz else make_bundled("digits")
    with tempfile.TemporaryDirectory() as folder:
        pixels = np.concatenate([arrays["x_train"], arrays["x_test"]])
        labels = np.concatenate([arrays["y_train"], arrays["y_test"]]).astype(np.int64)
        index = np.zeros(len(labels), INDEX)
        index["height"], index["width"], index["label"] = *pixels.shape[1:3], labels
        index["bytes"] = pixels[0].size
        index["offset"] = np.arange(len(labels)) * pixels[0].size
        pixels.tofile(Path(folder) / "images.bin")
        np.save(Path(folder) / "images.index.npy", index)
        packed = open_packed(Path(folder) / "images", "pixels")
        classes, first = int(labels.max()) + 1, len(arrays["y_train"])
        recipe = Recipe(crop="padded", resolution=32, eval_resize=32, padding=4, flip=False)
        loaders = [
            Loader(
                Images(packed, rows, labels[rows], device, resident_bytes=2**34, workers=4),
                recipe,
                mean=[0.5] * 3,
                sd=[0.25] * 3,
                seed=0,
            )
            for rows in (np.arange(first), np.arange(first, len(labels)))
        ]
        set_arithmetic("bf16", torch)
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
        protocol = PROTOCOL | {"epochs": 30 if device.type == "cuda" else 1, "resolution": 32}
        found: dict[str, Any] = {"data": str(npz or "bundled digits")}
        for name, options in (
            ("recorded and fused", {}),
            ("recorded", {"fused": False}),
            ("plain", {"recorded": False, "fused": False}),
        ):
            torch.manual_seed(0)
            network = build_network(architectures(1)[0], stem="res_stem_cifar", classes=classes)
            one = Trainer(network, protocol, classes, device, **options)
            kept = Checkpointing(path=Path(folder) / f"{name}.pt", fingerprint="0", seconds=1e9)
            outcome, history, timing = train_network(one, *loaders, kept)
            losses = [entry["train_loss"] for entry in history]
            found[name] = {"outcome": outcome, "first_and_last_loss": [losses[0], losses[-1]], "timing": timing}
    return found


if __name__ == "__main__":
    main()
