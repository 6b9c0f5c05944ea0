"""What a saved training may say of itself, and of its weights and its optimiser: each limit from both sides."""

import copy
import logging
import math

import pytest
import torch

from apr.runs.checkpoints import (
    infinite,
    load_checkpoint,
    momenta_fault,
    save_checkpoint,
    settings_fault,
    tensors_fault,
)
from apr.runs.progress import Progress, is_diverging, progress_fault

SUMS = torch.tensor([1.5, 3, 7], dtype=torch.float64)
PART = {"n": 9, "correct_top1": 3, "correct_top5": 7}
STANDS, IMPOSSIBLE = (
    "does not say where the training stands",
    "says something impossible about where the training stands",
)
SECOND = "its history of epoch 2 is not one"
BEFORE = "its history is not that of the epochs before"

LATER = torch.tensor([1, math.nan, 1])


def entry(number, **changes):
    return {"epoch": number, "lr": 0.1, "train_loss": 2, "parts": {"train": PART}} | changes


def at(epoch=2, step=3, sums=SUMS, history=None):
    return {"epoch": epoch, "step": step, "sums": sums, "history": history or [entry(n + 1) for n in range(epoch)]}


def test_a_training_begins_with_nothing():
    assert vars(Progress()) == {"epoch": 0, "step": 0, "sums": None, "history": []}
    assert progress_fault(vars(Progress()), 0, 0) is None


@pytest.mark.parametrize(
    ("progress", "fault"),
    [
        (at(), None),
        (at(epoch=5, step=7), None),
        (at(step=0, sums=None), None),
        (at(epoch=0), None),
        (None, STANDS),
        ([*at()], STANDS),
        (at() | {"more": 1}, STANDS),
        ({key: value for key, value in at().items() if key != "sums"}, STANDS),
        (at(epoch=6), IMPOSSIBLE),
        (at(epoch=-1), IMPOSSIBLE),
        (at() | {"epoch": 2.0}, IMPOSSIBLE),
        (at() | {"epoch": True}, IMPOSSIBLE),
        (at(step=8), IMPOSSIBLE),
        (at(step=-1), IMPOSSIBLE),
        (at(step=1.0), IMPOSSIBLE),
        (at(step=0), IMPOSSIBLE),
        (at(step=1, sums=None), IMPOSSIBLE),
        (at(sums=SUMS[:2]), IMPOSSIBLE),
        (at(sums=SUMS[None]), IMPOSSIBLE),
        (at(sums=SUMS.float()), IMPOSSIBLE),
        (at(sums=[1.5, 3, 7]), IMPOSSIBLE),
        (at(history=(entry(1), entry(2))), BEFORE),
        (at(history=[entry(1)]), BEFORE),
        (at(history=[entry(1), entry(2), entry(3)]), BEFORE),
        (at(history=[entry(2), entry(1)]), "its history of epoch 1 is not one"),
        (at(history=[entry(1), None]), SECOND),
        (at(history=[entry(1), entry(2.0)]), SECOND),
        (at(history=[entry(True), entry(2)]), "its history of epoch 1 is not one"),
        *(
            (at(history=[entry(1), entry(2, **{key: value})]), SECOND)
            for key in ("lr", "train_loss")
            for value in (math.nan, math.inf, "1", None, True)
        ),
        (at(history=[entry(1), entry(2, parts=None)]), SECOND),
        (at(history=[entry(1), entry(2, parts={"test": PART})]), SECOND),
        (at(history=[entry(1), entry(2, parts={"train": PART, "test": PART | {"n": 6}})]), SECOND),
        (at(history=[entry(1), entry(2, parts={"train": PART | {"n": 0}, "test": PART})]), SECOND),
        (at(history=[entry(1), entry(2, parts={"train": PART, "test": PART | {"n": 7}}, lr=0)]), None),
    ],
)  # fmt: skip
def test_a_saved_progress_is_one_that_this_training_can_have(progress, fault):
    assert progress_fault(progress, epochs=5, steps=7) == fault


@pytest.mark.parametrize(
    ("sums", "diverging"),
    [(None, False), (SUMS, False), (SUMS * math.nan, True), (SUMS * math.inf, True), (LATER, False)],
)  # fmt: skip
def test_a_training_diverges_by_its_loss_alone(sums, diverging):
    assert is_diverging({"sums": sums}) is diverging


OWN = {"a": torch.zeros(2, 3), "b": torch.zeros(4, dtype=torch.int64)}


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (dict(OWN), None),
        (None, "holds no weights"),
        ([*OWN], "holds no weights"),
        ({"a": OWN["a"]}, "b and 0 more are in only one of it and the network"),
        ({**OWN, "d": 1, "c": 1}, "c and 1 more are in only one of it and the network"),
        ({"c": 1, 2: 3}, "2 and 3 more are in only one of it and the network"),
        (OWN | {"b": [0, 0, 0, 0]}, "b is no tensor"),
        (OWN | {"a": OWN["a"].to_sparse()}, "a is not dense"),
        (OWN | {"a": OWN["a"].to("meta")}, "a is not dense"),
        (OWN | {"a": torch.zeros(3, 2)}, "a is torch.float32 [3, 2], not torch.float32 [2, 3]"),
        (OWN | {"b": torch.zeros(4)}, "b is torch.float32 [4], not torch.int64 [4]"),
    ],
)
def test_saved_tensors_are_those_of_the_network(found, fault):
    assert tensors_fault(found, OWN) == fault


