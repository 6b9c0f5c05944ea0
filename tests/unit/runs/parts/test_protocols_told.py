"""What protocols of each way make of settings, and say of them, whole and as it was looked at."""

import itertools

import pytest
from golden import checked_rows, told_by

from apr.basics.problems import Problem
from apr.runs import finetuning_protocol, protocol
from apr.runs.finetuning_protocol import applied, planned_finetuning, planned_probe, strengths_of
from apr.runs.protocol import (
    KEYS,
    UNSAID,
    check_protocol,
    check_protocol_keys,
    contradictions,
    full_protocol,
    images_of,
    planned_protocol,
    value_problems,
)
from apr.runs.ways import AXES, PROTOCOL, WAYS

said = told_by(Problem)

WHOLE = dict(epochs=4, batch=8, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.0, warmup_epochs=0, precise_bn=0)
WHOLE |= dict(resolution=8, eval_resize=8, crop="centre", padding=0, flip=False, stem="simple_stem_in")
WHOLE |= dict(precision="fp32", channels_last=False, seed=1, revision=1)
TUNE = dict(epochs=4, batch=8, lr=0.1, weight_decay=0.0, crop="centre", flip=False, optimiser="sgd", seed=1, revision=1)
MANIFEST = {"view": "v", "dataset": "d", "dataset_digest": "1", "indices_digest": "2", "classes": ["a"], "n_test": 3}
CHANGES = {
    "train": [
        *({"resolution": 9}, {"resolution": 8}, {"warmup_epochs": 4}, {"warmup_epochs": 3}, {"momentum": 0}),
        *({"momentum": 0, "nesterov": False}, {"padding": 1}, {"padding": 1, "crop": "padded"}, {"precise_bn": 7}),
        *({"precise_bn": 8}, {"padding": 1, "resolution": 16, "momentum": 0}, {"lr": "x", "resolution": 16}),
        *({"resolution": "x", "padding": 2}, {"crop": "center"}, {"epochs": 0}, {"batch": 1}, {"initial": "a"}),
        *({"continues": "a"}, {"sed": 1}, {"zero_init_final_gamma": True}),
    ],
    "finetune": [
        *({"padding": 2}, {"padding": 2, "crop": "padded"}, {"schedule": "steps"}, {"milestones": [1]}),
        *({"schedule": "steps", "milestones": [1, 3]}, {"schedule": "steps", "milestones": [4]}, {"gamma": 0.5}),
        *({"smallest_area": 0.5}, {"optimiser": "adamw"}, {"optimiser": "adamw", "momentum": 0.5}),
        *({"optimiser": "adamw", "momentum": 0.9}, {"optimiser": "adamw", "nesterov": False}, {"momentum": 0}),
        *({"decay": "by_rate"}, {"resolution": 16, "eval_resize": 8}, {"resolution": 16}, {"eval_resize": 8}),
        *({"layers": "head"}, {"layers": "head", "start": "scratch"}, {"start": "scratch"}, {"gamma": None}),
    ],
    "probe": [
        *({}, {"neighbours": 5}, {"classifier": "neighbours"}, {"classifier": "neighbours", "strengths": [1.0]}),
        *(
            {"classifier": "neighbours", "neighbours": 5},
            {"strengths": [10, 1, 1.0]},
            {"strengths": []},
            {"strengths": [0]},
        ),
        *({"resolution": 16, "eval_resize": 8}, {"batch": 0}, {"weights": "w"}),
    ],
    "evaluate": [{}, {"batch": 0}, {"weights": 1}],
}
BASES = {"train": WHOLE, "finetune": TUNE, "probe": {}, "evaluate": {}}


