"""The features that a probe asks for by its command line: those of an earlier probe, or new ones, which are kept."""

import argparse
import importlib.metadata
import logging
from collections.abc import Mapping
from typing import Any

import torch

from apr.basics.files import digest_of
from apr.basics.interruption import stop_if_asked
from apr.basics.leases import Lease
from apr.models.heads import headless
from apr.models.pretrained import Pretrained
from apr.runs.checkpoints import Checkpointing
from apr.runs.commands.loaders import open_loaders
from apr.runs.finetuning.features import (
    Features,
    extract,
    features_file,
    identity_of,
    keep_features,
    read_features,
    recipe_of,
    width_of,
)
from apr.runs.finetuning.networks import check_size, cost_of
from apr.runs.machine.devices import choose_device, described, machine_of, set_arithmetic, versions

log = logging.getLogger("apr")


def features_of(
    arguments: argparse.Namespace,
    manifest: dict[str, Any],
    protocol: Mapping[str, Any],
    pretrained: Pretrained,
    sizes: Mapping[str, int],
) -> tuple[Features, dict[str, int]]:
    """The features of the images of a view, and what the network without its head costs.

    Probes that want the same features at once extract them once: the others wait.

    Args:
        arguments: of the command line.
        manifest: of the view.
        protocol: of the run, whole.
        pretrained: the model; its head is taken off.
        sizes: how many images each part has, in the order of the parts.

    Raises:
        Interrupted: a signal came; a checkpoint is written beside where the features go.
        Problem: the network has no head that is found, does not take pictures of this size, or the memory is full.
    """
    size, identity = protocol["input"]["resolution"], identity_of(protocol)
    network = headless(pretrained.network, pretrained.outputs, arguments.model)
    check_size(pretrained, size, arguments.model)
    width, cost = width_of(network, size, arguments.model), cost_of(network, size)
    file = features_file(arguments.features, arguments.model, identity)
    with Lease(file.with_suffix(".lease"), waiting=stop_if_asked, thing="file of features") as lease:
        found = read_features(file, identity, sizes)
        if found:
            log.info("takes the features that an earlier probe kept, %s", file)
            return found, cost
        checkpoint, batch = file.with_suffix(".pt"), arguments.protocol["batch"]
        fingerprint = digest_of({"of": identity, "batch": batch})
        kept = Checkpointing(checkpoint, fingerprint, arguments.checkpoint_seconds, lease.check)
        machine = machine_of(torch)
        device = torch.device(choose_device(arguments.device, "fp32", machine))
        set_arithmetic("fp32", torch)
        torch.backends.cudnn.deterministic = True
        shades = {"mean": protocol["input"]["mean"], "sd": protocol["input"]["sd"], "seed": 0}
        loaders = open_loaders(arguments, manifest, recipe_of(protocol), device, **shades)
        parts, seconds = extract(network, width, {part: loaders[part] for part in sizes}, batch, kept)
        provenance = versions(arguments.threads) | described(str(device), "fp32", machine, torch) | {"batch": batch}
        provenance |= {name: importlib.metadata.version(name) for name in ("timm", "pillow")}
        found = Features(parts, seconds, provenance)
        lease.check()
        keep_features(file, identity, found)
        checkpoint.unlink(missing_ok=True)
    return found, cost
