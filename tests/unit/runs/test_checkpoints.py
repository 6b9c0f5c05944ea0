"""Checkpoints: what cannot be read as one is set aside; what is not ours, or cannot be read just now, is left alone."""

import copy
import errno
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from small import PROTOCOL, checkpointing, loaders, trainer

from apr.basics.problems import Problem
from apr.models.weights import keep_weights, load_weights, weights_digest
from apr.runs.checkpoints import load_checkpoint, save_checkpoint
from apr.runs.metrics import part_of
from apr.runs.progress import Progress, progress_fault
from apr.runs.training import Interrupted, _resume, train_network

CPU = torch.device("cpu")
STATE = {"network": {"weight": torch.ones(2)}}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def test_a_folder_is_never_set_aside(tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / "finished.json").write_text("{}")
    with pytest.raises(Problem, match="checkpoints: is a folder"):
        load_checkpoint(folder, "f", CPU)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoints"]
    with pytest.raises(Problem, match="is a folder"):
        load_weights(folder, "d", CPU)


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.ESTALE, errno.ETIMEDOUT])
def test_a_hiccup_of_the_file_system_ends_the_job_and_keeps_the_file(tmp_path, monkeypatch, number):
    path = tmp_path / "c.pt"
    save_checkpoint(path, STATE, "f")
    whole = path.read_bytes()

    def fails(self):
        raise OSError(number, "hiccup")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", fails)
        with pytest.raises(Problem, match=r"c\.pt: cannot be read \(hiccup\); it is kept"):
            load_checkpoint(path, "f", CPU)
        with pytest.raises(Problem, match="it is kept"):
            load_weights(path, "d", CPU)
    assert path.read_bytes() == whole
    assert load_checkpoint(path, "f", CPU)["network"]["weight"].tolist() == [1, 1]


def test_where_there_is_none_nothing_is_said(tmp_path, caplog):
    assert load_checkpoint(tmp_path / "c.pt", "f", CPU) is None
    (tmp_path / "dangling.pt").symlink_to(tmp_path / "gone")
    assert load_checkpoint(tmp_path / "dangling.pt", "f", CPU) is None
    assert not caplog.records


@pytest.mark.parametrize("content", [b"", b"text", bytes(range(256)) * 9, b"\x80\x04N."])
def test_a_file_that_is_no_checkpoint_is_set_aside(tmp_path, content, caplog):
    path = tmp_path / "c.pt"
    path.write_bytes(content)
    assert load_checkpoint(path, "f", CPU) is None
    assert (tmp_path / "c.pt.rejected").read_bytes() == content
    assert "set aside as c.pt.rejected" in caplog.text


def interrupted(folder):
    """A checkpoint after two steps, and what it holds."""

    def stop(progress):
        if progress.step == 3:
            raise Interrupted(15)

    one = trainer(PROTOCOL)
    kept = checkpointing(folder, 0.0)
    with pytest.raises(Interrupted):
        train_network(one, *loaders(folder, PROTOCOL), kept, on_step=stop)
    return kept, torch.load(kept.path, weights_only=True)


def first(state):
    return next(name for name, tensor in state["network"].items() if tensor.dim() == 4)


