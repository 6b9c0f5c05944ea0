"""Lists of models, heads, and weights of packages and of one's own, by hand; whole messages."""

import importlib.util
from types import SimpleNamespace

import pytest
import requests
import torch
from data_helpers import refused_as
from golden import told_by
from torch import nn

from apr.basics.problems import Problem
from apr.models import names, own, packages
from apr.models.heads import headless, replace_head
from apr.models.names import listed_models
from apr.models.packages import in_order_of, packaged_file
from apr.models.pretrained import Pretrained, load_model
from apr.models.weight_files import reachable, read_weights

said = told_by(Problem)


def test_a_list_of_models_is_of_versions_that_are_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(names, "_installed", {"one": "1.0", "two": "2.1", "three": None}.get)
    text = "# head\n== one 1.0\na x y\nb\n\n# note\n== two 2.0\nc\n== three 3.0\nd z\n"
    (tmp_path / "list").write_text(text)
    assert listed_models(tmp_path / "list") == {"one": {"a": {"x", "y"}, "b": set()}, "three": {"d": {"z"}}}
    monkeypatch.undo()
    monkeypatch.setattr(names, "version", lambda library: "1.2+cu130")
    assert names._installed("x") == "1.2"


def test_weights_of_a_package_are_those_that_were_published(tmp_path, monkeypatch):
    package = tmp_path / "weighty"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"  # of "test"
    monkeypatch.setattr(
        packages, "PACKAGES", {"timm:a": ("weighty", "a.pth", digest), "timm:b": ("absent_one", "b", "")}
    )
    assert [packaged_file(model) for model in ("timm:a", "timm:b", "timm:c")] == [None] * 3
    (package / "a.pth").write_text("test")
    assert packaged_file("timm:a") == package / "a.pth"
    (package / "a.pth").write_text("tests")
    with pytest.raises(Problem) as refused:
        packaged_file("timm:a")
    assert str(refused.value) == (
        f"{package / 'a.pth'}: is not the file that was published (sha256 9f86d081884c…); install weighty again"
    )
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: SimpleNamespace(origin=None))
    assert packaged_file("timm:a") is None


def test_weights_in_order_keep_values_and_get_names():
    own_state = {"x": torch.zeros(2, 3), "y": torch.zeros(4)}
    found = in_order_of({"a": torch.ones(2, 3), "b": torch.full((4,), 2.0)}, own_state)
    assert {name: value.flatten()[0].item() for name, value in found.items()} == {"x": 1, "y": 2}
    for state in ({"a": torch.ones(3, 2), "b": torch.ones(4)}, {"a": torch.ones(2, 3)}):
        with pytest.raises(ValueError, match="their tensors differ in number or shape"):
            in_order_of(state, own_state)


def test_heads_are_taken_off():
    network = nn.Sequential(nn.Conv2d(3, 5, 1), nn.Flatten(), nn.Linear(5, 7))
    assert headless(network, 7, "x")(torch.ones(2, 3, 1, 1)).shape == (2, 5)
    assert isinstance(network[2], nn.Identity)
    with refused_as(
        "x: no linear layer or 1x1 convolution with 7 outputs was found, so that its head cannot be replaced; take a "
        "model that ends in one"
    ):
        headless(network, 7, "x")

    class OfTimm(nn.Module):
        def __init__(self):
            super().__init__()
            self.asked, self.head = [], nn.Linear(2, 3)

        def reset_classifier(self, classes):
            self.asked.append(classes)
            self.head = nn.Linear(2, classes) if classes else nn.Identity()

        def get_classifier(self):
            return self.head

    network = OfTimm()
    new = replace_head(network, 3, 4, "x")
    assert (network.asked, [tuple(one.shape) for one in new]) == ([4], [(4, 2), (4,)])
    assert headless(network, 4, "x") is network
    assert network.asked == [4, 0]


@pytest.mark.parametrize(
    ("settings", "sizes"),
    [
        ({"crop_size": [224], "resize_size": [256]}, (224, 256)),
        ({"input_size": [3, 160, 160], "crop_pct": 0.95}, (160, 168)),  # 168.4
        ({"input_size": [3, 224, 224], "crop_pct": 0.875}, (224, 256)),
        ({"input_size": [3, 32, 48], "crop_pct": None}, (48, 48)),
        ({"input_size": [3, 32, 32]}, (32, 32)),
    ],
)
def test_sizes_of_an_input(settings, sizes):
    assert Pretrained(nn.Identity(), lambda image: image, settings, 1, None, "none").sizes == sizes


