"""Published tables, the user's own among them, and comparisons of rankings: each error is named."""

import pytest
import yaml
from changed_studies import errors_of, merge, shipped

OWN = "mine: {published: {file: %s, model: [name], column: acc%s}, metric: top1_accuracy}"
KEPT = "resources/published/medical_aucs.csv"
RANKINGS = "comparisons: {rankings: {r: {%s}}}"


def found(change, tmp_path, base="studies/published.yaml"):
    return errors_of(merge(shipped(base), yaml.safe_load(change)), tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "tasks: {openclip_imagenet: {published: open_clap}}",
            "no source 'open_clap' is known (did you mean open_clip?)",
        ),
        (
            "tasks: {openclip_imagenet: {metric: macro_f1}}",
            "tasks.openclip_imagenet.metric: openclip_imagenet was published as top1_accuracy; remove the key",
        ),
        ("tasks: {a: {published: open_clip}}", "tasks.a.set: open_clip has no test set 'a'"),
        (f"tasks: {{{OWN % ('https://x.org/a.csv', '')}}}", "https://x.org/a.csv: is an address; download it"),
        (f"tasks: {{{OWN % (KEPT, ', family: {column: m, pattern: (}')}}}", "pattern: '(' is no regular expression"),
        (f"tasks: {{{OWN % ('none.csv', '')}}}", "none.csv: no such file; it is looked for in the project's folder"),
        (
            f"tasks: {{{OWN % (KEPT, '')}, other: {{published: {{file: a/medical_aucs.csv, model: [m], column: c}}, "
            "metric: auc}}",
            "tasks.other.published.file: has the name of another table, resources/published/medical_aucs.csv; rename",
        ),
        (
            f"tasks: {{mine: {{published: {{file: {KEPT}, model: [source], column: bloodmnist}}}}}}",
            "tasks.mine.metric: is missing (top1_error",
        ),
        (f"tasks: {{mine: {{published: {{file: {KEPT}, model: [source]}}, metric: auc}}}}", "column: is missing"),
        (f"tasks: {{{OWN % (KEPT, ', unit: percents')}}}", "'percents' is not one of percent, fraction"),
        (
            "tasks: {openclip_imagenet: {metric: top2_accuracy}}",
            "tasks.openclip_imagenet.metric: 'top2_accuracy' is not one of",
        ),
        (RANKINGS % "against: openclip_imagenet", "says its tasks by against and targets, or by pairs, or by tasks"),
        (RANKINGS % "tasks: [openclip_imagenet, openclip_cars], pairs: {}", "comparisons.rankings.r"),
        (RANKINGS % "tasks: [openclip_imagenet]", "r.tasks: is one task; name two or more"),
        (
            RANKINGS % "against: openclip_imagenet, targets: [openclip_imagenet]",
            "r.targets: openclip_imagenet is compared with itself; compare two tasks",
        ),
        (
            RANKINGS % "against: openclip_imagenet, targets: [openclip_carz]",
            "r.targets: no task 'openclip_carz' (did you mean openclip_cars?)",
        ),
        (
            RANKINGS % "against: nb201_imagenet16_repeats, targets: [nb201_cifar10]",
            "several scores of each model of nb201_imagenet16_repeats count; name a task that has one",
        ),
        (
            RANKINGS % "against: openclip_imagenet, targets: [openclip_cars], above: 700",
            "r.above: 700 is no top-1 accuracy of openclip_imagenet, which goes from 0 to 100",
        ),
        (
            RANKINGS % "against: openclip_imagenet, targets: [openclip_cars], range_corrected: true",
            "r.range_corrected: corrects what `above` restricts; give above, or remove it",
        ),
        (RANKINGS % "tasks: [openclip_imagenet, openclip_cars], within: [1.5]", "r.within"),
        ("comparisons: {repeats: {nb201_cifar10: nb201_imagenet16}}", "nb201_cifar10 trains no models"),
    ],
)
def test_an_error_is_named(change, message, tmp_path):
    errors = found(change, tmp_path)
    assert any(message in error for error in errors), errors


def test_a_published_metric_is_none_of_trainings(tmp_path):
    (error,) = found("tasks: {digits: {metric: macro_f1}}", tmp_path, "studies/demo.yaml")
    assert "tasks.digits.metric: macro_f1 is known of tasks that finetune alone; take one of top1_error" in error


def test_a_trained_task_is_not_compared_with_a_published_one(tmp_path):
    tasks = "tasks: {openclip_cars: {published: open_clip}}\n"
    (error,) = found(tasks + RANKINGS % "against: photos, targets: [openclip_cars]", tmp_path, "studies/demo.yaml")
    assert "r.targets: openclip_cars has none of the models of photos" in error


@pytest.mark.parametrize("file", [KEPT, f"./{KEPT}", KEPT.replace("/", "//")])
def test_ones_own_table_beside_the_kept_ones_is_no_error(file, tmp_path):
    own = f"tasks: {{mine: {{published: {{file: {file}, model: [source], column: bloodmnist}}, metric: auc}}}}\n"
    assert found(own + RANKINGS % "pairs: {mine: medical_bloodmnist}", tmp_path) == []
