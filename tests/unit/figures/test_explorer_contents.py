"""What the explorer shows is what score tables and runs say."""

import numpy as np
import pytest
from explorer_studies import DIVERGED, EPOCHS, HOSTILE, LRS, MODELS, TUNED, study
from golden import checked

from apr.basics.problems import Problem
from apr.comparisons.shape import read_shape
from apr.figures.explorer import curves
from apr.figures.explorer.contents import read_contents
from apr.figures.explorer.page import PARTS
from apr.models.anynet import Genotype
from apr.scores.frames import read_models, read_repeats


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return study(tmp_path_factory.mktemp("explorer"))


@pytest.fixture(scope="module")
def contents(known):
    return read_contents(**known)


def column(contents, task):
    """{model: value} of a task."""
    (found,) = [entry for entry in contents["tasks"] if entry["name"] == task]
    names = [contents["models"][number]["name"] for number in found["of"]]
    return found, dict(zip(names, found["values"], strict=True))


def test_values_are_those_of_the_score_tables_and_means_over_seeds(known, contents):
    _, values = column(contents, "digits")
    table = read_models(known["scores"][1])["value"]
    assert {name: value for name, value in values.items() if value is not None} == table.dropna().to_dict()
    assert [name for name, value in values.items() if value is None] == [DIVERGED]
    photos, values = column(contents, "photos")
    means = read_repeats(known["scores"][0]).groupby("model")["value"].mean()
    assert values == pytest.approx(means.to_dict())
    assert [which for which, _ in photos["runs"][0]] == ["seed 1", "seed 2"]


def test_of_a_grid_the_chosen_cell_alone_counts(contents):
    leaves, values = column(contents, "leaves")
    assert values == {model: 60.0 + 5 * number for number, model in enumerate(TUNED)}
    assert leaves["run"] == f"lr {LRS[1]}, seed 7"
    assert all(len(own) == 1 for own in leaves["curves"].values())


def test_sizes_stages_and_families_are_known_where_something_says_them(known, contents):
    models = {model["name"]: model for model in contents["models"]}
    shape = read_shape(known["population"])
    assert [models[name]["depth"] for name in shape.index] == shape["cumulative_depth"].tolist()
    assert [models[name]["width"] for name in shape.index] == shape["cumulative_width"].tolist()
    genotype = Genotype.parse(known["plan"]["digits"]["runs"]["a000"]["genotype"])
    assert models["a000"]["stages"]["depths"] == genotype.depths
    assert models[TUNED[1]]["parameters_million"] == 3.0
    assert "stages" not in models[TUNED[1]]
    assert models[HOSTILE] == {"name": HOSTILE, "family": "family 1"}
    assert len(models) == MODELS + len(TUNED) + 1


def test_curves_keep_both_ends_and_end_where_a_run_diverged(contents):
    digits, values = column(contents, "digits")
    assert (digits["epochs"][0], digits["epochs"][-1], len(digits["epochs"])) == (1, EPOCHS, curves.POINTS)
    names = {model["name"]: number for number, model in enumerate(contents["models"])}
    (curve,) = digits["curves"][names["a001"]]
    assert curve[-1] == pytest.approx(values["a001"], rel=1e-3)
    (lost,) = digits["curves"][names[DIVERGED]]
    assert [value is None for value in lost] == [epoch > 30 for epoch in digits["epochs"]]
    assert column(contents, "imagenet")[0]["epochs"] == []


def test_contents_are_what_they_were(contents):
    lines = [f"{key}: {contents[key]}" for key in ("title", "sizes", "axes")]
    lines += [str(model) for model in [*contents["models"][:2], *contents["models"][-4:]]]
    for task in contents["tasks"]:
        some = {key: dict(list(task[key].items())[:3]) for key in ("runs", "curves")}
        lines += [f"{key}: {value}" for key, value in (task | some).items() if key != "digest"]
    checked("explorer", "\n".join(lines) + "\n")


def test_a_size_that_no_model_has_is_no_axis(known):
    plan = {"imagenet": known["plan"]["imagenet"]}
    contents = read_contents("x", plan, [["depth", "imagenet"]], known["scores"][3:])
    assert (contents["sizes"], contents["axes"]) == ([], [["imagenet", "imagenet"]])


def test_a_study_without_a_task_is_refused():
    with pytest.raises(Problem, match="no task that `all` makes"):
        read_contents("x", {}, [], [])


def test_a_run_that_is_missing_is_named(tmp_path):
    known = study(tmp_path)
    lost = tmp_path / "results/runs/digits/a005.json"
    lost.unlink()
    with pytest.raises(Problem, match=r"runs/digits/a005\.json: no such file"):
        read_contents(**known)


def luminance(colour):
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour]
    return np.dot([0.2126, 0.7152, 0.0722], linear)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_points_stand_out(scheme):
    """WCAG 2.1: 4.5 for text (1.4.3), 3 for what is drawn (1.4.11)."""
    blocks = (PARTS / "page.css").read_text().split(":root {")[1:]
    pairs = [entry.split(":") for entry in blocks[scheme].split("}")[0].split(";") if ":" in entry]
    colours = {name.strip(): [int(value.strip()[i : i + 2], 16) / 255 for i in (1, 3, 5)] for name, value in pairs}
    for name, ground, least in (
        ("--ink", "--paper", 4.5),
        ("--ink", "--band", 4.5),
        ("--ink", "--chosen", 4.5),
        ("--faint", "--paper", 4.5),
        ("--faint", "--band", 4.5),
        ("--inner", "--paper", 3),
        ("--current", "--paper", 3),
        ("--focus", "--paper", 3),
    ):
        dark, bright = sorted((luminance(colours[name]), luminance(colours[ground])))
        assert (bright + 0.05) / (dark + 0.05) >= least, (name, ground)