SPOILT = {
    "a weight is missing": lambda state: state["network"].pop(first(state)),
    "a weight too many": lambda state: state["network"].update(extra=torch.ones(1)),
    "another shape": lambda state: state["network"].update({first(state): torch.ones(3)}),
    "another type": lambda state: state["network"].update({first(state): state["network"][first(state)].double()}),
    "no tensor": lambda state: state["network"].update({first(state): "x"}),
    "no network": lambda state: state.pop("network"),
    "a list for the network": lambda state: state.update(network=[]),
    "no optimiser": lambda state: state.pop("optimizer"),
    "an odd optimiser": lambda state: state.update(optimizer={"state": 1, "param_groups": []}),
    "another momentum": lambda state: state["optimizer"]["state"][0].update(momentum_buffer=torch.ones(1)),
    "no progress": lambda state: state.pop("progress"),
    "a progress without its step": lambda state: state["progress"].pop("step"),
    "an epoch too late": lambda state: state["progress"].update(epoch=99),
    "a step as text": lambda state: state["progress"].update(step="2"),
    "no sums": lambda state: state["progress"].update(sums=None),
}
WRONG_WITHIN = {
    "sums of another type": lambda state: state["progress"].update(sums=torch.ones(3)),
    "a step too late": lambda state: state["progress"].update(step=99),
    "a step that is a truth": lambda state: state["progress"].update(step=True),
    "a weight that is no number": lambda state: state["network"][first(state)].fill_(torch.nan),
    "a sparse weight": lambda state: state["network"].update(
        {first(state): state["network"][first(state)].to_sparse()}
    ),
    "a momentum that is no number": lambda state: momentum(state).fill_(torch.nan),
    "a momentum of whole numbers": lambda state: state["optimizer"]["state"][0].update(
        momentum_buffer=momentum(state).to(torch.int8)
    ),
    "a momentum of none": lambda state: state["optimizer"]["state"][0].update(momentum_buffer=None),
    "a momentum too few": lambda state: state["optimizer"]["state"].pop(0),
    "no momenta": lambda state: state["optimizer"]["state"].clear(),
    "a momentum of none of the parameters": lambda state: state["optimizer"]["state"].update(
        {-1: state["optimizer"]["state"].pop(0)}
    ),
    "no groups": lambda state: state["optimizer"].pop("param_groups"),
    "a group that is none": lambda state: state["optimizer"].update(param_groups=[3]),
    "other parameters": lambda state: state["optimizer"]["param_groups"][0].update(params=[0]),
}
SETTINGS = [("weight_decay", 5.0), ("maximize", True), ("nesterov", False), ("momentum", 0), ("momentum", "x")]
SETTINGS += [("lr", "x"), ("lr", torch.nan), ("dampening", torch.ones(2)), ("extra", 1), ("fused", None)]
WRONG_WITHIN |= {
    f"{key} {value}": lambda state, key=key, value=value: state["optimizer"]["param_groups"][0].update({key: value})
    for key, value in SETTINGS
}


def momentum(state):
    return state["optimizer"]["state"][0]["momentum_buffer"]


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_the_right_fingerprint_with_the_wrong_inside_is_set_aside_and_trains_as_from_the_start(tmp_path, spoil, caplog):
    kept, state = interrupted(tmp_path)
    spoil(state)
    torch.save(state, kept.path)
    one = trainer(PROTOCOL | {"epochs": 1})
    before = {name: tensor.clone() for name, tensor in one.network.state_dict().items()}
    assert one.fault({"network": before, "optimizer": one.optimizer.state_dict()}) is None
    protocol = PROTOCOL | {"epochs": 1, "warmup_epochs": 0}
    spoilt = trainer(protocol)
    _, history, timing = train_network(spoilt, *loaders(tmp_path, protocol), kept)
    assert "is of this protocol, but" in caplog.text
    assert kept.path.with_name(kept.path.name + ".rejected").exists()
    assert timing["resumed_at_epoch"] is None
    fresh = trainer(protocol)
    assert train_network(fresh, *loaders(tmp_path, protocol), kept)[1] == history


def untouched(state):
    pass


@pytest.fixture(scope="module")
def after_two_steps(tmp_path_factory):
    return interrupted(tmp_path_factory.mktemp("kept"))


@pytest.mark.parametrize("spoil", [untouched, *WRONG_WITHIN.values()], ids=["as it is", *WRONG_WITHIN])
def test_whatever_is_wrong_within_a_checkpoint_it_is_set_aside(after_two_steps, spoil, caplog):
    kept, state = after_two_steps
    state = copy.deepcopy(state)
    spoil(state)
    torch.save(state, kept.path)
    resumed = _resume(trainer(PROTOCOL), kept, Progress(), steps=4)[1]
    assert resumed == (1 if spoil is untouched else None)
    assert ("is of this protocol, but" in caplog.text) == (spoil is not untouched)


