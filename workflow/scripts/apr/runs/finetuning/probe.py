"""A probe: a classifier of fixed features, the strength of its regularisation chosen by the validation images."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from apr.basics.interruption import Interrupted, listen
from apr.runs.checkpoints import Checkpointing, load_checkpoint, save_checkpoint
from apr.runs.finetuning.classifiers import Parts, check_learnable, logistic, neighbours, scaled
from apr.runs.finetuning.scored import evaluated, targets_of
from apr.runs.metrics import METRICS, PLAIN, Metric, is_part

Entry = dict[str, Any]
Scores = dict[str, NDArray[np.float32]]
log = logging.getLogger("apr")


def probe(
    features: Parts,
    labels: Parts,
    protocol: Mapping[str, Any],
    manifest: Mapping[str, Any],
    checkpointing: Checkpointing,
    *,
    on_strength: Callable[[float], None] = lambda strength: None,
) -> tuple[dict[str, Any], list[Entry], Scores]:
    """Fit on the training images; of several strengths, the one counts that is best on the validation images.

    Of equally good ones it is the strongest regularisation, which is the smallest C. The metric is the protocol's.

    Args:
        features: of each part of the view, float32 [n, features].
        labels: of each part, as `view_indices` numbers them.
        protocol: of the run.
        manifest: of the view.
        checkpointing: where the strengths that are done are kept.
        on_strength: told which strength is done.

    Returns:
        The outcome, with the `chosen` strength; the history, an entry for each strength, none of neighbours; and the
        scores of each part.

    Raises:
        Interrupted: SIGTERM, SIGINT or SIGUSR1 came; the checkpoint is written.
        Problem: the training images do not suffice.
    """
    classes, metric = manifest["classes"], METRICS[protocol["metric"]]
    targets = {part: targets_of(own, manifest.get("label_sets"), len(classes)) for part, own in labels.items()}
    check_learnable(targets["train"], classes)
    if protocol["classifier"] == "neighbours":
        scores = neighbours(features, targets["train"], len(classes), protocol["neighbours"])
        parts = {part: evaluated(own, targets[part], metric) for part, own in scores.items()}
        _report("", parts, metric)
        return {"status": "completed", "parts": parts}, [], scores
    strengths, inputs = protocol["strengths"], scaled(features)
    shapes = {part: (len(own), len(classes)) for part, own in features.items()}
    history, scores = _resumed(checkpointing, strengths, shapes, metric)
    received = listen()
    for strength in strengths[len(history) :]:
        answers = logistic(inputs, targets["train"], len(classes), strength)
        parts = {part: evaluated(own, targets[part], metric) for part, own in answers.scores.items()}
        history.append(
            {"strength": strength, "iterations": answers.iterations, "converged": answers.converged, "parts": parts}
        )
        if best_of(history, metric) is history[-1]:
            scores = answers.scores
        _report(f"strength {strength:g}: ", parts, metric)
        if not answers.converged:
            text = "strength %g: the fit stopped after %d iterations without having converged; its scores are those "
            log.warning(
                text + "of where it stopped. Leave this strength out, if it is chosen", strength, answers.iterations
            )
        on_strength(strength)
        checkpointing.check()
        _save(checkpointing, history, scores)
        if received:
            raise Interrupted(received.pop(0))
    best = best_of(history, metric)
    how = f"the best of {len(strengths)} on the validation images" if strengths[1:] else "the only one"
    log.info("its scores are those of strength %g (C, the inverse of the regularisation), %s", best["strength"], how)
    if strengths[1:] and best["strength"] == strengths[-1]:
        log.warning("strength %g is the largest of strengths; a larger one may be better still", best["strength"])
    return {"status": "completed", "chosen": {"strength": best["strength"]}, "parts": best["parts"]}, history, scores


def best_of(history: list[Entry], metric: Metric) -> Entry:
    """The entry that is best on the validation images, of equal ones the first; the only one needs no such images."""
    if not history[1:]:
        return history[0]
    return min(history, key=lambda entry: metric.loss(metric.of(entry["parts"]["validation"])))


def _report(what: str, parts: Mapping[str, dict], metric: Metric) -> None:
    told = []
    for part, counts in parts.items():
        shown = next((one for one in (metric, PLAIN) if one.of(counts) is not None), None)
        told += [f"{part} {shown.title} {shown.of(counts):.2f} %"] if shown else []
    log.info("%s%s", what, ", ".join(told))


def _save(checkpointing: Checkpointing, history: list[Entry], scores: Scores) -> None:
    tensors = {part: torch.from_numpy(own) for part, own in scores.items()}
    save_checkpoint(checkpointing.path, {"tried": history, "scores": tensors}, checkpointing.fingerprint)


def _resumed(
    checkpointing: Checkpointing, strengths: list[float], shapes: Mapping[str, tuple[int, int]], metric: Metric
) -> tuple[list[Entry], Scores]:
    """The strengths that an earlier call tried, and the scores of the best of them."""

    def fault(state: dict[str, Any]) -> str | None:
        tried, scores = state.get("tried"), state.get("scores")
        whole = isinstance(tried, list) and 0 < len(tried) <= len(strengths) and isinstance(scores, dict)
        whole = whole and all(_is_entry(*pair, shapes.keys(), metric) for pair in zip(tried, strengths, strict=False))
        if not whole or {part: getattr(own, "shape", None) for part, own in scores.items()} != dict(shapes):
            return "it does not say which strengths were tried"
        return None if all(own.dtype == torch.float32 for own in scores.values()) else "its scores are not float32"

    state = load_checkpoint(checkpointing.path, checkpointing.fingerprint, torch.device("cpu"), fault)
    if state is None:
        return [], {}
    log.info("resuming after strength %g", state["tried"][-1]["strength"])
    return state["tried"], {part: own.numpy() for part, own in state["scores"].items()}


def _is_entry(entry: Any, strength: float, parts: Any, metric: Metric) -> bool:
    if not isinstance(entry, dict) or entry.keys() != {"strength", "iterations", "converged", "parts"}:
        return False
    own = entry["parts"]
    if not isinstance(own, dict) or own.keys() != parts or not all(map(is_part, own.values())):
        return False
    known = all(isinstance(metric.of(one), int | float) for one in own.values())
    told = type(entry["iterations"]) is int and type(entry["converged"]) is bool
    return entry["strength"] == strength and told and known
