"""Pretrained models by name: names of files, weights from files and from the hub's cache, and what goes wrong."""

import os
import re
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import pytest
import requests
import timm
import torch
from data_helpers import picture
from safetensors.torch import save_file
from torchvision import models

import apr.models.pretrained
from apr.basics.problems import Problem
from apr.models.libraries import HEAD
from apr.models.pretrained import load_model, parse_model, run_name
from apr.runs.protocol import EVALUATION_REVISION, planned_protocol

TIMM = "timm:test_resnet.r160_in1k"
TORCHVISION = "torchvision:shufflenet_v2_x0_5.IMAGENET1K_V1"
PICTURE = picture(size=(200, 180))


@pytest.fixture(scope="module")
def networks():
    """Networks with random weights."""
    torch.manual_seed(0)
    return {
        TIMM: timm.create_model("test_resnet", num_classes=1000).eval(),
        TORCHVISION: models.get_model("shufflenet_v2_x0_5", weights=None).eval(),
    }


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    """Nothing can be reached, and the caches are empty folders below `tmp_path`."""

    def refuse(*args, **options):
        raise requests.ConnectionError("no network")

    monkeypatch.setattr(requests, "head", refuse)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    before = torch.hub.get_dir()
    torch.hub.set_dir(tmp_path / "torch")
    yield
    torch.hub.set_dir(before)


def same(one, other):
    return all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


def test_names_of_files():
    assert run_name("timm:resnet18.a1_in1k") == "timm.resnet18.a1_in1k"
    assert run_name("torchvision:resnet50.IMAGENET1K_V2") == "torchvision.resnet50.IMAGENET1K_V2"
    assert parse_model("torchvision:resnet50") == ("torchvision", "resnet50")


@pytest.mark.parametrize("model", ["resnet18", "timm:", "keras:resnet50", "timm:../x", "timm:hf-hub:a/b", "timm:a b"])
def test_other_names_are_refused(model):
    with pytest.raises(Problem, match="write timm:<name>"):
        run_name(model)


def test_the_names_need_nothing_heavy():
    heavy = "{'torch', 'timm', 'torchvision', 'numpy', 'requests'}"
    code = f"import sys, apr.models.pretrained; sys.exit(bool({heavy} & set(sys.modules)))"
    environment = os.environ | {"PYTHONPATH": str(Path(apr.__file__).parents[1])}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_what_a_study_knows_beforehand():
    manifest = {"view": "v", "dataset": "d", "dataset_digest": "1", "indices_digest": "2", "classes": ["a"]}
    assert planned_protocol(TIMM, manifest) == {
        "model": TIMM,
        "images": {"view": "v", "dataset": "d", "dataset_digest": "1", "indices_digest": "2"},
        "seed": None,
        "revision": EVALUATION_REVISION,
    }


@pytest.mark.parametrize("model", [TIMM, TORCHVISION])
def test_weights_from_a_file_whatever_its_format(networks, tmp_path, model):
    state = networks[model].state_dict()
    save_file(state, tmp_path / f"{run_name(model)}.safetensors")
    torch.save(state, tmp_path / "one.pth")
    torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()}}, tmp_path / "two.pt")
    folder = load_model(model, tmp_path)
    others = [load_model(model, tmp_path / name) for name in ("one.pth", "two.pt")]
    assert folder.outputs == 1000
    assert folder.source == f"{run_name(model)}.safetensors"
    assert not folder.network.training
    assert all(same(networks[model], each.network) for each in (folder, *others))
    assert {each.weights for each in others} == {folder.weights}
    state[next(iter(state))][0] += 1
    torch.save(state, tmp_path / "other.pt")
    assert load_model(model, tmp_path / "other.pt").weights != folder.weights


def test_timm_preprocessing_is_that_of_the_weights(networks, tmp_path):
    torch.save(networks[TIMM].state_dict(), tmp_path / "x.pt")
    model = load_model(TIMM, tmp_path / "x.pt")
    assert model.preprocessing == {
        "input_size": [3, 160, 160],
        "interpolation": "bilinear",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "crop_pct": 0.95,
        "crop_mode": "center",
    }
    config = timm.data.resolve_model_data_config(timm.create_model("test_resnet.r160_in1k"))
    expected = timm.data.create_transform(**config, is_training=False)(PICTURE)
    assert expected.shape == (3, 160, 160)
    assert torch.equal(model.transform(PICTURE), expected)


