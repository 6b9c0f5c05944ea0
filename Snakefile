# aprbench: is doing well on ImageNet enough?
#
#   snakemake -n                                                     plan the paper's study (config.yaml)
#   snakemake fig_imagenet_vs_targets                                one figure and what it needs
#   snakemake --configfile studies/demo.yaml --directory demo -c 2   a study that fits a laptop
#
# models x tasks -> runs -> scores -> comparisons: the rules stand in this order, one stage a file.
import sys

from snakemake.utils import min_version

min_version("9.0")
here = workflow.current_basedir.get_path_or_uri(secret_free=True)  # not that of a workflow that uses this as a module
sys.path[:0] = [f"{here}/workflow", f"{here}/workflow/scripts"]

from engine.batches import SUBMITTED, Batches
from engine.commands import Commands
from engine.outputs import Outputs
from engine.setup import follow_code, run_locally, started_study
from study.comparisons import tasks_of
from study.files import Files, all_there, one_of
from study.items import Items

if not workflow.overwrite_configfiles:

    configfile: f"{here}/config.yaml"


study = started_study(workflow, config)
comparisons = study.comparisons
files, items, batches = Files(study), Items(study), Batches(workflow, study)
outputs, commands = Outputs(items), Commands(study, files, batches)


wildcard_constraints:
    task="[^/]+",
    model="[^/]+",
    dataset="[^/]+",
    view="[^/]+",
    file="[^/]+",
    retest="[^/]+",


include: "rules/sources.smk"
include: "rules/datasets.smk"
include: "rules/models.smk"
include: "rules/training.smk"
include: "rules/finetuning.smk"
include: "rules/search.smk"
include: "rules/evaluation.smk"
include: "rules/published.smk"
include: "rules/scores.smk"
include: "rules/ranks/tables.smk"
include: "rules/ranks/noise.smk"
include: "rules/ranks/rankings.smk"
include: "rules/ranks/scatterplots.smk"
include: "rules/ranks/figures.smk"
include: "rules/ranks/appendix.smk"
include: "rules/lines/lines.smk"
include: "rules/lines/since.smk"
include: "rules/transfer/resampling.smk"
include: "rules/transfer/tables.smk"
include: "rules/transfer/figures.smk"
include: "rules/report.smk"
include: "rules/cluster.smk"


report: "workflow/report/study.rst"


rule all:
    """Every table and figure of the study, its explorer, and its answer."""
    default_target: True
    input:
        rules.tables.input,
        rules.figures.input,
        rules.explorer.output if study.asked else [],
        rules.answer.output if any(answer.values()) else [],
        "results/run_config.yaml",


follow_code(workflow)
run_locally(workflow, SUBMITTED)
