"""Checkpoints: what cannot be read as one is set aside; what is not ours, or cannot be read just now, is left alone."""

import errno
from pathlib import Path

import pytest
import torch
from small import PROTOCOL, checkpointing, loaders, trainer

from apr.checkpoints import load_checkpoint, save_checkpoint
from apr.problems import Problem
from apr.training import Interrupted, train_network
from apr.weights import load_weights

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
