"""Runs of pretrained models, made into a score table."""

import pytest

from apr.basics.files import digest_of, write_json
from apr.basics.problems import Problem
from apr.runs.protocol import planned_protocol
from apr.scores.collected import evaluation_table

MODELS = ["timm:a", "torchvision:b.V2"]
MANIFEST = {"view": "v", "dataset": "d", "dataset_digest": "1", "indices_digest": "2"}


@pytest.fixture
def runs(tmp_path):
    def write(**changes):
        paths = []
        for number, model in enumerate(MODELS):
            protocol = planned_protocol(model, MANIFEST) | {"weights": f"w{number}", "outputs": 1000} | changes
            outcome = {"status": "completed", "n": 50, "correct_top1": 30 + number, "correct_top5": 40}
            outcome |= {"train_n": None, "train_correct_top1": None}
            run = {"task": "t", "model": model, "seed": None, "protocol": protocol, "history": [], "outcome": outcome}
            paths.append(tmp_path / f"{number}.json")
            write_json(paths[-1], run | {"fingerprint": digest_of(protocol)})
        return paths

    return write


def test_a_row_for_each_model_under_its_full_name(runs):
    table = evaluation_table(MODELS, runs(), MANIFEST)
    assert table["model"].tolist() == MODELS
    assert table["correct_top1"].tolist() == [30, 31]
    assert table["error"].tolist() == table["top1_error"].tolist() == [40, 38]
    assert table["train_error"].isna().all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": {**MANIFEST, "indices_digest": "3"}}, "images.indices_digest is '3', the study has '2'"),
        ({"revision": 0}, "revision is 0"),
    ],
)
def test_a_run_of_other_images_or_of_an_older_revision_is_refused(runs, changes, message):
    with pytest.raises(Problem, match=message):
        evaluation_table(MODELS, runs(**changes), MANIFEST)


def test_a_run_of_another_model_is_refused(runs):
    with pytest.raises(Problem, match=r"is a run of torchvision:b.V2, not of timm:a"):
        evaluation_table(MODELS, runs()[::-1], MANIFEST)
