"""Protocols, fingerprints and options as they were: who has finished runs has them under these."""

import argparse
import json

import numpy as np
import pytest
import torch
from golden import checked_rows
from small import PROTOCOL, checkpointing, loaders, trainer

import evaluate
from apr.basics.files import digest_of
from apr.basics.names import name_problem, plain_name
from apr.basics.randomness import generator, order, uniforms
from apr.basics.values import hint, limit_problem, nearest, shown, value_problem
from apr.runs.commands.commandline import DEVICE, number, with_keys
from apr.runs.commands.train_options import parser as of_training
from apr.runs.commands.transfer_options import parser as of_transfer
from apr.runs.finetuning_protocol import applied, planned_finetuning, planned_probe, strengths_of
from apr.runs.metrics import METRICS, check_metric, guess_of, part_of
from apr.runs.optimisation import learning_rate, make_optimizer
from apr.runs.protocol import contradictions, full_protocol, planned_protocol, value_problems
from apr.runs.record import new_run
from apr.runs.training import train_network
from apr.runs.ways import WAYS

VIEW = {"view": "v", "dataset": "d", "dataset_digest": "b", "indices_digest": "i", "n_train": 9, "index_digest": "x"}
SOURCE = {"task": "photos", "fingerprint": "f", "weights": "w", "protocol": {"epochs": 7}}
TUNED = {"epochs": 3, "batch": 8, "optimiser": "sgd", "lr": 0.1, "weight_decay": 0.0, "crop": "centre", "flip": True}
TUNED |= {"seed": 1, "revision": 2}
MODEL = "timm:resnet18.a1_in1k"
GROUP = ("lr", "momentum", "nesterov", "dampening", "weight_decay", "betas", "fused")


def of_protocols():
    trainings = {
        "training": full_protocol(PROTOCOL, genotype="g", manifest=VIEW),
        "initial": full_protocol(PROTOCOL | {"initial": "photos"}, genotype="g", manifest=VIEW, source=SOURCE),
        "continued": full_protocol(PROTOCOL | {"continues": "photos"}, genotype="g", manifest=VIEW, source=SOURCE),
        "evaluation": planned_protocol(MODEL, VIEW),
    }
    for changes in (
        {}, {"optimiser": "adamw"}, {"optimiser": "adamw", "decay": "by_rate", "momentum": 0.5, "nesterov": False},
        {"schedule": "steps", "milestones": [1, 2]}, {"crop": "padded", "padding": 2}, {"crop": "random_resized"},
        {"layers": "head", "weights": "a/b", "resolution": 64, "keep_epoch": "last"},
    ):  # fmt: skip
        trainings[f"fine-tuning {changes}"] = planned_finetuning(MODEL, TUNED | changes, "top1_accuracy", VIEW)
        yield changes, applied(TUNED | changes)
    for changes in ({}, {"classifier": "neighbours"}, {"strengths": [10, 0.1, 0.10], "batch": 2, "neighbours": 3}):
        trainings[f"probe {changes}"] = planned_probe(MODEL, changes, "macro_f1", VIEW)
        yield changes, strengths_of(changes)
    for name, protocol in trainings.items():
        yield name, json.dumps(protocol), digest_of(protocol)
    run = new_run(task="t", model="m", protocol=trainings["initial"], outcome={}, history=[], timing={}, provenance={},
                  weights="w", planned={"a": 1}, cost={"parameters": 1}, rank="best1", choice={"run": "x"})  # fmt: skip
    yield list(run), run["planned"], run["seed"]
    yield digest_of({"b": 1, "a": [1.5, None, True]}), digest_of({"a": [1.5, None, True], "b": 1})


def of_limits():
    for way, about in WAYS.items():
        for key, wanted in about.keys.items():
            ends = [
                wanted[end] for end in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum") if end in wanted
            ]
            values = [value + step for value in ends for step in (-1, 0, 1)] + [None, True, 1.5, "x", [], [1, 1]]
            refused = [value for value in values if value_problems({key: value}, about.keys)]
            yield way, key, refused, about.unsaid.get(key), about.only_with.get(key)
        yield way, about.pretrained, about.trains, about.outputs, [pair for pair, *_ in about.contradictions]
    pairs = {"resolution": (32, 33), "eval_resize": (32,), "epochs": (3,), "warmup_epochs": (2, 3), "batch": (8,)}
    for key, values in pairs.items():
        for value in values:
            changed = {name: own[0] for name, own in pairs.items()} | {key: value}
            yield changed, [pair for pair, _ in contradictions(changed)]
    for changes in ({"precise_bn": 7}, {"precise_bn": 8}, {"precise_bn": 0}, {"momentum": 0}, {"crop": "padded"}):
        yield changes, [pair for pair, _ in contradictions(PROTOCOL | {"padding": 0} | changes)]