@pytest.mark.parametrize(("tag", "resize", "crop"), [("IMAGENET1K_V1", [256], [224]), ("IMAGENET1K_V2", [232], [224])])
def test_torchvision_preprocessing_is_that_of_the_weights(tmp_path, tag, resize, crop):
    torch.save(models.mobilenet_v3_large().state_dict(), tmp_path / "x.pt")
    model = load_model(f"torchvision:mobilenet_v3_large.{tag}", tmp_path / "x.pt")
    assert (model.preprocessing["resize_size"], model.preprocessing["crop_size"]) == (resize, crop)
    assert model.preprocessing["interpolation"] == "bilinear"
    expected = models.MobileNet_V3_Large_Weights[tag].transforms()(PICTURE)
    assert torch.equal(model.transform(PICTURE), expected)


def test_a_file_is_loaded_as_the_published_weights_are(tmp_path):
    network = models.googlenet(weights=None, init_weights=False)
    torch.save(network.state_dict(), tmp_path / "x.pt")
    assert load_model("torchvision:googlenet", tmp_path / "x.pt").network.transform_input
    assert "get_state_dict" not in vars(models.GoogLeNet_Weights.IMAGENET1K_V1)  # torchvision is left as it was


@pytest.mark.parametrize(
    ("model", "build"),
    [
        ("timm:test_vit", lambda: timm.create_model("test_vit", num_classes=7)),
        ("torchvision:mobilenet_v3_small", lambda: models.mobilenet_v3_small(num_classes=7)),
        ("torchvision:squeezenet1_1", lambda: models.squeezenet1_1(num_classes=7)),
    ],
)
def test_a_file_may_have_other_classes(tmp_path, model, build):
    network = build()
    torch.save(network.state_dict(), tmp_path / "x.pt")
    loaded = load_model(model, tmp_path / "x.pt")
    assert loaded.outputs == 7
    assert same(network, loaded.network)


def test_the_head_of_every_family_of_torchvision_classifiers_is_found():
    names = {re.match("[a-z]+", name)[0]: name for name in models.list_models(module=models)}
    assert {
        "alexnet",
        "convnext",
        "densenet",
        "mobilenet",
        "resnet",
        "squeezenet",
        "swin",
        "vgg",
        "vit",
    } <= names.keys()
    for family in names.keys() - {"googlenet", "inception", "regnet"}:  # these cannot be built like this
        name = names[family]
        with torch.device("meta"):
            state = models.get_model(name, weights=None, num_classes=7).state_dict()
        heads = sorted((int(match[1] or 0), key) for key in state if (match := HEAD.fullmatch(key)))
        assert len(state[heads[-1][1]]) == 7, name


def test_the_caches_of_the_hubs_serve_without_a_network(networks, tmp_path, no_network):
    repository = tmp_path / "hub/models--timm--test_resnet.r160_in1k"
    for folder in ("refs", "snapshots/abc"):
        (repository / folder).mkdir(parents=True)
    (repository / "refs/main").write_text("abc")
    save_file(networks[TIMM].state_dict(), repository / "snapshots/abc/model.safetensors")
    (tmp_path / "torch/checkpoints").mkdir(parents=True)
    url = models.ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1.url
    torch.save(networks[TORCHVISION].state_dict(), tmp_path / "torch/checkpoints" / url.rsplit("/", 1)[-1])
    for name, network in networks.items():
        loaded = load_model(name)
        assert loaded.source == "hub"
        assert same(network, loaded.network)


@pytest.mark.parametrize(
    ("model", "fetch"),
    [
        (TIMM, "https://huggingface.co/timm/test_resnet.r160_in1k/resolve/main/model.safetensors"),
        (TORCHVISION, "https://download.pytorch.org/models/shufflenetv2_x0.5-f707e7126e.pth"),
    ],
)
def test_missing_weights_say_what_where_and_how(no_network, tmp_path, model, fetch):
    (tmp_path / "weights").mkdir()
    with pytest.raises(Problem) as caught:
        load_model(model, tmp_path / "weights")
    text = str(caught.value)
    put = tmp_path / "weights" / f"{run_name(model)}{Path(fetch).suffix}"
    for part in (f"{model}: its weights are missing", f"{tmp_path / 'weights'} has no", "out of reach", str(put)):
        assert part in text
    assert f"curl -L -o {put.name} {fetch}`" in text
    with pytest.raises(Problem, match="out of reach"):
        load_model(model)


