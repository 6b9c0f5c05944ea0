"""A bad configuration shows all of its errors at once; the shipped ones have none."""

import copy

import pytest
import yaml
from changed_studies import errors_of, merge, shipped

from apr.runs.protocol import KEYS
from checks.config import SCHEMA, check_config
from study import ROOT, study_of
from study.settings import load_registry, resolve_dataset

SHIPPED = [
    ["config.yaml"],
    ["studies/demo.yaml"],
    ["studies/slices.yaml"],
    ["studies/retest.yaml"],
    ["studies/retest.yaml", "studies/retest_live.yaml"],
]


@pytest.mark.parametrize("names", SHIPPED, ids=" ".join)
def test_shipped_studies_have_no_errors(names):
    assert check_config(shipped(*names), [ROOT / name for name in names]) == []


def test_a_key_that_no_file_has_came_from_the_command_line_or_a_profile(demo, tmp_path):
    assert errors_of(demo, tmp_path) == []
    file = tmp_path / "study.yaml"
    assert check_config(demo | {"per_gpus": 1}, [file]) == [
        "--config, or a profile's `config`: per_gpus: no such key (did you mean per_gpu?)"
    ]


def test_the_order_of_keys_does_not_matter(demo, tmp_path):
    for section in ("datasets", "views", "regimes", "tasks"):
        demo[section] = dict(sorted(demo[section].items()))
        assert errors_of(demo, tmp_path) == []
        demo[section] = dict(reversed(demo[section].items()))
        assert errors_of(demo, tmp_path) == []


def test_every_key_is_described():
    def undescribed(schema, path):
        for key, part in schema.get("properties", {}).items():
            if "description" not in part:
                yield f"{path}.{key}"
            yield from undescribed(part, f"{path}.{key}")
        for key in ("items", "additionalProperties"):
            if isinstance(schema.get(key), dict):
                yield from undescribed(schema[key], path)

    schema = yaml.safe_load(SCHEMA.read_text())
    parts = [schema, schema["$defs"]["dataset"], schema["$defs"]["view"]]
    found = [name for part in parts for name in undescribed(part, part.get("title", ""))]
    assert found == []


def test_every_mapping_is_closed():
    def open_mappings(schema, path):
        if isinstance(schema, dict):
            if "properties" in schema and schema.get("additionalProperties") is not False:
                yield path
            for key, part in schema.items():
                yield from open_mappings(part, f"{path}.{key}")

    assert list(open_mappings(yaml.safe_load(SCHEMA.read_text()), "")) == []


def test_five_typos_are_named_at_once_with_the_nearest_key(demo, tmp_path):
    demo["populaton"] = demo.pop("population")
    demo["regimes"]["small"]["weigth_decay"] = 1
    demo["tasks"]["digits"]["roll"] = demo["tasks"]["digits"].pop("role")
    demo["tasks"]["retina"]["metric"] = "top1-error"
    demo["statistics"]["resamples"] = "many"
    errors = errors_of(demo, tmp_path)
    expected = [
        "populaton: no such key (did you mean population?)",
        "population: is missing, which task photos and 10 more train; give it, or name networks",
        "regimes.small.weigth_decay: no such key (did you mean weight_decay?)",
        "tasks.digits.roll: no such key (did you mean role?)",
        "tasks.digits.role: is missing",
        "tasks.retina.metric: 'top1-error' is not one of top1_error, top5_error, top1_accuracy, top5_accuracy, mean",
        "statistics.resamples: 'many' is a string, expected integer",
    ]
    assert len(errors) == len(expected)
    for start in expected:
        assert any(error.startswith(start) for error in errors), (start, errors)


