# What the rules of retests share: where published results lie, which score tables are compared, what the paper's values
# are, and how a model is evaluated.
import re

from apr.runs.metrics import ACCURACY
from study.retests import load_sources

FAMILIES = str(PROJECT / "resources" / "model_families.yaml")
CLAIMS = str(PROJECT / "resources" / "retest_claims.yaml")
CLAIMED = [claim | claim["measure"] for claim in read_yaml(CLAIMS)["claims"]]
MEASURED = load_sources()["timm-results"]["sets"]
RETESTS = list(study.retests.values())
SINCE = study.since or {"retests": [], "published": [], "resamples": 0}
SINCE_BOOTSTRAP = BOOTSTRAP | {"resamples": SINCE["resamples"]}

# What some items need; without it they are not made, and the report says what is lacking.
NEEDS = {
    "table_retest_scorecard": {claim["retest"] for claim in CLAIMED} & study.retests.keys(),
    "fig_since": SINCE["retests"],
    "fig_family_distances": SINCE["retests"],
    "table_since": SINCE["retests"],
}


def one_of(names):
    """A pattern for a wildcard that is one of the names; for none it matches nothing."""
    return "|".join(map(re.escape, names)) or "(?!)"


def compared(retests):
    """The score tables that retests compare, each once."""
    return scores_of(retest[side] for retest in retests for side in ("original", "new"))


def side_of(side):
    """The score table of one side of a retest."""
    return lambda wildcards: f"results/scores/{study.retests[wildcards.retest][side]}.csv"


def title_of(wildcards):
    return study.retests[wildcards.retest]["title"]


def paper_values(retest):
    """The paper's line and mean change of a retest; with the number of models where ours are others."""
    return {
        claim["quantity"]: claim["paper_value"]
        for claim in CLAIMED
        if claim["retest"] == retest
        and (
            claim["quantity"] in ("slope", "offset", "change")
            or {"models", "incomparable"} <= {claim["quantity"], *claim}
        )
    }


# --- published results ---


def published_file(source, name):
    """A file of a source: downloaded, or in a folder that the user has already."""
    folder = study.datasets[source]["folder"]
    return f"{PROJECT / folder}/{name}" if folder else f"data/raw/{source}/{name}"


def sets_of(source):
    """How the test sets of a source of predictions are read."""
    keys = ("classes", "class_ids", "name_ends", "renamed", "sets")
    return {key: study.datasets[source][key] for key in keys if key in study.datasets[source]}


# --- evaluations ---


def evaluation_recipe(wildcards):
    """The options of evaluate.py that change what an evaluation results in."""
    weights = study.evaluate["weights"]
    return shlex.join(
        [f"--model={study.models[wildcards.model]}", *([f"--weights={PROJECT / weights}"] if weights else [])]
    )


def evaluation_options(wildcards, output):
    """The program, and its options for how it uses the machine: what takes `output` is no reason to evaluate again."""
    task, run = study.tasks[wildcards.task], f"{wildcards.task}/{wildcards.model}"
    options = {key.replace("_", "-"): study.evaluate[key] for key in ("batch", "checkpoint_seconds")}
    options["device"] = device_of(study.evaluate)
    options |= {"task": task.name, "view": f"results/views/{task.view}.json"}
    options |= {"packed": f"data/packed/{task.dataset}", "storage": study.datasets[task.dataset]["storage"]}
    options |= {"checkpoint": f"results/checkpoints/{run}.pt", "history": f"logs/history/{run}.log"}
    return shlex.join([str(SCRIPTS / "evaluate.py"), *(f"--{key}={value}" for key, value in options.items())])


@seen_once
def needed_to_evaluate(wildcards):
    """The files that a test set's images come from."""
    keep_going()
    task = study.tasks[wildcards.task]
    return {"view": f"results/views/{task.view}.json", "packed": ancient(f"data/packed/{task.dataset}.bin")}
