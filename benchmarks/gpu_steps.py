"""Variants of one training step on a GPU: images per second, and the share of what the measured copy rate allows."""

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import timm
import torch
from train_step import CLASSES, SPACE, pycls_step

from apr.models.anynet import Genotype, complexity
from apr.models.network import build_network
from apr.models.population import sample_population
from apr.runs.finetuning.finetuner import FineTuner
from apr.runs.machine.devices import set_arithmetic
from apr.runs.trainer import Trainer

# Reads and writes of an activation in one step when everything that can be is fused into the convolutions, forward and
# backward: what the roofline assumes.
ACCESSES = 8
PROTOCOL = {"epochs": 10, "batch": 64, "lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-5}
PROTOCOL |= {"warmup_epochs": 1, "precise_bn": 512, "precision": "bf16", "channels_last": True}
VARIANTS = {
    "fp32": {"precision": "fp32", "channels_last": False},
    "bf16": {"precision": "bf16", "channels_last": False},
    "bf16 channels_last": {"precision": "bf16", "channels_last": True},
    "bf16 channels_last, graph": {"precision": "bf16", "channels_last": True, "graph": True},
    "bf16 channels_last, graph, fused": {"precision": "bf16", "channels_last": True, "graph": True, "fused": True},
}
DEFAULT = VARIANTS["bf16 channels_last, graph, fused"]  # what train.py does on a GPU
# pycls as it is takes torch's own default, TF32 in convolutions; then without it, and with bf16 autocast around it
PEERS = {"pycls": ("torch's default", False), "pycls fp32": ("fp32", False), "pycls amp": ("torch's default", True)}


def seconds(function: Callable[[], Any], device: torch.device, repeats: int) -> float:
    """Median seconds of one call, each timed by itself with the device's work done."""
    if device.type != "cuda":
        return _seconds(function, 1)
    for _ in range(3):
        function()
    times = []
    for _ in range(3):
        torch.cuda.synchronize()
        times.append(_seconds(lambda: ([function() for _ in range(repeats)], torch.cuda.synchronize()), 1) / repeats)
    return statistics.median(times)


def _seconds(function: Callable[[], Any], repeats: int) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - started) / repeats