def test_typos_do_not_hide_other_errors(demo, tmp_path):
    demo["regimes"]["small"]["weigth_decay"] = 1
    del demo["tasks"]["retina"]["role"]
    demo["tasks"]["digits"]["train"] = "smal"
    demo["views"]["photos_10"]["classes"] = 99
    demo["population"]["megaflops"] = [4, 3]
    errors = errors_of(demo, tmp_path)
    starts = ["regimes.small.weigth_decay: ", "tasks.retina.role: is missing", "tasks.digits.train: no regime 'smal'"]
    starts += ["views.photos_10.classes: asks for 99", "population.megaflops: "]
    assert len(errors) == len(starts)
    assert all(any(error.startswith(start) for error in errors) for start in starts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("views: {photos_10: {classes: 99}}", "views.photos_10.classes: asks for 99 classes, but photos has"),
        ("views: {photos_2: {classes: 7}}", "views.photos_2.classes: asks for 7 classes within photos_5, which has 5"),
        (
            "views: {photos_2: {within: photos_3}}",
            "views.photos_2.within: no other view 'photos_3' (did",
        ),
        ("views: {photos_5: {dataset: photo}}", "views.photos_5.dataset: no dataset 'photo' (did you mean photos?)"),
        ("views: {digits: {dataset: digits}}", "views.digits: has the name of a dataset"),
        (
            "comparisons: {relative_error: [photo]}",
            "comparisons.relative_error: no task 'photo' (did you mean photos?)",
        ),
        (
            "tasks: {digits: {closest: photo_2}}",
            "tasks.digits.closest: no family task 'photo_2' (did you mean ph",
        ),
        ("tasks: {digits: {train: smal}}", "tasks.digits.train: no regime 'smal' (did you mean small?)"),
        ("tasks: {digits: {view: digit}}", "tasks.digits.view: no view or dataset 'digit' (did you mean digits?)"),
        ("tasks: {retina: {metric: top5_error}}", "tasks.retina.metric: top5_error says nothing about 2 classes"),
        ("tasks: {digits: {role: reference}}", "tasks: exactly one task has the role reference, found 2"),
        ("datasets: {shells: {format: npz}}", "datasets.shells: has no url, files or folder"),
        ("datasets: {shells: {url: 'file:x.zip'}}", "datasets.shells.format: is missing"),
        (
            "datasets: {photos: {options: {rot: x}}}",
            "datasets.photos.options.rot: npz has no such option (did",
        ),
        ("population: {megaflops: [900, 950]}", "population.megaflops: no architecture can lie in 900–950: the space"),
        ("population: {megaflops: [4, 3]}", "population.megaflops: [4, 3]: the first value is larger"),
    ],
)
def test_cross_checks(demo, tmp_path, change, message):
    errors = errors_of(merge(demo, yaml.safe_load(change)), tmp_path)
    assert [error for error in errors if error.startswith(message)], errors


def test_a_name_that_cannot_be_a_file_name_is_refused(demo, tmp_path):
    demo["tasks"]["../evil task"] = {"train": "small", "role": "target", "metric": "top1_error", "view": "digits"}
    (error,) = errors_of(demo, tmp_path)
    assert error.startswith("tasks: '../evil task' does not match")
    assert "Letters, digits" in error


def test_a_regime_that_lacks_a_key_is_named(demo, tmp_path):
    del demo["regimes"]["small"]["lr"]
    assert "regimes.small: lacks lr, which task photos and 11 more need" in errors_of(demo, tmp_path)


def test_the_file_that_sets_the_key_is_named(demo, tmp_path):
    base, more = tmp_path / "base.yaml", tmp_path / "more.yaml"
    base.write_text(yaml.safe_dump(demo))
    more.write_text("tasks: {shells: {train: small, role: targt, metric: top1_error}}")
    demo["tasks"]["shells"] = {"train": "small", "role": "targt", "metric": "top1_error"}
    error, *_ = check_config(demo, [base, more])
    assert error.startswith(f"{more}: tasks.shells.role: 'targt' is not one of")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("tasks: {digits_seeds: {models: [a099]}}", "tasks.digits_seeds.models: no model 'a099' (a000 to a029)"),
        (
            "networks: {resnet8: {depths: [1], widths: [8], strides: [1]}}\ntasks: {digits_seeds: {models: [resnet9]}}",
            "tasks.digits_seeds.models: no model 'resnet9' (did you mean resnet8?)",
        ),
        (
            "tasks: {tissues_pretrained: {initial: photo}}",
            "tasks.tissues_pretrained.initial: no task 'photo' (did you mean photos?)",
        ),
        (
            "tasks: {tissues_pretrained: {stem: res_stem_cifar}}",
            "tasks.tissues_pretrained.initial: photos has the stem simple_stem_in, this task res_stem_cifar",
        ),
        ("tasks: {tissues_pretrained: {models: [resnet8]}}", "photos does not train resnet8"),
        ("tasks: {photos: {models: [a001]}, tissues_pretrained: {models: [a002]}}", "photos does not train a002"),
        (
            "tasks: {retina_6ep: {epochs: 2}}",
            "tasks.retina_6ep.continues: retina ends after 2 epochs; give this task more",
        ),
        ("tasks: {retina_6ep: {ranks: 16}}", "retina trains too few models for 16 best and as many worst; lower ranks"),
        (
            "tasks: {retina_6ep: {view: digits}}",
            "retina trains on retina, this task on digits; they need the same view",
        ),
        (
            "tasks: {retina_6ep: {grid: {seed: [1, 2]}}}",
            "takes its models from the ranks of the other task; remove models and grid",
        ),
        ("tasks: {retina_6ep: {initial: photos}}", "tasks.retina_6ep: has both initial and continues; keep one"),
        ("tasks: {digits_seeds: {initial: retina_6ep}}", "retina_6ep has itself initial, continues or a grid"),
        ("networks: {a7: {depths: [1], widths: [8]}}", "networks.a7: looks like a model of the population"),
        ("networks: {odd: {depths: [1, 1], widths: [8, 8], strides: [1]}}", "networks.odd: genotype"),
        ("tasks: {tissues_pretrained: {initial: tissues_pretrained}}", "initial: a task cannot start from itself"),
        (
            "tasks: {retina: {ranks: 2}}",
            "tasks.retina.ranks: says how many models `continues` takes, and there is none",
        ),
        (
            "comparisons: {pretrained: {tissues: digits}}",
            "comparisons.pretrained.tissues: tissues: digits: the second has no `init",
        ),
        ("comparisons: {pretrained: {digits: tissues_pretrained}}", "the two train on different views"),
        (
            "comparisons: {repeats: {digits: retina}}",
            "comparisons.repeats.digits: digits: retina: the grid of the first is not of seeds alone",
        ),
        ("comparisons: {repeats: {digits_seeds: retina}}", "the two train on different views"),
        ("comparisons: {balanced: {photos: photos_5}}", "the view photos_5 of the second has no `cap`"),
        ("comparisons: {references: [digits]}", "comparisons.references: digits does not train `networks` alone"),
        (
            "comparisons: {curves: {continued: [retina]}}",
            "comparisons.curves.continued: retina continues no other task",
        ),
        (
            "comparisons: {best_shapes: [retina_seeds]}",
            "comparisons.best_shapes: retina_seeds does not train each model",
        ),
        (
            "comparisons: {all_pairs: [photos, digits_seeds]}",
            "comparisons.all_pairs: digits_seeds does not train each model",
        ),
        (
            "comparisons: {curves: {zoom_from: 6}}",
            "comparisons.curves.zoom_from: photos_2 ends after 4 epochs; lower it",
        ),
        (
            "comparisons: {repeats: {digits_seed: digits}}",
            "comparisons.repeats: no task 'digits_seed' (did you mean digits_seeds?)",
        ),
    ],
)
def test_errors_of_models_starts_and_figures(demo, tmp_path, change, message):
    errors = errors_of(merge(demo, yaml.safe_load(change)), tmp_path)
    assert any(message in error for error in errors)


