"""The paper's own study, planned over runs that are made up: what pulls what, and what a change makes again."""

import re
from collections import Counter

import pytest

from study import ROOT

from .conftest import planned, snakemake
from .made_up import MadeUp

SMALL = {
    "population": {"size": 12},
    "tasks": {"cifar10_seeds": {"models": ["a002", "a004"], "grid": {"seed": {"count": 2}}}},
}
DATASETS = ["concrete", "mlc2008", "ham10000", "powerline", "insects", "natural", "cifar10", "cifar100"]
FAMILY = ["imagenet_100", "imagenet_10", "imagenet_5", "imagenet_2"]
CLOSEST = {"imagenet_2", "imagenet_5", "imagenet_10", "imagenet_100"}
BUT_CONCRETE = [name for name in DATASETS if name != "concrete"]
WHOLE = 12  # runs of a task of the whole population
TABLES = {"correlations", "depth_width", "references", "datasets", "settings", "items", "audit", "scorecard"}
TABLES |= {"noise_ceiling", "corrected_correlations", "population_size", "selection_regret"}


class Paper(MadeUp):
    """A small version of the paper's study, made up."""

    def trained(self, *targets, **options):
        """{task: trainings} of a dry run."""
        return Counter(re.findall(r"^    output: results/runs/([^/]+)/", self.plan(*targets, **options).output, re.M))


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    return Paper(tmp_path_factory.mktemp("paper"), ROOT / "config.yaml", SMALL)


@pytest.fixture(scope="module")
def nothing(tmp_path_factory):
    return tmp_path_factory.mktemp("nothing")


def test_the_whole_paper_is_planned(nothing):
    jobs = planned(snakemake("-n", "--quiet", "rules", directory=nothing, configs=[ROOT / "config.yaml"]))
    data = {"download_file": 9, "verify_source": 9, "unpack_source": 9, "pack_dataset": 9, "select_view": 9 + 7}
    runs = {"sample_population": 1, "train": 13_020 + 5, "collect_scores": 30, "rank_runs": 2}
    figures = dict.fromkeys([*FIGURES, "fig_design_space"], 1) | {"fig_target": 8}
    tables = dict.fromkeys((f"table_{name}" for name in TABLES), 1)
    assert jobs == data | runs | figures | tables | {"write_config": 1, "explorer": 1, "answer": 1}


def whole(*tasks):
    return dict.fromkeys(tasks, WHOLE)


CONTINUED = {"powerline_100ep": 10, "natural_100ep": 10}
PRETRAINED = [f"{name}_pretrained" for name in BUT_CONCRETE]
FIGURES = {
    "fig_relative_error": whole("imagenet", "powerline", "insects"),
    "fig_imagenet_vs_targets": whole("imagenet", *DATASETS),
    "fig_imagenet_vs_family": whole("imagenet", *FAMILY),
    "fig_closest_vs_targets": whole(*FAMILY, *DATASETS),
    "fig_classes_vs_images": whole("cifar10", "natural", "powerline", "imagenet", "imagenet_1000_10", "imagenet_10"),
    "fig_error_vs_depth_width": whole("imagenet", "insects", "ham10000", "powerline", "natural", "cifar100"),
    "fig_training_variants": whole("cifar10", "cifar10_stem", "cifar10_200ep", "imagenet", "imagenet_10"),
    "fig_training_curves": whole("cifar10_200ep", "powerline", "natural") | CONTINUED,
    "fig_seed_densities": whole("cifar10") | {"cifar10_seeds": 4},
    "fig_other_errors": whole("imagenet", "cifar100", "insects", "powerline", "natural"),
    "fig_balanced_vs_unbalanced": whole("mlc2008", "mlc2008_balanced", "ham10000", "ham10000_balanced"),
    "fig_pretrained_vs_scratch": whole("imagenet", *BUT_CONCRETE, *PRETRAINED),
    "fig_best_shapes": whole("imagenet", *DATASETS),
    "fig_all_pairs": whole("imagenet", *BUT_CONCRETE),
    "fig_selection_regret": whole("imagenet", *DATASETS, *CLOSEST),
    "fig_rho_vs_population": whole("imagenet", *DATASETS, *CLOSEST),
}


@pytest.mark.parametrize("figure", FIGURES)
def test_each_figure_pulls_exactly_the_tasks_that_it_shows(paper, nothing, figure):
    assert paper.trained(figure, folder=nothing) == FIGURES[figure]