OWN = """import torch
class Net(torch.nn.Module):
    pretrained_cfg = {"input_size": (3, 8, 8), "mean": (0.1, 0.2, 0.3), "file": "w.pt", "more": 1}
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(192, 5)
    def forward(self, x):
        return self.fc(x.flatten(1))
def small():
    return Net()
def plain():
    return torch.nn.Flatten()
def nothing():
    return 3
def fails():
    raise ValueError("no\\nmemory")
value = 3
"""


def test_a_network_of_ones_own(tmp_path):
    (tmp_path / "net.py").write_text(OWN)
    network, settings, file = own.build_own(tmp_path / "net.py", "small")
    assert (type(network).__name__, file) == ("Net", "w.pt")
    assert settings == own.USUAL | {"input_size": (3, 8, 8), "mean": (0.1, 0.2, 0.3)}
    assert own.build_own(tmp_path / "net.py", "plain")[1:] == (own.USUAL, None)
    model = f"own:{tmp_path / 'net.py'}"
    for function, words in {
        "none": f"{model}:none: {tmp_path / 'net.py'} has no function none; correct the model's name",
        "value": f"{model}:value: {tmp_path / 'net.py'} has no function value; correct the model's name",
        "nothing": f"{model}:nothing: nothing() returns int; let it return a torch.nn.Module",
        "fails": f"{model}:fails: fails() fails (ValueError: no memory)",
    }.items():
        assert said(own.build_own, tmp_path / "net.py", function) == f"Problem: {words}"
    assert said(own.build_own, tmp_path / "x.py", "f").endswith(
        f"there is no file {tmp_path / 'x.py'}; correct the model's name"
    )
    (tmp_path / "odd.py").write_text("1 / 0")
    assert said(own.build_own, tmp_path / "odd.py", "f").endswith(
        "cannot be imported (ZeroDivisionError: division by zero)"
    )


def test_weights_of_ones_own_are_looked_for_by_name_and_where_the_file_says(tmp_path, caplog):
    caplog.set_level("INFO", "apr")
    (tmp_path / "net.py").write_text(OWN)
    (tmp_path / "weights").mkdir()
    network, *_ = own.build_own(tmp_path / "net.py", "small")
    model, options = "own:net.py:small", {"root": tmp_path}
    with refused_as(
        f"{model}: its weights are missing: {tmp_path} has no w.pt; put the file there, or give --weights and its "
        "folder"
    ):
        load_model(model, **options)
    with pytest.raises(Problem, match=rf"its weights are missing: {tmp_path / 'weights'} has no w.pt; put the file"):
        load_model(model, tmp_path / "weights", **options)
    with pytest.raises(Problem, match=r"has no own.net.plain\{.safetensors,.pth,.pt\}; put the file there"):
        load_model("own:net.py:plain", **options)
    untrained = load_model(model, trained=False, **options)
    assert caplog.messages == [f"{model}: weights from random numbers"]
    assert (untrained.source, untrained.weights, untrained.outputs, len(untrained.code)) == ("none", None, 5, 64)
    torch.save(network.state_dict(), tmp_path / "w.pt")
    loaded = load_model(model, **options)
    assert caplog.messages[1:] == [f"{model}: weights from {tmp_path / 'w.pt'}"]
    assert (loaded.source, loaded.outputs, loaded.sizes, loaded.network.training) == ("w.pt", 5, (8, 9), False)
    torch.save(network.state_dict(), tmp_path / "weights/own.net.small.pth")
    assert load_model(model, tmp_path / "weights", **options).source == "own.net.small.pth"
    torch.save({"x": torch.ones(1)}, tmp_path / "w.pt")
    with pytest.raises(Problem, match=rf"^{model}: the weights in .*w.pt do not fit this model \("):
        load_model(model, **options)
    (tmp_path / "net.py").write_text(OWN.replace("(3, 8, 8)", "(3, 9, 9)"))
    with pytest.raises(Problem, match=rf"^{model}: does not take an input of \[3, 9, 9\] \(.*\); correct its file$"):
        load_model(model, trained=False, **options)


def test_who_answers_is_in_reach(monkeypatch):
    asked = []
    monkeypatch.setattr(requests, "head", lambda address, **options: asked.append((address, options)))
    assert reachable("https://x")
    assert asked == [("https://x", {"timeout": 5, "allow_redirects": False})]


def test_what_holds_no_weights_is_named(tmp_path):
    for content in ({}, {"a": 1, "b": torch.ones(1)}):
        torch.save(content, tmp_path / "a.pt")
        with pytest.raises(Problem, match=r"a.pt: holds no weights by name; save the network's state_dict\(\) alone"):
            read_weights(tmp_path / "a.pt")