def test_what_a_training_saves_fits_it_also_without_momentum_and_while_it_diverges(tmp_path, caplog):
    for protocol, spoil in (
        (PROTOCOL, lambda one: None),
        (PROTOCOL | {"momentum": 0, "nesterov": False}, lambda one: None),
        (PROTOCOL, lambda one: one.network.fc.weight.data.fill_(torch.nan)),
    ):
        one = trainer(protocol | {"epochs": 2})

        def stop(progress, spoil=spoil, one=one):
            spoil(one)
            if progress.epoch == 1 and progress.step == 3:
                raise Interrupted(15)

        kept = checkpointing(tmp_path, 0.0)
        kept.path.unlink(missing_ok=True)
        run = [*loaders(tmp_path, protocol), kept]
        with suppress(Interrupted):
            train_network(one, *run, on_step=stop)
        if kept.path.exists():
            again = trainer(protocol | {"epochs": 2})
            assert train_network(again, *run)[2]["resumed_at_epoch"] is not None
    assert "set aside" not in caplog.text


PARTS = {"train": part_of(8, {"correct_top1": 3}), "test": part_of(8, {"correct_top1": 2})}
ENTRY = {"epoch": 1, "lr": 0.1, "train_loss": 2.0, "parts": PARTS}
NO_EPOCHS = [
    1,
    {},
    ENTRY | {"epoch": 2},
    ENTRY | {"epoch": "1"},
    ENTRY | {"lr": "x"},
    ENTRY | {"train_loss": torch.inf},
]
BAD_PARTS = [
    {"n": 8.5},
    {"correct_top1": -1},
    {"correct_top5": 9},
    {"correct_top1": torch.ones(1)},
]
NO_EPOCHS += [ENTRY | {"parts": PARTS | {"train": PARTS["train"] | bad}} for bad in BAD_PARTS]
NO_EPOCHS += [ENTRY | {"parts": {"test": PARTS["test"]}}, ENTRY | {"parts": PARTS | {"test": {"n": 8}}}]


@pytest.mark.parametrize("entry", NO_EPOCHS, ids=range(len(NO_EPOCHS)))
def test_a_history_is_that_of_the_epochs_before(entry):
    progress = {"epoch": 1, "step": 0, "sums": None, "history": [ENTRY]}
    assert progress_fault(progress, 3, 4) is None
    assert "history of epoch 1" in progress_fault(progress | {"history": [entry]}, 3, 4)
    assert "history" in progress_fault(progress | {"history": [ENTRY, ENTRY | {"epoch": 2}]}, 3, 4)
    second = progress | {"epoch": 2, "history": [ENTRY, ENTRY]}
    assert "history of epoch 2" in progress_fault(second, 3, 4)


def stepped():
    one = trainer(PROTOCOL)
    one.step(torch.randn(8, 3, 16, 16), torch.arange(8) % 6)
    return one


def test_kept_weights_are_those_of_their_run_the_momenta_included(tmp_path):
    one, path = stepped(), tmp_path / "w.pt"
    digest = keep_weights(path, one.network, one.optimizer)
    trainer(PROTOCOL).resume(load_weights(path, digest, CPU))
    state = torch.load(path, weights_only=True)
    for spoil in (
        lambda state: momentum(state).add_(1),
        lambda state: state["optimizer"]["param_groups"][0].update(lr=3),
        lambda state: state.pop("optimizer"),
    ):
        spoilt = copy.deepcopy(state)
        spoil(spoilt)
        torch.save(spoilt, path)
        with pytest.raises(Problem, match="does not hold the weights of its run"):
            load_weights(path, digest, CPU)


def test_what_an_earlier_version_kept_gives_its_weights_and_no_more(tmp_path):
    one, path = stepped(), tmp_path / "w.pt"
    keep_weights(path, one.network, one.optimizer)
    state = load_weights(path, weights_digest(one.network.state_dict()), CPU)
    assert state.keys() == {"network"}
    with pytest.raises(Problem, match="train the run that kept them again"):
        trainer(PROTOCOL).resume(state)


def test_a_training_goes_on_with_its_own_settings():
    state = {"network": stepped().network.state_dict(), "optimizer": stepped().optimizer.state_dict()}
    other = trainer(PROTOCOL | {"weight_decay": 0.1})
    other.resume(state)
    assert other.optimizer.param_groups[0]["weight_decay"] == 0.1
