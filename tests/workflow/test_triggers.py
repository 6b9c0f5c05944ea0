"""What an edit of the project plans again over a finished study: what uses it, and never data or trainings."""

import pytest

from .conftest import TINY, planned
from .made_up import MadeUp

DATA = {"download_file", "verify_source", "unpack_source", "pack_dataset", "select_view"}
LASTING = DATA | {"train", "rank_runs"}
SLOW = ("train", "evaluate", *sorted(DATA))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return MadeUp(tmp_path_factory.mktemp("triggers"), TINY)


@pytest.fixture
def edited(made):
    """Edit files of the project's workflow; they are as before at the end."""
    before = {}

    def edit(*files):
        for file in files:
            before[file] = file.read_bytes()
            file.write_bytes(before[file] + b"\nEDITED = True\n")

    yield edit
    for file, text in before.items():
        file.write_bytes(text)


def test_a_fresh_clone_plans_nothing(made):
    assert planned(made.plan()) == {}
    made.renew()
    assert planned(made.plan()) == {}


def test_edited_scripts_and_modules_of_data_and_training_plan_nothing(made, edited):
    scripts = made.project / "workflow/scripts"
    edited(*(scripts / f"{name}.py" for name in SLOW))
    own = ("download", "archives", "packing", "batches", "augmentation", "network", "training", "checkpoints", "leases")
    edited(*(next(scripts.rglob(f"apr/*/**/{name}.py")) for name in own), *scripts.glob("apr/data/formats/*.py"))
    edited(*(made.project / "envs").glob("*.yaml"))
    # the figure of example images alone reads packed ones
    assert planned(made.plan()).keys() <= {"fig_design_space"}


def test_edited_everywhere_nothing_is_trained_and_all_that_is_cheap_is_made_again(made, edited):
    edited(*(made.project / "workflow/scripts").rglob("*.py"))
    everything = planned(made.plan("--forceall", "--quiet", "rules")).keys()
    assert planned(made.plan()).keys() == everything - LASTING


@pytest.mark.parametrize("options", [["--profile", "slurm"], ["--profile", "own"]], ids=["slurm", "own profile"])
def test_other_profiles_plan_no_more(made, edited, tmp_path, options):
    profile = made.project / "slurm" if "slurm" in options else tmp_path / "own"
    if "own" in options:
        profile.mkdir()
        (profile / "config.yaml").write_text("cores: 3\nprintshellcmds: true\n")
    edited(made.project / "workflow/scripts/train.py", made.project / "workflow/scripts/download_file.py")
    assert planned(made.plan("--profile", profile)).keys() <= {"write_config"}  # a profile may hold configuration


@pytest.mark.parametrize(
    ("module", "rules"),
    [
        ("scripts/fig_scatter.py", {"fig_imagenet_vs_targets", "fig_imagenet_vs_family", "fig_target"}),
        ("scripts/apr/watch/consistency.py", {"table_audit"}),
        ("scripts/apr/runs/record.py", {"collect_scores", "table_audit", "table_correlations"}),
    ],
    ids=["script", "module of one table", "module of all tables"],
)
def test_an_edit_plans_what_uses_it(made, edited, module, rules):
    edited(made.project / "workflow" / module)
    jobs = planned(made.plan())
    assert rules <= jobs.keys()
    assert not jobs.keys() & LASTING
    if module != "scripts/apr/runs/record.py":
        assert not jobs.keys() & {"collect_scores", "table_correlations"} - rules


def test_a_comment_in_a_rule_plans_nothing(made, edited):
    edited(*(made.project / "rules").glob("*.smk"))
    assert planned(made.plan()) == {}