def of_ways():
    for name, way in WAYS.items():
        about = (way.pretrained, way.trains, way.outputs, way.planned and way.planned.__name__)
        yield name, about, dict(way.unsaid), dict(way.only_with), [key for key in way.keys]
        for change in CHANGES[name]:
            given = BASES[name] | change
            keys = (way.keys, way.unsaid, way.contradictions)
            yield name, change, said(check_protocol_keys, given, *keys)
            every = {**way.unsaid, **given}
            for table in (way.contradictions, way.of_studies):
                found = contradictions(every, lambda key: f" (of {key})", keys=way.keys, table=table)
                yield [text for _, text in found]
    yield sorted(PROTOCOL), sorted(AXES), {key: dict(wanted) for key, wanted in PROTOCOL.items()}
    yield said(check_protocol_keys, {}), said(check_protocol_keys, [1]), said(check_protocol_keys, WHOLE | {"lr": None})
    yield said(check_protocol_keys, {key: value for key, value in WHOLE.items() if key != "lr"})
    yield value_problems({"lr": 0, "epochs": 100_001, "momentum": 1, "flip": 1, "x": 2}, KEYS)


def of_plans():
    yield (
        applied(TUNE | {"weights": "w"}),
        applied(TUNE | {"optimiser": "adamw", "crop": "padded", "schedule": "steps"}),
    )
    for change in CHANGES["probe"][:6]:
        yield planned_probe("m", change | {"weights": "w"}, "auc", MANIFEST), strengths_of(change)
    yield planned_finetuning("m", TUNE | {"crop": "random_resized"}, "auc", MANIFEST)
    yield planned_protocol("m", MANIFEST), images_of(MANIFEST)
    source = {"task": "t", "fingerprint": "f", "weights": "w", "protocol": {"epochs": 7}}
    for start in ({}, {"initial": "t"}, {"continues": "t"}):
        given = source if start else None
        yield full_protocol({"lr": 1, **start}, genotype="g", manifest=MANIFEST, source=given)
    del source["weights"]
    yield full_protocol({"zero_init_final_gamma": True}, genotype="g", manifest=MANIFEST, source=source)["initial"]
    run = {"protocol": {"lr": 1, "images": {"view": "v", "more": 1}, "seed": None}}
    for expected in ({"lr": 1, "images": {"view": "v", "more": 1}, "seed": None}, {"lr": 2, "images": {"view": "w"}}):
        yield said(check_protocol, run, expected, "a.json")


@pytest.mark.parametrize("kind", ["ways", "plans"])
def test_protocols_are_what_they_were(kind):
    checked_rows(f"runs/protocols_{kind}", {"ways": of_ways, "plans": of_plans}[kind]())


def test_a_key_that_does_nothing_is_refused_unless_it_says_what_is_meant_unsaid():
    """Each key that is read only where another has some value: alone, as unsaid, left out, and with that value."""
    for table, unsaid, keys in (
        (finetuning_protocol.ONLY_WITH, finetuning_protocol.UNSAID, finetuning_protocol.FINETUNING),
        (finetuning_protocol.PROBED_WITH, finetuning_protocol.UNSAID_OF_PROBES, finetuning_protocol.PROBING),
    ):
        others = {"optimiser": ("sgd", "adamw"), "schedule": ("cosine", "steps"), "crop": ("centre", "random_resized")}
        others |= {"classifier": ("logistic", "neighbours")}
        values = {"momentum": 0.5, "nesterov": False, "decay": "by_rate", "milestones": [1], "gamma": 0.5}
        values |= {"smallest_area": 0.5, "padding": 3, "strengths": [1.0], "neighbours": 3}
        for key, (other, needed) in table.items():
            rule = finetuning_protocol._only_with(key, other, needed, unsaid)
            for way, value in itertools.product({*others[other], needed}, (values[key], unsaid[key], None)):
                found = contradictions({key: value, other: way}, keys=keys, table=[rule])
                idle = way != needed and value == values[key]
                assert [pair for pair, _ in found] == [(key, other)] * idle, (key, value, way)


def test_unsaid_keys_and_numbers_of_revisions():
    assert UNSAID == {"zero_init_final_gamma": False}
    assert protocol.EVALUATION_REVISION == 1
