"""Speed of one training step against pycls, the code the paper was made with.

    git clone https://github.com/facebookresearch/pycls
    python benchmarks/train_step.py --pycls pycls --json step.json

Both sides train the same architectures on the same random batch: forward, loss, top-k errors, backward, SGD. The peer
is pycls' own network, loss, optimiser and meters (pycls/core/trainer.py, train_epoch, without its .cuda()); rounds are
interleaved and each side's median counts. On a CPU seconds are CPU-seconds of one thread, so that other work on the
machine does not count. The ratio is a geometric mean over the architectures.
"""

import argparse
import json
import statistics
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import torch

from apr.basics.files import write_json
from apr.models.anynet import Genotype
from apr.models.network import build_network
from apr.models.population import Space, sample_population
from apr.models.stems import stem_of
from apr.runs.trainer import Trainer

SPACE = Space(depth=(1, 16), width=(8, 1024), bottleneck=(1, 2, 4), group_width=(1, 2, 4, 8, 16, 32))
CLASSES = 1000


def own_step(genotype: Genotype, device: torch.device, batch: int) -> Callable:
    """One step of this project, as train.py takes it."""
    protocol = {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-5}
    protocol |= {"precision": "bf16", "channels_last": True, "batch": batch}
    trainer = Trainer(build_network(genotype, stem="res_stem_in", classes=CLASSES), protocol, CLASSES, device)
    trainer.network.train()
    return trainer.step


def pycls_step(genotype: Genotype, device: torch.device, *, mixed: bool, stem: str = "res_stem_in") -> Callable:
    """One step of pycls; `mixed` puts bf16 autocast around its forward pass."""
    for name in ("submitit", "simplejson"):  # pycls imports them; a step uses neither
        stand_in = types.ModuleType(name)
        stand_in.helpers = types.SimpleNamespace(Checkpointable=object)
        sys.modules.setdefault(name, stand_in)
    import pycls.core.builders as builders
    import pycls.core.meters as meters
    import pycls.core.net as net
    import pycls.core.optimizer as optimizers
    from pycls.core.config import cfg

    cfg.MODEL.TYPE, cfg.MODEL.NUM_CLASSES = "anynet", CLASSES
    cfg.ANYNET.STEM_TYPE, cfg.ANYNET.STEM_W, cfg.ANYNET.BLOCK_TYPE = stem, stem_of(stem)[2], "res_bottleneck_block"
    cfg.ANYNET.DEPTHS, cfg.ANYNET.WIDTHS = list(genotype.depths), list(genotype.widths)
    cfg.ANYNET.STRIDES, cfg.ANYNET.GROUP_WS = [1, 2, 2, 2], list(genotype.group_widths)
    cfg.ANYNET.BOT_MULS = [1 / ratio for ratio in genotype.bottlenecks]
    cfg.OPTIM.BASE_LR, cfg.OPTIM.WEIGHT_DECAY = 0.05, 5e-5
    network = builders.build_model().to(device)
    loss_function, optimizer = builders.build_loss_fun(), optimizers.construct_optimizer(network)
    meter = meters.TrainMeter(1000)
    network.train()

    def step(inputs: torch.Tensor, labels: torch.Tensor) -> None:
        meter.iter_tic()
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=mixed):
            predictions = network(inputs)
            loss = loss_function(predictions, net.smooth_one_hot_labels(labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        top1, top5 = meters.topk_errors(predictions, labels, [1, 5])
        meter.iter_toc()
        meter.update_stats(top1.item(), top5.item(), loss.item(), 0.05, len(labels))

    return step


def seconds(step: Callable, inputs: torch.Tensor, labels: torch.Tensor, repeats: int) -> float:
    """CPU-seconds, or on a GPU seconds, of one step."""
    gpu = inputs.device.type == "cuda"
    clock = time.perf_counter if gpu else time.process_time
    if gpu:
        torch.cuda.synchronize()
    started = clock()
    for _ in range(repeats):
        step(inputs, labels)
    if gpu:
        torch.cuda.synchronize()
    return (clock() - started) / repeats


def compare(genotype: Genotype, options: argparse.Namespace, device: torch.device) -> dict:
    """Images per second of the three contestants on one architecture, medians over interleaved rounds."""
    inputs = torch.randn(options.batch, 3, options.resolution, options.resolution, device=device)
    labels = torch.randint(CLASSES, (options.batch,), device=device)
    steps = {
        "own": own_step(genotype, device, options.batch),
        "pycls": pycls_step(genotype, device, mixed=False),
        "pycls_amp": pycls_step(genotype, device, mixed=True),
    }
    for step in steps.values():
        step(inputs, labels)
    rounds = {name: [] for name in steps}
    for _ in range(options.rounds):
        for name, step in steps.items():
            rounds[name].append(seconds(step, inputs, labels, options.repeats))
    return {name: options.batch / statistics.median(times) for name, times in rounds.items()}


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pycls", required=True, type=Path, help="a clone of facebookresearch/pycls")
    parser.add_argument("--json", type=Path, help="write the result to this file")
    parser.add_argument("--models", type=int, default=6, help="architectures of the paper's band (default 6)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--repeats", type=int, default=1, help="steps a round (default 1; more on a GPU)")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--resolution", type=int, default=224)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    if not (options.pycls / "pycls" / "core" / "net.py").is_file():
        parser.error(f"--pycls {options.pycls}: is no clone of facebookresearch/pycls (pycls/core/net.py is not there)")
    sys.path.insert(0, str(options.pycls.resolve()))
    torch.set_num_threads(1)
    device = torch.device(options.device)
    population = sample_population(
        SPACE, size=options.models, seed=1, band=(360e6, 400e6), stem="res_stem_in", classes=CLASSES, resolution=224
    )
    rows = []
    for text in (model["genotype"] for model in population):
        row = {"genotype": text, **compare(Genotype.parse(text), options, device)}
        rows.append(row)
        print(f"{row['own']:8.1f} images/s, {row['own'] / row['pycls']:.2f} x pycls   {text}", flush=True)
    result = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu, one thread",
        "torch": torch.__version__,
        "batch": options.batch,
        "resolution": options.resolution,
        "ratio_to_pycls": statistics.geometric_mean(row["own"] / row["pycls"] for row in rows),
        "ratio_to_pycls_amp": statistics.geometric_mean(row["own"] / row["pycls_amp"] for row in rows),
        "models": rows,
    }
    print(json.dumps({key: value for key, value in result.items() if key != "models"}, indent=1))
    if options.json:
        write_json(options.json, result)


if __name__ == "__main__":
    main()
