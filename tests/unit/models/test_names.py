"""The list of names that planning checks models by: that of the libraries themselves, read without them."""

import os
import subprocess
import sys

import pytest
import timm
import torchvision
from torchvision import models

from apr.models import names
from apr.models.names import LIBRARIES, listed_models, unknown_model
from checks.models import LISTED
from study import ROOT, read_yaml

HEAD = "# Names of all models and weights. APRBENCH_RENEW=1 pytest tests/unit/models/test_names.py renews them.\n"


def libraries():
    """The models of the installed libraries, as the list has them."""
    tagged = {name: set() for name in timm.list_models()}
    for name in timm.list_models(include_tags=True):
        architecture, _, tag = name.partition(".")
        tagged[architecture] |= {tag} - {""}
    weights = {name: set(models.get_model_weights(name).__members__) for name in models.list_models(module=models)}
    return {"timm": (timm.__version__, tagged), "torchvision": (torchvision.__version__.partition("+")[0], weights)}


def test_the_list_is_that_of_the_installed_libraries():
    parts = [
        f"== {library} {version}\n" + "".join(f"{' '.join([name, *sorted(known[name])])}\n" for name in sorted(known))
        for library, (version, known) in libraries().items()
    ]
    if os.environ.get("APRBENCH_RENEW"):
        LISTED.write_text(HEAD + "".join(parts), encoding="utf-8")
    assert LISTED.read_text(encoding="utf-8") == HEAD + "".join(parts)


def test_no_right_name_is_refused():
    listed = listed_models(LISTED)
    assert set(listed) == set(LIBRARIES)
    for library, known in listed.items():
        assert not [name for name in known if unknown_model(f"{library}:{name}", listed)]
    pretrained = [f"timm:{name}" for name in timm.list_pretrained()]
    assert not [name for name in pretrained if unknown_model(name, listed)]
    assert unknown_model("torchvision:resnet50.DEFAULT", listed) == ""
    assert unknown_model("own:nets/mine.py:small", listed) == ""


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("timm:resnet81.a1_in1k", "timm:resnet81.a1_in1k: timm has no such model (did you mean "),
        ("timm:resnet18.a9_in1k", "timm:resnet18.a9_in1k: timm has no such weights (did you mean resnet18.a"),
        ("torchvision:resnet50.IMAGENET1K_V9", "torchvision has no such weights (did you mean resnet50.IMAGENET1K_V"),
        ("torchvision:alexnett", "torchvision has no such model (did you mean alexnet"),
    ],
)
def test_a_wrong_name_has_the_nearest(model, says):
    assert says in unknown_model(model, listed_models(LISTED))


def test_another_version_is_not_judged(monkeypatch):
    monkeypatch.setattr(names, "version", lambda library: {"timm": "99.0"}.get(library, torchvision.__version__))
    listed = listed_models(LISTED)
    assert set(listed) == {"torchvision"}
    assert unknown_model("timm:a_model_of_then", listed) == ""


def test_the_list_is_of_the_versions_of_the_lock():
    packages = next(
        part["pip"] for part in read_yaml(ROOT / "envs/train.yaml")["dependencies"] if isinstance(part, dict)
    )
    pinned = dict(package.split("==") for package in packages if "==" in package)
    heads = [line.split()[1:] for line in LISTED.read_text().splitlines() if line.startswith("== ")]
    assert dict(heads) == {library: pinned[library] for library in LIBRARIES}


def test_planning_loads_no_library():
    program = (
        "import sys\n"
        f"sys.path[:0] = [{str(ROOT / 'workflow')!r}, {str(ROOT / 'workflow/scripts')!r}]\n"
        "from checks.models import LISTED\n"
        "from apr.models.names import listed_models, unknown_model\n"
        "assert unknown_model('timm:resnet81', listed_models(LISTED))\n"
        "print([name for name in ('torch', 'timm', 'torchvision', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
