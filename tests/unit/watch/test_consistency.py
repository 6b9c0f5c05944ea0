"""What the audit finds where a run, its view, its dataset or its score table contradict each other."""

import pytest
from fabricated import edit, only, study

from apr.watch.audit import audit
from apr.watch.audit_report import described


@pytest.fixture
def made(tmp_path):
    return tmp_path, *study(tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda run: run["outcome"]["parts"]["test"].update(n=59), "epoch 3: test has 59 images, its view 60"),
        (lambda run: run["outcome"]["parts"]["train"].update(n=117), "epoch 3: train has 117 images, its view 120"),
        (lambda run: run["outcome"]["parts"]["test"].update(correct_top5=None), "correct_top5 None"),
        (lambda run: run["outcome"]["parts"]["train"].update(correct_top5=None), "train counts correct_top1 50"),
        (lambda run: run["outcome"]["parts"]["test"].update(correct_top1=3), "not that of its epoch 3"),
        (
            lambda run: run["history"][1]["parts"]["test"].update(correct_top1=-1),
            "epoch 2: test counts correct_top1 -1",
        ),
        (lambda run: run["history"][1].update(epoch=3), "leaves out or repeats an epoch"),
        (lambda run: run["history"].pop(), "2 epochs of 3"),
        (
            lambda run: run["history"][1]["parts"].pop("train"),
            "epoch 2: was evaluated on test, its view has test, train",
        ),
        (lambda run: run["outcome"]["parts"].pop("train"), "epoch 3: was evaluated on test, its view has test, train"),
        (lambda run: run["history"][2]["parts"].pop("test"), "not that of its epoch 3"),
    ],
)
def test_what_cannot_be_is_out_of_range(made, change, says):
    root, plan, _ = made
    (root / "results/scores/digits.csv").unlink()
    edit(root / "results/runs/digits/a001.json", change)
    (finding,) = only(audit(plan, root), "out_of_range")
    assert says in finding.says


def test_epochs_before_the_last_need_no_evaluation(made):
    root, plan, _ = made

    def seldom(run):
        for entry in run["history"][:-1]:
            del entry["parts"]["test"]

    edit(root / "results/runs/digits/a001.json", seldom)
    assert [finding.says for finding in audit(plan, root).findings] == []


@pytest.mark.parametrize(
    ("file", "change", "says"),
    [
        ("views", lambda view: view.update(n_test=61), "sum of 60 where it says 61"),
        ("views", lambda view: view["classes"].pop(), "6 counts for 5 classes"),
        ("views", lambda view: view["classes"].__setitem__(0, "dog"), "class 'dog', which its dataset does not have"),
        ("views", lambda view: view.update(dataset_digest="others"), "other images than the packed ones"),
        ("datasets", lambda one: one["per_class"]["train"].__setitem__(0, 21), "sum of 121 where it says 120"),
        (
            "datasets",
            lambda one: one.update(n_test=61, per_class=one["per_class"] | {"test": [11, *[10] * 5]}),
            "test: class 'c0' has 10 images, its dataset 11",
        ),
    ],
)
def test_class_counts_have_to_agree(made, file, change, says):
    root, plan, _ = made
    edit(root / f"results/{file}/digits.json", change)
    found = [finding for finding in audit(plan, root).findings if finding.kind == "classes"]
    assert says in "; ".join(finding.says for finding in found)
    assert {finding.task for finding in found} == {"digits", "digits_pretrained"}


def test_a_selection_may_have_fewer_images_but_never_more(made):
    root, plan, _ = made

    def cap(view):
        view["selection"]["cap"] = 9
        view.update(n_test=59, per_class=view["per_class"] | {"test": [9, *[10] * 5]})

    edit(root / "results/views/digits.json", cap)
    assert "classes" not in {finding.kind for finding in audit(plan, root).findings}
    edit(root / "results/views/digits.json", lambda view: view["per_class"]["test"].__setitem__(1, 11))
    assert "class 'c1' has 11 images, its dataset 10" in described(audit(plan, root).findings)


def test_a_missing_view_of_finished_runs_is_wrong(made):
    root, plan, _ = made
    (root / "results/views/photos.json").unlink()
    found = only(audit(plan, root), "classes")
    assert "results/views/photos.json: no such file" in found[0].says


def test_an_edited_error_table_is_found(made):
    root, plan, _ = made
    path = root / "results/scores/digits.csv"
    path.write_text(path.read_text().replace("60,66.666667,", "60,120,"))
    (finding,) = only(audit(plan, root), "table")
    assert finding.says.startswith("row 2: value is '120', its run says '66.666667'")
    path.write_text(path.read_text().rsplit("a003", 1)[0])
    (finding,) = only(audit(plan, root), "table")
    assert "3 rows where 4 runs are planned" in finding.says
    path.write_bytes(b"\xff\xfe")
    assert "is not a table" in only(audit(plan, root), "table")[0].says
