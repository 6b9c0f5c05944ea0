"""What a published network's evaluation is told: its name, and where its weights lie if a user names a place."""

from types import SimpleNamespace

import pytest

from engine.commands import Commands


@pytest.mark.parametrize(
    ("place", "told"), [(None, ""), ("w.pt", "--weights w.pt"), ("my weights", "--weights 'my weights'")]
)
def test_an_evaluation_is_told_its_network_and_where_its_weights_lie(place, told):
    tasks = {"photos": SimpleNamespace(protocol={"weights": "given"}), "other": SimpleNamespace(protocol={})}
    study = SimpleNamespace(tasks=tasks, run=lambda task, run: SimpleNamespace(model=f"{task}/{run}"))
    files = SimpleNamespace(of_user={"given": place}.__getitem__)
    evaluated = Commands(study, files, None).evaluated()
    wildcards = SimpleNamespace(task="photos", model="resnet")
    assert evaluated(wildcards) == {"model": "photos/resnet", "weights": told}