def ceilings(device: torch.device) -> dict:
    """Copy on the device (bytes read and written), a bf16 matrix product, and pinned memory to the device."""
    size, side = (2**30, 8192) if device.type == "cuda" else (2**24, 256)
    a = torch.randint(0, 100, (size,), dtype=torch.int8, device=device)
    b = torch.empty_like(a)
    x, y = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    host = torch.empty(size // 4, dtype=torch.uint8, pin_memory=device.type == "cuda")
    there = torch.empty_like(host, device=device)
    return {
        "copy_tb_per_s": 2 * size / seconds(lambda: b.copy_(a), device, 20) / 1e12,
        "bf16_tflop_per_s": 2 * side**3 / seconds(lambda: x @ y, device, 20) / 1e12,
        "pinned_to_device_gb_per_s": size / 4 / seconds(lambda: there.copy_(host, non_blocking=True), device, 10) / 1e9,
    }


def stem_at(resolution: int) -> str:
    """The stem that the paper takes at a resolution."""
    return "res_stem_in" if resolution > 32 else "res_stem_cifar"


def architectures(count: int = 6) -> list[Genotype]:
    """Architectures of the paper's band."""
    band = {"band": (360e6, 400e6), "stem": "res_stem_in", "classes": CLASSES, "resolution": 224}
    return [Genotype.parse(one["genotype"]) for one in sample_population(SPACE, size=count, seed=1, **band)]


def step_of(genotype: Genotype, resolution: int, batch: int, device: torch.device, variant: dict) -> Callable[[], Any]:
    """One training step of a variant, on a batch that lies on the device."""
    set_arithmetic(variant["precision"], torch)
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    torch.manual_seed(0)
    network = build_network(genotype, stem=stem_at(resolution), classes=CLASSES)
    protocol = PROTOCOL | variant | {"batch": batch}
    options = {"recorded": variant.get("graph", False), "fused": variant.get("fused", False)}
    trainer = Trainer(network, protocol, CLASSES, device, **options)
    trainer.network.train()
    images = torch.randn(batch, 3, resolution, resolution, device=device).contiguous(memory_format=trainer.layout)
    labels = torch.randint(CLASSES, (batch,), device=device)
    return partial(trainer.step, images, labels)


def steps(device: torch.device, resolution: int, peers: bool, deadline: float) -> dict:
    """Images per second of each variant and architecture; geometric means, and ratios to pycls where it is given."""
    gpu = device.type == "cuda"
    batch, repeats = (128, 10) if gpu else (2, 1)
    copy = ceilings(device)["copy_tb_per_s"] * 1e12 if gpu else None
    rows = []
    for genotype in architectures(6 if gpu else 1):
        if time.monotonic() > deadline:
            break
        speeds: dict[str, float | None] = {}
        makers = {name: partial(step_of, genotype, resolution, batch, device, v) for name, v in VARIANTS.items()}
        if peers:
            for name, peer in PEERS.items():
                makers[name] = partial(_peer, genotype, resolution, batch, device, *peer)
        for name, make in makers.items():
            try:
                speeds[name] = batch / seconds(make(), device, repeats)
            except Exception as error:
                print(f"{name}, {genotype}: {type(error).__name__}: {error}"[:600], flush=True)
                speeds[name] = None
            if gpu:
                torch.cuda.empty_cache()
        stem = stem_at(resolution)
        activations = complexity(genotype, stem=stem, classes=CLASSES, resolution=resolution).activations
        limit = copy / (2 * ACCESSES * activations) if copy else None
        rows.append(
            {"genotype": str(genotype), "activations": activations, "roofline": limit, "images_per_second": speeds}
        )
        print(resolution, genotype, {name: speed and round(speed) for name, speed in speeds.items()}, flush=True)
    return {"batch": batch, "models": rows, "geometric_means": means(rows)}


def means(rows: list[dict]) -> dict:
    """For each variant its geometric means over the architectures: images/s, share of the roofline, × pycls."""
    found = {}
    for name in rows[0]["images_per_second"] if rows else ():
        speeds = [row["images_per_second"][name] for row in rows]
        if not all(speeds):
            continue
        found[name] = {"images_per_second": statistics.geometric_mean(speeds)}
        if rows[0]["roofline"]:
            shares = [speed / row["roofline"] for speed, row in zip(speeds, rows, strict=True)]
            found[name]["share_of_roofline"] = statistics.geometric_mean(shares)
        for peer in PEERS:
            others = [row["images_per_second"].get(peer) for row in rows]
            if all(others):
                found[name][f"times_{peer}"] = statistics.geometric_mean(
                    a / b for a, b in zip(speeds, others, strict=True)
                )
    return found


def _peer(
    genotype: Genotype, resolution: int, batch: int, device: torch.device, arithmetic: str, mixed: bool
) -> Callable[[], Any]:
    set_arithmetic("fp32", torch)
    torch.backends.cudnn.allow_tf32 = arithmetic != "fp32"
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = False, True  # pycls' own settings
    step = pycls_step(genotype, device, mixed=mixed, stem=stem_at(resolution))
    images = torch.randn(batch, 3, resolution, resolution, device=device)
    return partial(step, images, torch.randint(CLASSES, (batch,), device=device))


def finetuning(device: torch.device) -> dict:
    """Images per second of a fine-tuning step at 224 px, and of a plain loop of torch in float32 beside it."""
    batch, size = (64, 224) if device.type == "cuda" else (2, 64)
    found = {}
    for name in ("resnet50", "efficientnet_b0", "convnext_tiny"):
        inputs = torch.randn(batch, 3, size, size, device=device)
        labels = torch.randint(10, (batch,), device=device)
        protocol = PROTOCOL | {"layers": "all", "metric": "top1_accuracy", "batch": batch, "optimiser": "sgd"}
        set_arithmetic("bf16", torch)
        own = FineTuner(timm.create_model(name, num_classes=10), [], protocol, {"classes": list("abcdefghij")}, device)
        own.train_mode()
        speeds = {"own": batch / seconds(partial(own.step, inputs, labels), device, 10)}
        set_arithmetic("fp32", torch)
        network = timm.create_model(name, num_classes=10).to(device).train()
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, nesterov=True)

        def step(network=network, optimizer=optimizer, inputs=inputs, labels=labels) -> None:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(inputs), labels).backward()
            optimizer.step()

        found[name] = speeds | {"plain_fp32": batch / seconds(step, device, 10)}
    return found
