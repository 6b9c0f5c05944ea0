# What the tables and figures of a population's tasks compare.
from apr.claims.claims import read_claims, tasks_of


def crossed(targets, against):
    """Every target against each of `against`, a row of panels for each target."""
    return [(x, y) for y in targets for x in against]


CLOSEST = {target: member for target in study.targets if (member := study.closest(target))}
COMPARED = [study.reference, *study.targets, *CLOSEST.values()]
# The tasks on the horizontal and on the vertical axis of each panel; "imagenet" stands for the study's reference.
PAIRS = {
    "imagenet_vs_targets": [(study.reference, target) for target in study.targets],
    "imagenet_vs_family": [(study.reference, member) for member in study.family],
    "closest_vs_targets": [(member, target) for target, member in CLOSEST.items()],
    "classes_vs_images": crossed(**study.figures["classes_vs_images"]),
    "training_variants": crossed(**study.figures["training_variants"]),
}
REPEATED = list(study.figures["repeats"].items())
BALANCED = list(study.figures["balanced"].items())
INITIALISED = list(study.figures["initialisation"].items())
PRETRAINED = list(study.figures["pretrained"].items())
CURVES = study.figures["curves"] or {"task": None, "models": 0, "zoom_from": None}
CONTINUED = CURVES.get("continued", [])
CURVE_TASKS = [task for task in (CURVES["task"], *CONTINUED) if task]
COMPARED_DATASETS = list(dict.fromkeys(study.tasks[task].dataset for task in (study.reference, *study.targets)))

CLAIMS = str(PROJECT / "resources" / "claims.yaml")
CLAIMED = [task for task in tasks_of(read_claims(CLAIMS)) if task in study.tasks]

# What each item of the paper needs; an item whose needs are empty is not drawn, and the report says what is lacking.
NEEDS = {
    "fig_imagenet_vs_targets": study.targets,
    "fig_imagenet_vs_family": study.family,
    "fig_closest_vs_targets": CLOSEST,
    "fig_classes_vs_images": study.family and PAIRS["classes_vs_images"],
    "fig_training_variants": PAIRS["training_variants"],
    "fig_training_curves": CURVE_TASKS,
    "fig_seed_densities": REPEATED,
    "fig_other_errors": study.figures["metric_pair"],
    "fig_balanced_vs_unbalanced": BALANCED,
    "fig_pretrained_vs_scratch": PRETRAINED,
    "fig_initialisation": INITIALISED,
    "table_references": study.figures["references"],
    "table_noise_ceiling": REPEATED,
    "table_corrected_correlations": REPEATED,
}


# made by name alone, since `all` trains no extra task
BY_NAME = {"fig_initialisation"} if any(study.tasks[one].role == "extra" for one in sum(INITIALISED, ())) else set()


def scatter(pairs, columns=None):
    """Parameters of a figure of scatterplots, one for each pair of tasks; `columns` where rows have a meaning."""
    return {"pairs": pairs, "columns": columns, "titles": titles_of(sum(pairs, ()))}


def around(task):
    """Pairs of one task with the reference and with all of its family."""
    return [(against, task) for against in (study.reference, *study.family) if against != task]


def some_runs(task, count):
    """Some of a task's runs, drawn by the seed of the statistics."""
    runs = runs_of(task) if task else []
    return sorted(random.Random(study.statistics["seed"]).sample(runs, min(count, len(runs))))


def settings_of(task):
    """How a task trains: a row of the table of settings."""
    settings = study.tasks[task]
    keys = ("epochs", "batch", "lr", "weight_decay", "resolution")
    row = {"task": task, "title": settings.title, "dataset": study.datasets[settings.dataset]["title"]}
    return row | {key: settings.protocol[key] for key in keys} | {"metric": settings.metric}


def networks_of(tasks):
    """What the networks of the tasks are: rows of the table of references."""
    rows = []
    for task in tasks:
        settings = study.tasks[task]
        for name in settings.models:
            network = {"block": "bottleneck", "title": name} | study.networks[name]
            rows.append({"name": name} | {key: network[key] for key in ("title", "block", "depths", "widths")})
            rows[-1] |= study.complexity(name, settings)
    return rows