def test_the_other_initialisation_is_trained_by_name_alone(paper, nothing):
    zero = [f"{name}_zero_gamma" for name in ("powerline", "natural", "cifar10")]
    assert paper.trained("fig_initialisation", folder=nothing) == whole(
        "imagenet", "powerline", "natural", "cifar10", *zero
    )
    assert paper.trained("fig_initialisation") == whole(*zero)  # all the rest is there, as `all` makes it
    asked = planned(paper.plan(more={"tasks": {name: {"role": "variant"} for name in zero}}))
    assert (asked["train"], asked["fig_initialisation"]) == (3 * WHOLE, 1)  # who wants them with all the others


def test_figure_2_and_the_tables_of_the_data_need_no_training(paper, nothing):
    assert not paper.trained("fig_design_space", "table_datasets", "table_settings", "table_items", folder=nothing)


def test_a_pretrained_run_needs_the_reference_run_of_its_own_model(paper, nothing):
    done = paper.plan("results/runs/natural_pretrained/a003.json", folder=nothing)
    assert set(re.findall(r"^    output: (results/runs/\S+)", done.output, re.M)) == {
        "results/runs/natural_pretrained/a003.json",
        "results/runs/imagenet/a003.json",
    }


def test_a_second_run_plans_nothing(paper):
    assert planned(paper.plan()) == {}


def test_a_deleted_run_is_trained_again_for_the_figure_that_shows_it(paper):
    run = paper.folder / "results/runs/cifar10_stem/a007.json"
    run.rename(run.with_suffix(".away"))
    try:
        assert paper.trained("fig_training_variants") == {"cifar10_stem": 1}
        assert paper.trained("fig_imagenet_vs_targets") == {}
        assert paper.trained() == {"cifar10_stem": 1}
    finally:
        run.with_suffix(".away").rename(run)
    assert planned(paper.plan()) == {}


def test_other_epochs_train_that_task_alone_and_what_starts_from_it(paper):
    assert paper.trained(more={"tasks": {"cifar10_stem": {"epochs": 31}}}) == whole("cifar10_stem")
    longer = {"natural": {"epochs": 21}, "natural_zero_gamma": {"epochs": 21}}  # the two differ in nothing else
    assert paper.trained(more={"tasks": longer}) == whole("natural") | {"natural_100ep": 10}


def test_a_grown_population_keeps_the_runs_that_it_has(paper):
    grown = paper.trained(more={"population": {"size": 20}})
    ranked = {name: grown.pop(name) for name in CONTINUED}
    assert ranked == CONTINUED  # which models these are has to be looked up again
    assert set(grown.values()) == {8}
    assert len(grown) == 30 - len(CONTINUED) - 3  # all but the repeated seeds and Table A1's


def test_an_edited_statistic_redraws_and_never_trains(paper):
    module = paper.project / "workflow/scripts/apr/statistics/bootstrap.py"
    before = module.read_text()
    edited = before.replace("PERCENTILES = (2.5, 97.5)", "PERCENTILES = (5, 95)")
    assert edited != before
    module.write_text(edited)
    try:
        jobs = planned(paper.plan())
    finally:
        module.write_text(before)
    assert {"table_correlations", "fig_imagenet_vs_targets", "fig_all_pairs", "table_scorecard"} <= jobs.keys()
    assert {rule for rule in jobs if not rule.startswith(("fig_", "table_"))} == {"answer"}


def test_a_new_dataset_trains_itself_alone(paper, coloured_folder):
    new = {
        "datasets": {"swatches": {"folder": str(coloured_folder), "format": "class_folders", "classes": 3}},
        "tasks": {"swatches": {"train": "natural_images", "role": "target", "metric": "top1_error"}},
    }
    assert paper.trained(more=new) == whole("swatches")
    assert planned(paper.plan("fig_imagenet_vs_family", more=new)) == {}


def test_what_a_study_lacks_is_said_when_its_figure_is_asked_for(tmp_path):
    demo = ROOT / "studies/demo.yaml"
    done = snakemake("fig_balanced_vs_unbalanced", "-n", directory=tmp_path, configs=[demo], check=False)
    assert done.returncode != 0
    assert (
        "lacks a task on a view with a `cap` (comparisons.balanced); config.yaml, the paper's own study, has it"
        in done.output
    )
