# What the rules of tables and figures share in every study: how their outputs are marked for the report, and what says
# that a study lacks what an item is made of. NEEDS comes from the study's own stages.
PAPER_ITEMS = read_yaml(PROJECT / "resources" / study.items)["items"]
BOOTSTRAP = {key: study.statistics[key] for key in ("resamples", "seed")}


def lacking(target):
    """What the study lacks to make a target; None if it has all."""
    return None if NEEDS.get(target, True) else PAPER_ITEMS[target].get("needs", "a task")


def made(targets):
    """Those of the targets for which the study has what they need, without their prefix."""
    return [target.partition("_")[2] for target in targets if not lacking(target)]


def needed(target, files):
    """The input of a target: its files, or the message that the study lacks what they are made of."""

    def lacks(wildcards):
        raise WorkflowError(f"{target}: {study.title!r} lacks {lacking(target)}; {study.whole}, has it")

    return lacks if lacking(target) else files


def unexpanded(text):
    """Snakemake takes braces in a label for wildcards: an invisible joiner parts them from their names."""
    return text.replace("{", "{\u2060")


def shown(path, target, of=None):
    """Mark an output for the report, under its number in the paper; its caption is what the rule computed.

    Where a rule makes several, `of` gives what one of them shows by its wildcards.
    """
    kind = "Tables" if target.startswith("table_") else "Figures"
    labels = {key: PAPER_ITEMS[target][key] for key in ("item", "shows")}
    labels["format"] = path.rsplit(".", 1)[1].upper()
    labelled = (lambda wildcards: labels | {"shows": unexpanded(of(wildcards))}) if of else labels
    return report(path, caption="../workflow/report/caption.rst", category=kind, labels=labelled)


def drawing(name, target=None, of=None):
    """The outputs of a figure: the picture twice, the numbers that it draws, and its caption."""
    path = f"results/figures/{name}"
    kinds = {kind: shown(f"{path}.{kind}", target or f"fig_{name}", of) for kind in ("pdf", "png", "csv")}
    return kinds | {"caption": f"{path}.rst"}


def table(name, target=None, of=None):
    """The outputs of a table: for machines, to read, and its caption."""
    path = f"results/tables/{name}"
    csv = shown(f"{path}.csv", target or f"table_{name}", of)
    return {"csv": csv, "md": f"{path}.md", "caption": f"{path}.rst"}


def scores_of(tasks):
    """The score tables of tasks, each once."""
    return [f"results/scores/{task}.csv" for task in dict.fromkeys(tasks)]


def titles_of(tasks):
    """What a reader sees as the tasks' names."""
    return {task: study.tasks[task].title for task in tasks}