def of_tuning_limits():
    for changes in (
        {}, {"momentum": 0.0}, {"nesterov": False, "momentum": 0.0}, {"schedule": "steps"}, {"decay": "by_rate"},
        {"schedule": "steps", "milestones": [2]}, {"schedule": "steps", "milestones": [2, 3]}, {"gamma": 0.2},
        {"resolution": 64, "eval_resize": 63}, {"resolution": 64, "eval_resize": 64}, {"padding": 1},
        {"layers": "head", "start": "scratch"}, {"smallest_area": 0.5}, {"optimiser": "adamw", "momentum": 0.5},
    ):  # fmt: skip
        way = WAYS["finetune"]
        table = (*way.contradictions, *way.of_studies)
        yield changes, [pair for pair, _ in contradictions(TUNED | changes, keys=way.keys, table=table)]


def taken(kind, value):
    try:
        return kind(str(value))
    except argparse.ArgumentTypeError as error:
        return str(error)


def of_options():
    common = ["--task", "t", "--view", "v", "--packed", "p", "--storage", "pixels", "--run", "r", "--checkpoint", "c"]
    yield sorted(
        vars(of_training("").parse_args([*common, "--protocol", json.dumps(PROTOCOL | {"padding": 0})])).items(),
        key=str,
    )
    for way, protocol in (("finetune", TUNED), ("probe", {})):
        asked = [*common, "--model", MODEL, "--protocol", json.dumps(protocol), "--outputs", "o"]
        yield sorted(vars(of_transfer("", way).parse_args(asked)).items(), key=str)
    yield sorted(vars(evaluate.parser().parse_args([*common, "--model", MODEL])).items(), key=str)
    parsers = (of_training(""), of_transfer("", "finetune"), of_transfer("", "probe"), evaluate.parser())
    for group in (group for parser in parsers for group in parser._action_groups):
        yield group.title
        for one in group._group_actions:
            yield one.option_strings, one.required, one.choices, one.metavar, one.help
    for name, least, most in (("threads", 1, 4096), ("batch", 1, 100_000), ("pause-after", 1, 100_000)):
        for parser in parsers:
            kind = next((one.type for one in parser._actions if one.option_strings == [f"--{name}"]), None)
            yield name, kind and [taken(kind, value) for value in (least - 1, least, most, most + 1)]
    for name in ("checkpoint-seconds", "resident-gb"):
        for parser in parsers:
            kind = next((one.type for one in parser._actions if one.option_strings == [f"--{name}"]), None)
            yield name, kind and [taken(kind, value) for value in (-0.5, 0, 0.5)]
    for text in ("auto", "cpu", "cuda", "cuda:0", "cuda:999", "cuda:1000", "cuda0", "gpu"):
        yield text, bool(DEVICE.fullmatch(text))
    yield number(int, minimum=1, maximum=3)("3"), number(float, minimum=0)("0")
    yield with_keys("--batch and --device, not --x-batch"), with_keys("none")


def of_rates():
    cosine, steps = {"lr": 0.3, "epochs": 7}, {"lr": 0.3, "epochs": 7, "schedule": "steps", "gamma": 0.5}
    for protocol in (cosine, cosine | {"warmup_epochs": 3}, steps | {"milestones": [2, 5]}):
        yield protocol, [f"{learning_rate(epoch, protocol):.6g}" for epoch in range(7)]
    weights = [torch.nn.Parameter(torch.zeros(1))]
    plain = {"lr": 0.02, "weight_decay": 0.1, "momentum": 0.5, "nesterov": True, "decay": "plain"}
    for protocol in (plain, plain | {"optimiser": "adamw"}, plain | {"optimiser": "adamw", "decay": "by_rate"}):
        (group,) = make_optimizer(weights, protocol).param_groups
        yield (
            type(make_optimizer(weights, protocol)).__name__,
            {key: group.get(key) for key in GROUP},
        )


