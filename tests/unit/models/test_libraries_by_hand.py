"""What timm is asked for, by hand: which file, which size, which classes; networks and hubs are stand-ins."""

from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
import timm
import torch
from data_helpers import refused_as
from torch import nn

from apr.basics.problems import Problem
from apr.models import libraries, pretrained
from apr.models.pretrained import load_model

HUB = "https://huggingface.co/timm/a/resolve/main"


@pytest.fixture
def asked(monkeypatch):
    """What `create_model` is asked for; the settings of the weights can be changed by the test."""
    found = SimpleNamespace(calls=[], error=None, outputs=5, reached=[], answers=True, cached={})
    found.config = SimpleNamespace(num_classes=5, fixed_input_size=True, input_size=(3, 48, 32), classifier="fc")
    found.config.hf_hub_id, found.config.hf_hub_filename, found.config.url = "timm/a", None, "https://x/a.pth"

    def create(name, **options):
        found.calls.append((name, options))
        if found.error:
            raise found.error
        network = nn.Linear(2, 2)
        network.num_classes = found.outputs
        return network

    def reachable(address):
        found.reached.append(address)
        return found.answers

    monkeypatch.setattr(timm, "is_model", lambda name: True)
    monkeypatch.setattr(timm, "get_pretrained_cfg", lambda name: found.config)
    monkeypatch.setattr(timm, "create_model", create)
    monkeypatch.setattr(libraries, "reachable", reachable)
    monkeypatch.setattr(libraries, "_described", lambda network: network)
    monkeypatch.setattr(
        huggingface_hub, "try_to_load_from_cache", lambda repository, name: found.cached.get((repository, name))
    )
    return found


@pytest.mark.parametrize(
    ("size", "fixed", "options"),
    [(None, True, {}), (32, True, {}), (48, True, {"img_size": 48}), (48, False, {})],
)
def test_a_network_of_one_size_is_built_for_another(asked, size, fixed, options):
    asked.config.fixed_input_size = fixed
    libraries.timm_model("a", None, None, trained=False, image_size=size)
    libraries.timm_model("a", None, None, image_size=size)
    assert asked.calls == [("a", {"pretrained": False} | options), ("a", {"pretrained": True} | options)]
    assert asked.reached == [f"{HUB}/model.safetensors"]


def test_a_network_that_cannot_be_built_for_a_size_is_named(asked):
    asked.error = ValueError("36 is\nno multiple")
    with refused_as("timm:a: cannot be built for pictures of 36 px (36 is no multiple); take another resolution"):
        libraries.timm_model("a", None, None, trained=False, image_size=36)
    with refused_as("timm:a: cannot be built (36 is no multiple); take another resolution"):
        libraries.timm_model("a", None, None, trained=False)


@pytest.mark.parametrize(
    ("classifier", "overlay"), [("fc", {"num_classes": 7}), (("fc", "aux"), {"num_classes": 7}), (None, {}), ("x", {})]
)
def test_a_file_says_how_many_classes_there_are(asked, monkeypatch, classifier, overlay):
    state = {"fc.weight": torch.zeros(7, 2), "fc.bias": torch.zeros(7)}
    monkeypatch.setattr(libraries, "read_weights", {Path("f.pt"): state}.get)
    asked.config.classifier = classifier
    libraries.timm_model("a", Path("f.pt"), None, image_size=48)
    ((name, options),) = asked.calls
    assert options.pop("pretrained_cfg_overlay") == {"state_dict": state} | overlay
    assert (name, options, asked.reached) == ("a", {"pretrained": True, "img_size": 48}, [])
    asked.error = RuntimeError("size mismatch")
    with refused_as(
        "timm:a: the weights in f.pt do not fit this model (size mismatch); take the file that belongs to it, or the "
        "model that belongs to the file"
    ):
        libraries.timm_model("a", Path("f.pt"), None)


def test_weights_in_order_get_the_network_s_names(asked, monkeypatch):
    state = {"first": torch.ones(2, 2), "second": torch.ones(2)}
    monkeypatch.setattr(libraries, "read_weights", lambda file: state)
    libraries.timm_model("a", Path("f.pt"), None, in_order=True)
    (_, drawn), (_, filled) = asked.calls
    assert drawn == {"pretrained": False}
    assert filled["pretrained_cfg_overlay"]["state_dict"].keys() == {"weight", "bias"}


def test_out_of_reach_the_cache_serves_whatever_its_format(asked, monkeypatch):
    asked.answers = False
    monkeypatch.setattr(libraries, "read_weights", lambda file: {"from": file})
    for name in ("model.safetensors", "pytorch_model.bin", "own.bin"):
        asked.config.hf_hub_filename = name if name == "own.bin" else None
        asked.cached = {("timm/a", name): f"cache/{name}", ("timm/b", "model.safetensors"): "no"}
        libraries.timm_model("a", None, None)
        assert asked.calls[-1][1]["pretrained_cfg_overlay"]["state_dict"] == {"from": Path(f"cache/{name}")}
    assert asked.reached == [f"{HUB}/{name}" for name in ("model.safetensors", "model.safetensors", "own.bin")]