def stepped(kind, **options):
    """An optimiser of two parameters after a step, and a copy of what it would save."""
    parameters = [torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(3))]
    optimizer = kind(parameters, lr=0.5, **options)
    for one in parameters:
        one.grad = torch.ones_like(one)
    optimizer.step()
    return optimizer, copy.deepcopy(optimizer.state_dict())


@pytest.mark.parametrize(
    ("kind", "options", "last"),
    [(torch.optim.SGD, {"momentum": 0.9}, "momentum_buffer"), (torch.optim.AdamW, {}, "exp_avg_sq")],
)
def test_momenta_are_all_there_and_shaped_as_their_parameters_or_none_is(kind, options, last):
    optimizer, found = stepped(kind, **options)
    assert momenta_fault(found, optimizer) is None
    assert momenta_fault(found | {"state": {}}, optimizer) is None
    for broken in ({"state": None}, {"state": []}, {"state": {0: None}}, {"state": {0: {}}}, {}):
        assert momenta_fault(broken, optimizer) == "its optimiser's state cannot be read"
    found["state"][1][last] = torch.ones(2)
    wrong = f"1 {last} is torch.float32 [2], not torch.float32 [3]"
    assert momenta_fault(found, optimizer) == f"of its optimiser's momenta {wrong}"
    names = len(found["state"].pop(1))
    fault = momenta_fault(found, optimizer)
    assert fault.endswith(f" and {names - 1} more are in only one of it and the network")
    assert fault.startswith("of its optimiser's momenta 1 ")


def test_settings_are_those_of_this_optimiser_but_for_the_learning_rate():
    optimizer, found = stepped(torch.optim.SGD, momentum=0.9)

    def fault(state=found["state"], **changes):
        group = found["param_groups"][0] | changes
        return settings_fault(
            {"state": state, "param_groups": [{key: value for key, value in group.items() if value != "left out"}]},
            optimizer,
        )

    assert fault() is None
    assert fault(lr=7) is None
    assert (
        fault(lr=math.inf)
        == fault(lr="7")
        == fault(lr=True)
        == fault(lr="left out")
        == ("its optimiser's lr is no number")
    )
    assert fault(momentum=0.8) == fault(momentum="left out") == "its optimiser has another momentum"
    assert fault(nesterov=0) is None  # equal is equal
    assert fault(nesterov=torch.tensor(False)) == "its optimiser has another nesterov"
    assert fault(zeal=1) == "its optimiser has another zeal"
    assert fault(params=[0]) == "its optimiser has another params"
    assert fault(state={}) == "its optimiser has no momenta"
    for groups in (None, [], [None], found["param_groups"] * 2, (found["param_groups"][0],)):
        assert settings_fault({"state": {}, "param_groups": groups}, optimizer) == "its optimiser has other parameters"
    plain, saved = stepped(torch.optim.SGD)
    assert settings_fault(saved | {"state": {}}, plain) is None
    adam, saved = stepped(torch.optim.AdamW)
    assert settings_fault(saved, adam) is None
    assert settings_fault(saved | {"state": {}}, adam) == "its optimiser has no momenta"


def test_what_is_not_finite_is_named():
    weights = {"a": torch.ones(2), "b": torch.ones(3)}
    momenta = {0: {"momentum_buffer": torch.ones(2)}, 1: {"momentum_buffer": torch.ones(3)}}
    state = {"network": weights, "optimizer": {"state": momenta}}
    assert infinite(state) is None
    momenta[1]["momentum_buffer"][2] = math.inf
    assert infinite(state) == "the momentum 1 momentum_buffer is not finite"
    weights["b"][0] = math.nan
    assert infinite(state) == "the weight b is not finite"


def test_a_checkpoint_comes_back_or_is_set_aside_with_its_reason(tmp_path, caplog):
    path, cpu = tmp_path / "run.pt", torch.device("cpu")
    save_checkpoint(path, {"a": SUMS}, "print")
    assert load_checkpoint(path, "print", cpu)["a"].tolist() == [1.5, 3, 7]
    assert load_checkpoint(path, "print", torch.device("meta"))["a"].is_meta  # on the device that is asked for
    assert load_checkpoint(path, "print", cpu, lambda state: None).keys() == {"fingerprint", "a"}
    ends = "set aside as run.pt.rejected; the run starts from the beginning"
    cases = [
        ("other", lambda state: None, "belongs to another protocol"),
        ("print", lambda state: f"has {sorted(state)}", "is of this protocol, but has ['a', 'fingerprint']"),
    ]
    for fingerprint, fault, said in cases:
        save_checkpoint(path, {"a": SUMS}, "print")
        caplog.clear()
        with caplog.at_level(logging.INFO):
            assert load_checkpoint(path, fingerprint, cpu, fault) is None
        assert caplog.messages == [f"checkpoint {path} {said}: {ends}"]
        assert caplog.records[0].levelname == "WARNING"
        assert [one.name for one in tmp_path.iterdir()] == ["run.pt.rejected"]
    torch.save({"a": SUMS}, path)
    caplog.clear()
    assert load_checkpoint(path, "print", cpu) is None
    assert caplog.messages == [f"checkpoint {path} cannot be read (KeyError): {ends}"]


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory")])
def test_a_checkpoint_that_finds_no_room_is_kept(tmp_path, monkeypatch, error):
    path = tmp_path / "run.pt"
    save_checkpoint(path, {"a": SUMS}, "print")

    def full(*_, **__):
        raise error

    monkeypatch.setattr(torch, "load", full)
    with pytest.raises(type(error)):
        load_checkpoint(path, "print", torch.device("cpu"))
    assert [one.name for one in tmp_path.iterdir()] == ["run.pt"]
