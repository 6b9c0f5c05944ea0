# Needs:  every table and figure that the study can make (ranks/, lines/), and its plan
# Makes:  results/tables/{items,audit}.{csv,md,rst}, results/{run_config,given_config}.yaml, results/STATUS; results/audit.{csv,md};
#         results/explorer.html; results/answer.{txt,rst}, with which the report opens
from engine.outputs import STUDY
from engine.safe_report import secure_report
from engine.setup import given_digest, given_files
from engine.watching import Watching
from study.answer import answer_files, answer_parts

secure_report()
watching = Watching(workflow, study, local=not batches.submits)
answer = answer_parts(items, files)


rule tables:
    """Every table of the study, also to read, and its caption."""
    input:
        expand("results/tables/{name}.{suffix}", name=items.made("table_"), suffix=["csv", "md", "rst"]),


rule figures:
    """Every figure of the study, with its numbers and its caption."""
    input:
        expand("results/figures/{name}.{suffix}", name=items.made("fig_"), suffix=["pdf", "png", "csv", "rst"]),


rule answer:
    """What agrees with what, how sure that is, and what it costs to choose by it, in a few sentences."""
    input:
        **{kind: outputs.needed("answer", paths) for kind, paths in answer_files(answer).items()},
    output:
        txt="results/answer.txt",
        caption="results/answer.rst",
    log:
        "logs/answer.log",
    conda:
        "../envs/analysis.yaml"
    params:
        parts=answer,
    script:
        "../workflow/scripts/answer.py"


rule explorer:
    """Every model and every task of the study in one page that a browser opens, without a network."""
    input:
        scores=files.scores(study.asked),
        population=["results/population.csv"] if study.models else [],
    output:
        outputs.page("results/explorer.html"),
    log:
        "logs/explorer.log",
    conda:
        "../envs/analysis.yaml"
    params:
        title=lambda wildcards: study.title,
        axes=comparisons.explored,
        plan=lambda wildcards: {task: study.planned(task) for task in study.asked},
    script:
        "../workflow/scripts/explorer.py"


rule table_items:
    """Which items of the papers this study makes, and what it lacks for the others."""
    output:
        **outputs.table("items"),
    log:
        "logs/table_items.log",
    conda:
        "../envs/analysis.yaml"
    params:
        rows=items.rows,
    script:
        "../workflow/scripts/table_items.py"


rule table_audit:
    """Whether every run is there and belongs to this study."""
    input:
        scores=files.scores(study.asked),
    output:
        **outputs.table("audit"),
    log:
        "logs/table_audit.log",
    conda:
        "../envs/analysis.yaml"
    params:
        strict=False,
        plan=lambda wildcards: study.plan,
    script:
        "../workflow/scripts/audit_runs.py"


rule audit:
    """Audit the runs that there are, whenever it is asked for; fail where one is wrong."""
    log:
        "logs/audit.log",
    conda:
        "../envs/analysis.yaml"
    params:
        strict=True,
        plan=lambda wildcards: study.plan,
    script:
        "../workflow/scripts/audit_runs.py"


rule write_config:
    """The study as its files were written, and the effective configuration, with all that defaults and the registry add."""
    output:
        given=report(
            "results/given_config.yaml",
            caption="../workflow/report/given.rst",
            category=STUDY,
            labels={"item": "Configuration as it was written", "format": "YAML"},
        ),
        effective=report(
            "results/run_config.yaml",
            caption="../workflow/report/config.rst",
            category=STUDY,
            labels={"item": "Effective configuration", "format": "YAML"},
        ),
    log:
        "logs/write_config.log",
    conda:
        "../envs/analysis.yaml"
    params:
        digest=study.digest(config),
        written=lambda wildcards: given_digest(workflow),
        given=lambda wildcards, output: given_files(workflow),
        effective=lambda wildcards, output: study.effective(config),
    script:
        "../workflow/scripts/write_config.py"


onstart:
    watching.start()


onsuccess:
    watching.finish()


onerror:
    watching.stop()