@pytest.mark.parametrize("repository", ["timm/a", None])
def test_weights_that_are_nowhere_say_where_they_were_looked_for(asked, repository):
    asked.answers, asked.config.hf_hub_id = False, repository
    asked.cached = {("timm/a", "model.safetensors"): object()}  # known to be absent
    address = f"{HUB}/model.safetensors" if repository else "https://x/a.pth"
    suffix = Path(address).suffix
    with refused_as(
        f"timm:a: its weights are missing: {address} is out of reach. On a machine with a network fetch that file, for "
        f"instance with `curl -L -o timm.a{suffix} {address}`, put it at <folder>/timm.a{suffix}, and give --weights "
        "<folder>"
    ):
        libraries.timm_model("a", None, None)
    assert asked.calls == []


def test_weights_without_an_address_are_left_to_the_library(asked):
    asked.config.hf_hub_id = asked.config.url = None
    libraries.timm_model("a", None, None)
    assert asked.reached == []
    asked.error = RuntimeError("no weights")
    with refused_as("timm:a: its weights are missing: the library publishes none; choose others"):
        libraries.timm_model("a", None, None)


def test_a_hub_that_gives_none_is_said_with_the_reason(asked):
    asked.error = RuntimeError("404")
    words = r"^timm:a: its weights are missing: w has no timm\.a.*, and https://.*safetensors gave none \(404\)\. On a"
    with pytest.raises(Problem, match=words):
        libraries.timm_model("a", None, "w")


def test_weights_without_a_classifier_are_refused(asked, monkeypatch):
    words = "timm:a: these weights have no classifier; take some that were trained to classify"
    asked.outputs = 0
    with refused_as(words):
        libraries.timm_model("a", None, None)
    asked.calls.clear()
    asked.config.num_classes = 0
    with refused_as(words):
        libraries.timm_model("a", None, None)
    assert asked.calls == []
    asked.outputs = 3  # a file may have what the published weights lack
    monkeypatch.setattr(libraries, "read_weights", lambda file: {})
    assert libraries.timm_model("a", Path("f.pt"), None).num_classes == 3


@pytest.mark.parametrize("config", [None, RuntimeError("an old name")])
def test_a_tag_that_is_not_known_has_the_nearest(asked, monkeypatch, config):
    def settings(name):
        if config:
            raise config

    monkeypatch.setattr(timm, "get_pretrained_cfg", settings)
    monkeypatch.setattr(timm, "list_pretrained", lambda: ["a.one", "a.two", "b.onf"])
    monkeypatch.setattr(timm, "__version__", "9.9")
    with refused_as("timm:a.onf: timm 9.9 has no such weights (did you mean a.one or a.two?)"):
        libraries.timm_model("a.onf", None, None)


def test_a_package_s_weights_are_in_order_and_a_file_that_is_named_comes_first(tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO", "apr")
    calls = []

    def made(name, file, weights, **options):
        calls.append((name, file, weights, options))
        return nn.Linear(1, 1).train(), "transform", {"input_size": [3, 8, 8]}, 4

    monkeypatch.setattr(pretrained, "timm_model", made)
    monkeypatch.setattr(pretrained, "packaged_file", {"timm:a": Path("package/a.pth")}.get)
    packaged, hub = load_model("timm:a", image_size=64), load_model("timm:b")
    (tmp_path / "timm.a.pt").touch()
    named = load_model("timm:a", tmp_path, trained=False)
    assert calls == [
        ("a", Path("package/a.pth"), None, {"trained": True, "image_size": 64, "in_order": True}),
        ("b", None, None, {"trained": True, "image_size": None, "in_order": False}),
        ("a", tmp_path / "timm.a.pt", tmp_path, {"trained": False, "image_size": None, "in_order": False}),
    ]
    assert caplog.messages == [
        "timm:a: weights from package/a.pth",
        "timm:b: weights from the library's hub",
        "timm:a: weights from random numbers",
    ]
    assert [one.source for one in (packaged, hub, named)] == ["a.pth", "hub", "none"]
    assert (named.weights, len(hub.weights), hub.code, hub.outputs) == (None, 64, None, 4)
    assert not hub.network.training


@pytest.mark.parametrize(
    ("file", "alone", "found"),
    [
        ("torchvision.net.V1.pth", False, True),
        ("torchvision.net.safetensors", True, True),
        ("torchvision.net.safetensors", False, False),
        ("torchvision.net.V1.bin", True, False),
    ],
)
def test_a_file_named_after_an_architecture_holds_its_only_weights(tmp_path, monkeypatch, file, alone, found):
    monkeypatch.setattr(pretrained, "only_weights", lambda name: alone and name == "net.V1")
    (tmp_path / file).touch()
    assert pretrained._local_file("torchvision:net.V1", tmp_path) == (tmp_path / file if found else None)
    assert pretrained._local_file("timm:net.V1", tmp_path) is None


@pytest.mark.parametrize(
    ("name", "alone"),
    [
        ("squeezenet1_1.IMAGENET1K_V1", True),
        ("squeezenet1_1", True),
        ("resnet50.IMAGENET1K_V2", False),
        ("x.V1", False),
    ],
)
def test_which_architectures_have_one_set_of_weights(name, alone):
    assert libraries.only_weights(name) is alone
