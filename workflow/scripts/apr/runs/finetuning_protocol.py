"""The protocols of fine-tuning and of probes: their keys, what each takes, and which contradict each other.

After sample_train.py of mlfoundations/imagenet-applications-transfer (Fang, Kornblith, Schmidt 2023). Light: the
configuration is checked by it.
"""

from collections.abc import Mapping
from typing import Any

from apr.runs.protocol import IDLE, Contradiction, images_of
from apr.runs.protocol import KEYS as TRAINING

_SHARED = ("epochs", "batch", "lr", "momentum", "nesterov", "weight_decay", "crop", "padding", "flip")
_SIZE = {**TRAINING["resolution"], "type": ["integer", "null"]}
_EPOCHS = {"items": {"type": "integer", "minimum": 1, "maximum": 100_000}, "minItems": 1, "maxItems": 100}

# In the order in which protocols are written. `weights` says where they lie; a run's protocol has their digest instead.
FINETUNING: dict[str, dict[str, Any]] = {
    **{key: TRAINING[key] for key in _SHARED},
    "optimiser": {"enum": ["sgd", "adamw"]},
    "decay": {"enum": ["plain", "by_rate"]},
    "schedule": {"enum": ["cosine", "steps"]},
    "milestones": {**_EPOCHS, "type": ["array", "null"]},
    "gamma": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    "smallest_area": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    "flip_vertical": {"type": "boolean"},
    "resolution": _SIZE,
    "eval_resize": _SIZE,
    "normalisation": {"enum": ["weights", "imagenet", "data"]},
    "channels": {"enum": ["rgb", "bgr"]},
    "start": {"enum": ["pretrained", "scratch"]},
    "layers": {"enum": ["all", "head"]},
    "keep_epoch": {"enum": ["best", "last"]},
    "precision": TRAINING["precision"],
    "channels_last": TRAINING["channels_last"],
    "seed": TRAINING["seed"],
    "revision": TRAINING["revision"],
    "weights": {"type": ["string", "null"]},
}
UNSAID: dict[str, Any] = {
    "momentum": 0.9,
    "nesterov": True,
    "padding": 0,
    "decay": "plain",
    "schedule": "cosine",
    "milestones": None,
    "gamma": 0.1,
    "smallest_area": 0.65,
    "flip_vertical": False,
    "resolution": None,
    "eval_resize": None,
    "normalisation": "weights",
    "channels": "rgb",
    "start": "pretrained",
    "layers": "all",
    "keep_epoch": "best",
    "precision": "fp32",
    "channels_last": True,
    "weights": None,
}
# Of a probe. `strengths` are inverse strengths of the regularisation (scikit-learn's C), of which the validation images
# choose one; `batch` is how many pictures pass at once. It draws nothing at random and has no seed.
PROBING: dict[str, dict[str, Any]] = {
    "classifier": {"enum": ["logistic", "neighbours"]},
    "strengths": {
        "type": "array",
        "items": {"type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000_000},
        "minItems": 1,
        "maxItems": 100,
        "uniqueItems": True,
    },
    "neighbours": {"type": "integer", "minimum": 1, "maximum": 100_000},
    **{key: FINETUNING[key] for key in ("resolution", "eval_resize", "normalisation", "channels")},
    "batch": {"type": "integer", "minimum": 1, "maximum": 100_000},
    "revision": TRAINING["revision"],
    "weights": FINETUNING["weights"],
}
UNSAID_OF_PROBES: dict[str, Any] = {
    "classifier": "logistic",
    "strengths": [1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0],
    "neighbours": 20,  # the number that Caron et al. 2021 (DINO) found to work best for most of their features
    "batch": 64,
    "revision": 1,
    **{key: UNSAID[key] for key in ("resolution", "eval_resize", "normalisation", "channels", "weights")},
}
# What a key is read for: without it, it does nothing and is no part of the protocol.
PROBED_WITH = {"strengths": ("classifier", "logistic"), "neighbours": ("classifier", "neighbours")}
ONLY_WITH = {
    "momentum": ("optimiser", "sgd"),
    "nesterov": ("optimiser", "sgd"),
    "decay": ("optimiser", "adamw"),
    "milestones": ("schedule", "steps"),
    "gamma": ("schedule", "steps"),
    "smallest_area": ("crop", "random_resized"),
    "padding": ("crop", "padded"),
}
PLACES = ("weights",)
FAR_BELOW = 0.5  # of the resolution that weights were made for: smaller pictures are said; the number is our choice
OF_STUDIES = ("decay",)  # a study must not say it in vain; the command line of one cell may, since earlier ones did


def _only_with(key: str, other: str, value: str, unsaid: Mapping[str, Any] = UNSAID) -> Contradiction:
    return (
        (key, other),
        lambda found, way: found is not None and found != unsaid.get(key) and way != value,
        IDLE,
        f"leave it out, or set {other}: {value}",
    )


_SIZES: Contradiction = (
    ("resolution", "eval_resize"),
    lambda resolution, resize: resolution is not None and resize is not None and resolution > resize,
    "is larger than",
    "an evaluation would show the picture in a black frame; set eval_resize to {0} or more",
)
CONTRADICTIONS: tuple[Contradiction, ...] = (
    *(_only_with(key, other, value) for key, (other, value) in ONLY_WITH.items() if key not in OF_STUDIES),
    (
        ("nesterov", "momentum"),
        lambda nesterov, momentum: nesterov and momentum == 0,
        "does not go with",
        "Nesterov's form needs a momentum; set nesterov: false, or a momentum",
    ),
    (
        ("schedule", "milestones"),
        lambda schedule, milestones: schedule == "steps" and milestones is None,
        "needs",
        "say after which epochs the rate falls, as milestones: [15, 20, 25]",
    ),
    (
        ("milestones", "epochs"),
        lambda milestones, epochs: milestones is not None and max(milestones) >= epochs,
        "do not come before the end,",
        "lower the milestones, or raise epochs",
    ),
    _SIZES,
    (
        ("layers", "start"),
        lambda layers, start: layers == "head" and start == "scratch",
        "does not go with",
        "a head alone learns nothing from random features; set layers: all, or start: pretrained",
    ),
)
CONTRADICTIONS_OF_STUDIES = tuple(_only_with(key, *ONLY_WITH[key]) for key in OF_STUDIES)
CONTRADICTIONS_OF_PROBES: tuple[Contradiction, ...] = (
    *(_only_with(key, other, value, UNSAID_OF_PROBES) for key, (other, value) in PROBED_WITH.items()),
    _SIZES,
)


def applied(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """A task's protocol without the keys that do nothing in it, and without places, so that equal runs are equal."""
    full = {**UNSAID, **protocol}
    idle = {key for key, (other, value) in ONLY_WITH.items() if full[other] != value}
    return {key: value for key, value in full.items() if key not in idle and key not in PLACES}


def planned_finetuning(
    model: str, protocol: Mapping[str, Any], metric: str, manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """What a study knows of the protocol of a fine-tuning beforehand.

    The protocol of the run has the digest of the weights, their preprocessing and the sizes in pixels as well.

    Args:
        model: its full name.
        protocol: of the task, with the run's cell and seed.
        metric: of the task, by which the best epoch is chosen.
        manifest: of the view.
    """
    return {**applied(protocol), "metric": metric, "model": model, "images": images_of(manifest)}


def planned_probe(model: str, protocol: Mapping[str, Any], metric: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What a study knows of the protocol of a probe beforehand; the arguments are those of `planned_finetuning`.

    The metric chooses the strength of the regularisation. How many pictures pass at once is part of the provenance.
    """
    full = {**UNSAID_OF_PROBES, **protocol}
    idle = {key for key, (other, value) in PROBED_WITH.items() if full[other] != value}
    kept = {key: value for key, value in full.items() if key not in {*idle, *PLACES, "batch"}}
    if "strengths" in kept:
        kept["strengths"] = strengths_of(full)
    return {**kept, "metric": metric, "model": model, "images": images_of(manifest), "seed": None}


def strengths_of(protocol: Mapping[str, Any]) -> list[float]:
    """The inverse strengths of regularisation that a probe tries, the smallest first; none of one by neighbours."""
    full = {**UNSAID_OF_PROBES, **protocol}
    return sorted(set(map(float, full["strengths"]))) if full["classifier"] == "logistic" else []
