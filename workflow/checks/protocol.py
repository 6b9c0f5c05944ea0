"""Errors of tasks' protocols: keys that contradict each other, and more than there are images or time for."""

from typing import Any

from apr.basics.values import shown
from apr.runs.protocol import contradictions
from checks.data import Errors

MOST_TRAININGS = 1_000_000


def protocol_errors(config: dict[str, Any], views: dict[str, Any], datasets: dict[str, Any]) -> Errors:
    """Keys of a task that contradict each other; each names where its value comes from."""
    regimes, at_regimes = config["regimes"], set()
    for name, task in config["tasks"].items():
        if not isinstance(task, dict) or not isinstance(regimes.get(task.get("regime")), dict):
            continue
        regime = task["regime"]
        for keys, text in contradictions({**regimes[regime], **task}):
            own = [key for key in keys if key in task]
            if not own:
                at_regimes.add((regime, keys, text))
                continue
            text = contradictions({**regimes[regime], **task}, _origin(task, regime))
            yield ["tasks", name, own[0]], dict(text)[keys]
        yield from _batch_errors(name, {**regimes[regime], **task}, views, datasets, _origin(task, regime))
    for regime, keys, text in sorted(at_regimes):
        yield ["regimes", regime, keys[0]], text
    yield from _number_errors(config)


def _origin(task: dict[str, Any], regime: str) -> Any:
    return lambda key: "" if key in task else f" (inherited from the regime {regime})"


def _batch_errors(name: str, task: dict, views: dict, datasets: dict, origin: Any) -> Errors:
    """A batch that no training step of the view can fill."""
    view = views.get(task.get("view", name)) or {}
    dataset = datasets.get(view.get("dataset")) or {}
    most = most_training_images(view, dataset)
    if most is not None and isinstance(task.get("batch"), int) and task["batch"] > most:
        text = f"batch {shown(task['batch'])}{origin('batch')} is larger than the training images of the view"
        yield ["tasks", name, "batch"], f"{text} {task.get('view', name)}, at most {most}; lower it"


def most_training_images(view: dict[str, Any], dataset: dict[str, Any]) -> int | None:
    """No more training images than this can a view have; None where that is not known before the data are there."""
    chosen = view.get("classes")
    classes = len(chosen) if isinstance(chosen, list) else chosen or dataset.get("classes")
    caps = [cap for cap in (view.get("per_class"), view.get("cap")) if isinstance(cap, int)]
    return classes * min(caps) if classes and caps else None


def _number_errors(config: dict[str, Any]) -> Errors:
    """More trainings than anything could plan."""
    size, counts = config["population"]["size"], {}
    ks = config["statistics"].get("regret_k") or [1]
    if min(ks) > size:
        yield (
            ["statistics", "regret_k"],
            f"{ks}: every k exceeds the {size} models of the population; add a smaller one",
        )
    for name, task in config["tasks"].items():
        models = len(task["models"]) if "models" in task else size
        counts[name] = models * task.get("seeds", 1)
    if sum(counts.values()) > MOST_TRAININGS:
        largest = max(counts, key=lambda name: counts[name])
        text = f"{sum(counts.values()):,} trainings are more than {MOST_TRAININGS:,}"
        yield ["tasks", largest], f"{text}, {counts[largest]:,} of them here; lower population.size or seeds"
