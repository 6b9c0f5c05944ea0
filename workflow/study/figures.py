"""Which tasks each figure of a study shows, where its configuration does not say it."""

from typing import Any

from apr.runs.metrics import METRICS, SHOWN


def figures_shown(study: Any, figures: dict[str, Any]) -> dict[str, Any]:
    """What each figure shows: as configured, else what follows from roles; empty where the study lacks it."""
    shown = [study.reference, *study.targets]
    of_view = {task.view: name for name, task in study.tasks.items() if task.role == "target"}
    variants = {name: of_view.get(task.view) for name, task in study.tasks.items() if task.role == "variant"}
    defaults: dict[str, Any] = dict.fromkeys(("relative_error", "depth_width", "all_pairs", "best_shapes"), shown)
    defaults |= {"classes_vs_images": {"targets": study.targets, "against": [study.reference, *study.family[-1:]]}}
    defaults |= {"training_variants": {"targets": [], "against": []}, "curves": None, "balanced": {}}
    defaults |= {"metric_pair": [name for name in shown if _has_both(study.tasks[name].classes)]}
    defaults |= {"train_error_vs_depth": study.targets, "references": []}
    defaults["repeats"] = {name: base for name, base in variants.items() if base and study.tasks[name].seeds > 1}
    defaults["initialisation"] = {
        other.name: name
        for name, task in study.tasks.items()
        for other in study.tasks.values()
        if task.role in ("variant", "extra") and other.role == "target" and _initialised_otherwise(task, other)
    }
    defaults["pretrained"] = {base: name for name, base in variants.items() if base and study.tasks[name].initial}
    return defaults | figures


def _has_both(classes: int | None) -> bool:
    """Whether both metrics that a figure sets against each other say something about so many classes."""
    return bool(classes) and not any(METRICS[name].fault(classes) for name in SHOWN)


def _initialised_otherwise(task: Any, other: Any) -> bool:
    """Whether two tasks differ in how the last BatchNorm of a block starts, and in nothing else."""
    differing = {key for key in {*task.protocol, *other.protocol} if task.protocol.get(key) != other.protocol.get(key)}
    return (task.view, task.models, task.seeds) == (other.view, other.models, other.seeds) and differing == {
        "zero_init_final_gamma"
    }