def of_metrics():
    part = part_of(7, {"correct_top1": 3, "correct_top5": 6})
    for name, metric in METRICS.items():
        about = (metric.title, metric.label, metric.points, metric.words, metric.best, metric.perfect, metric.worst)
        told = (metric.of(part), metric.of(part | {name: 12.5}), metric.loss(30.0), metric.multilabel, metric.ordered)
        faults = [classes for classes in range(1, 8) if metric.fault(classes)]
        yield (
            name,
            *about,
            told,
            faults,
            metric.guess([5, 3, 2, 1, 1, 1, 1]) if metric.counts or metric.scored else None,
        )
    several = {"label_sets": [[0], [0, 1]], "n_test": 8, "per_class": {"test": [6, 2]}, "classes": "ab", "view": "v"}
    yield guess_of(METRICS["macro_f1"], several), guess_of(METRICS["top1_accuracy"], {"per_class": {"test": [3, 5]}})
    yield check_metric("t", "macro_f1", several)


def of_values():
    for value in (None, True, 3, 1.0, "x" * 70, [1] * 40, float("nan"), 10**400, "é\n"):
        yield shown(value), [kind for kind in ("integer", "number", "string", "null", "boolean", "array")
                             if not value_problem(value, {"type": kind})]  # fmt: skip
    for limits in ({"minimum": 1, "maximum": 3}, {"exclusiveMinimum": 1, "exclusiveMaximum": 3}, {"minimum": 2}):
        yield limits, [value for value in (0, 1, 2, 3, 4) if limit_problem(value, limits)]
    for name, known in (("lrr", ["lr", "epochs"]), ("zzz", ["lr"]), ("epoch", ["epochs", "epoch_s", "epos"]), (3, [3])):
        yield name, nearest(name, known), nearest(name, known, " (none)", most=2)
    yield hint("1e-2", ["number"]), hint("yes", ["boolean"]), hint(3, ["string"]), hint("5", ["integer"], "5")
    for name in (
        "a",
        "a b",
        "",
        ".a",
        "-a",
        "a" * 180,
        "a" * 181,
        "con",
        "é",
        "a/b",
        "a\n",
        None,
    ):
        yield name, name_problem(name)
    yield plain_name("a b/ç:d"), plain_name("x" * 300)


def of_draws():
    yield generator("a", 1).integers(1000, size=4).tolist(), generator("a", "1").integers(1000, size=4).tolist()
    for seed, epoch in ((0, 0), (0, 1), (1, 0), (2**31 - 1, 1 << 32)):
        yield (
            order(seed, epoch, 7).tolist(),
            [f"{u:.12f}" for u in uniforms(seed, epoch, np.array([0, 1, 2**40]), 2).flat],
        )


KINDS = {"protocols": of_protocols, "limits": of_limits, "options": of_options, "rates": of_rates, "values": of_values}
KINDS |= {"metrics": of_metrics, "draws": of_draws, "tuning": of_tuning_limits}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_as_it_was(kind):
    checked_rows(f"runs/{kind}", KINDS[kind]())


LOSSES = {
    "as it is": ({}, 1.80092),
    "another seed": ({"seed": 4}, 1.81964),
    "decay": ({"weight_decay": 0.5}, 1.79697),
    "little momentum": ({"momentum": 0.5, "nesterov": False}, 1.80013),
    "padded at 12 px": ({"crop": "padded", "resolution": 12, "eval_resize": 14}, 1.79428),
    "centre": ({"crop": "centre", "flip": False}, 1.81011),
    "warm-up": ({"warmup_epochs": 1}, 1.78637),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_first_epoch_goes_as_it_went(name, tmp_path):
    """Weights, order, crops, flips, warm-up, decay and momentum: all are in the loss."""
    torch.set_num_threads(1)
    changes, expected = LOSSES[name]
    protocol = PROTOCOL | {"warmup_epochs": 0} | changes
    given = trainer(protocol), *loaders(tmp_path, protocol), checkpointing(tmp_path)
    _, (entry,), _ = train_network(*given, pause_after=1)
    assert entry["train_loss"] == pytest.approx(expected, abs=5e-4)