def test_the_paper_is_whole():
    study = study_of(shipped("config.yaml"))
    assert len(study.models) == 500
    assert study.reference == "imagenet"
    assert study.family == ["imagenet_100", "imagenet_10", "imagenet_5", "imagenet_2"]
    assert {target: study.closest(target) for target in study.targets} == {
        "concrete": "imagenet_2",
        "mlc2008": "imagenet_10",
        "ham10000": "imagenet_5",
        "powerline": "imagenet_2",
        "insects": "imagenet_100",
        "natural": "imagenet_5",
        "cifar10": "imagenet_10",
        "cifar100": "imagenet_100",
    }
    assert [name for name, task in study.tasks.items() if task.metric == "top5_error"] == [
        "imagenet",
        "imagenet_100",
        "imagenet_1000_10",
        "insects",
        "cifar100",
        "insects_pretrained",
        "cifar100_pretrained",
    ]
    runs = {name: len(study.runs(name)) for name in study.asked}
    assert sum(runs.values()) == 13_020 + 5  # the paper's trainings and Table A1's
    beside = [name for name in study.tasks if name not in study.asked]
    assert beside == list(study.comparisons["initialisation"].values())
    assert len(beside) == 3
    for base, other in study.comparisons["initialisation"].items():
        ours, theirs = study.tasks[base].protocol, study.tasks[other].protocol
        assert theirs == ours | {"zero_init_final_gamma": True}
        assert ours["zero_init_final_gamma"] is False
    assert runs["cifar10_seeds"] == 2 * 250
    assert [name for name, count in runs.items() if count == 10] == ["powerline_100ep", "natural_100ep"]
    assert [name for name, task in study.tasks.items() if task.initial] == list(
        study.comparisons["pretrained"].values()
    )
    assert len(study.comparisons["pretrained"]) == 7
    assert {name for name in study.tasks if study.keeps(name)} == {"imagenet", "powerline", "natural"}


def test_a_task_overrides_its_regime(demo):
    before = study_of(copy.deepcopy(demo)).tasks
    demo["tasks"]["digits"]["epochs"] = 77
    after = study_of(demo).tasks
    assert after["digits"].protocol["epochs"] == 77
    assert list(after["digits"].protocol) == list(KEYS)
    assert {n: t for n, t in after.items() if n != "digits"} == {n: t for n, t in before.items() if n != "digits"}


def test_a_study_adds_to_the_options_of_the_registry_unless_the_format_is_its_own():
    registry = load_registry()
    merged = resolve_dataset("ham10000", {"options": {"suffix": ".png"}}, registry)["options"]
    assert merged == registry["ham10000"]["options"] | {"suffix": ".png"}
    other = resolve_dataset("ham10000", {"format": "class_folders", "options": {}}, registry)["options"]
    assert other == {}
