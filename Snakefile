# aprbench: is doing well on ImageNet enough?
#
#   snakemake -n                                                     plan the paper's study (config.yaml)
#   snakemake fig_imagenet_vs_targets                                one figure and what it needs
#   snakemake --configfile studies/demo.yaml --directory demo -c 2   a study that fits a laptop
#
# population x tasks -> runs -> errors -> comparisons; each stage is one file in rules/, and a study names its own.
import gc
import os
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")
# a plan of 13,000 jobs is millions of objects that live on: looking at them again is a quarter of the time
gc.set_threshold(1_000_000)
PROJECT = Path(workflow.basedir)
SCRIPTS = PROJECT / "workflow" / "scripts"
sys.path[:0] = [str(PROJECT / "workflow"), str(SCRIPTS)]

if not workflow.overwrite_configfiles:

    configfile: PROJECT / "config.yaml"


include: "rules/common.smk"
include: "rules/cluster.smk"
include: "rules/datasets.smk"
include: "rules/shown.smk"


for stage in study.stages:

    include: f"rules/{stage}.smk"


include: "rules/report.smk"


report: f"workflow/report/{study.introduction}"


wildcard_constraints:
    task="[^/]+",
    model="[^/]+",
    dataset="[^/]+",
    view="[^/]+",


rule all:
    """Every table and figure of the study."""
    default_target: True
    input:
        rules.tables.input,
        rules.figures.input,
        "results/run_config.yaml",


follow_code(workflow.rules)
workflow.localrules(*{rule.name for rule in workflow.rules} - SUBMITTED)