def test_a_hub_that_answers_without_weights_is_named(networks, monkeypatch, tmp_path, no_network):
    monkeypatch.setattr(requests, "head", lambda *args, **options: None)
    monkeypatch.setattr(timm, "create_model", _raise(RuntimeError("404: not found")))
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", _raise(OSError("invalid hash value")))
    with pytest.raises(Problem, match=r"weights are missing: .*model\.safetensors gave none .404: not found"):
        load_model(TIMM)
    with pytest.raises(Problem, match=r"weights are missing: .*gave none .invalid hash value"):
        load_model(TORCHVISION)


def test_a_place_that_is_not_there(tmp_path):
    with pytest.raises(Problem, match=r"--weights .*x\.pt: no such file or folder"):
        load_model(TIMM, tmp_path / "x.pt")


@pytest.mark.parametrize("model", [TIMM, TORCHVISION])
def test_weights_of_another_model_are_named(networks, tmp_path, model):
    other = next(network for name, network in networks.items() if name != model)
    torch.save(other.state_dict(), tmp_path / "x.pt")
    with pytest.raises(Problem, match=rf"{model}: the weights in .*x\.pt do not fit this model .*; take the file"):
        load_model(model, tmp_path / "x.pt")


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
@pytest.mark.parametrize("data", [b"", b"<html>not found</html>"])
def test_a_damaged_file_is_named(tmp_path, suffix, data):
    (tmp_path / f"x.{suffix}").write_bytes(data)
    with pytest.raises(
        Problem, match=rf"x\.{suffix}: cannot be read as weights \(.+\); fetch it again, or save it as safetensors$"
    ):
        load_model(TIMM, tmp_path / f"x.{suffix}")


def test_a_file_runs_no_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.system, (f"touch {tmp_path}/executed",))

    torch.save({"fc.weight": Evil()}, tmp_path / "x.pt")
    with pytest.raises(Problem, match="cannot be read as weights"):
        load_model(TORCHVISION, tmp_path / "x.pt")
    assert not (tmp_path / "executed").exists()


def test_a_checkpoint_of_something_else_is_named(tmp_path):
    torch.save({"epoch": 3, "loss": 0.5}, tmp_path / "x.pt")
    with pytest.raises(Problem, match="holds no weights by name"):
        load_model(TIMM, tmp_path / "x.pt")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("timm:resnet18x", r"has no such model \(did you mean resnet18"),
        ("timm:resnet18.a9_in1k", r"has no such weights \(did you mean resnet18\.a\d_in1k"),
        (
            "torchvision:resnet18x",
            r"^torchvision:resnet18x: torchvision has no such classifier \(did you mean resnet18 or \w+ or \w+\?\)$",
        ),
        ("torchvision:fcn_resnet50", "has no such classifier"),
        (
            "torchvision:resnet50.IMAGENET1K_V3",
            r"V3: torchvision has no such weights \(did you mean resnet50\.IMAGENET1K_V2 or \S+ or \S+\?\)$",
        ),
        ("torchvision:vgg16.IMAGENET1K_FEATURES", "have no classifier"),
        ("timm:vit_small_patch14_dinov2.lvd142m", "have no classifier"),
    ],
)
def test_unknown_models_are_named_with_the_nearest(model, message):
    with pytest.raises(Problem, match=message):
        load_model(model)


def test_a_file_without_a_classifier_is_named(tmp_path):
    name = "eva02_tiny_patch14_224.mim_in22k"
    torch.save(timm.create_model(name).state_dict(), tmp_path / "x.pt")
    with pytest.raises(Problem, match="have no classifier"):
        load_model(f"timm:{name}", tmp_path / "x.pt")


def _raise(error):
    def refuse(*args, **options):
        raise error

    return refuse
