"""The protocol of a training: its keys, what each takes, and which of them contradict each other.

The schema of the configuration takes the keys over from here, and train.py checks what it is given by them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from apr.basics.problems import Problem
from apr.basics.values import nearest, shown, value_problem
from apr.models.stems import STEMS

Keys = Mapping[str, Mapping[str, Any]]

# In the order in which protocols are written.
KEYS: dict[str, dict[str, Any]] = {
    "epochs": {"type": "integer", "minimum": 1, "maximum": 100_000},
    "batch": {"type": "integer", "minimum": 2, "maximum": 100_000},
    "lr": {"type": "number", "exclusiveMinimum": 0, "maximum": 1000},
    "momentum": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    "nesterov": {"type": "boolean"},
    "weight_decay": {"type": "number", "minimum": 0, "maximum": 100},
    "warmup_epochs": {"type": "integer", "minimum": 0, "maximum": 100_000},
    "precise_bn": {"type": "integer", "minimum": 0, "maximum": 100_000_000},
    "resolution": {"type": "integer", "minimum": 8, "maximum": 4096},
    "eval_resize": {"type": "integer", "minimum": 8, "maximum": 4096},
    "crop": {"enum": ["random_resized", "padded", "centre"]},
    "padding": {"type": "integer", "minimum": 0, "maximum": 1024},
    "flip": {"type": "boolean"},
    "stem": {"enum": list(STEMS)},
    "zero_init_final_gamma": {"type": "boolean"},
    "precision": {"enum": ["fp32", "tf32", "bf16"]},
    "channels_last": {"type": "boolean"},
    "seed": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
    "revision": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
}
# What a protocol that does not say it means: it stands in every run's all the same.
UNSAID = {"zero_init_final_gamma": False}
EVALUATION_REVISION = 1  # raised by hand where new code gives new results of an evaluation
STARTS = ("initial", "continues")  # what names the task of the source in a task's protocol

# Keys that cannot stand beside each other: their names, when, why, and what to do.
IDLE = "does nothing with"  # of a key that another one leaves without a use
Contradiction = tuple[tuple[str, str], Callable[[Any, Any], bool], str, str]
CONTRADICTIONS: tuple[Contradiction, ...] = (
    (
        ("resolution", "eval_resize"),
        lambda resolution, resize: resolution > resize,
        "is larger than",
        "an evaluation would show the picture in a black frame; set eval_resize to {0} or more",
    ),
    (
        ("warmup_epochs", "epochs"),
        lambda warmup, epochs: warmup >= epochs,
        "is not less than",
        "the warm-up would never end; lower warmup_epochs",
    ),
    (
        ("nesterov", "momentum"),
        lambda nesterov, momentum: nesterov and momentum == 0,
        "does not go with",
        "Nesterov's form needs a momentum; set nesterov: false, or a momentum",
    ),
    (
        ("padding", "crop"),
        lambda padding, crop: padding > 0 and crop != "padded",
        IDLE,
        "set crop: padded, or padding: 0",
    ),
    (
        ("precise_bn", "batch"),
        lambda images, batch: 0 < images < batch,
        "is less than",
        "no batch would be taken; set precise_bn to {1} or more, or to 0",
    ),
)


def check_protocol_keys(
    protocol: Any,
    keys: Keys = KEYS,
    unsaid: Mapping[str, Any] = UNSAID,
    table: Sequence[Contradiction] = CONTRADICTIONS,
) -> None:
    """Refuse a protocol that lacks a key, has one that is not known, a value of the wrong kind, or contradicts itself.

    Args:
        protocol: as it was read.
        keys, unsaid, table: what a way of making runs takes, what it means unsaid, and what contradicts itself there.

    Raises:
        Problem: names every one of them.
    """
    if not isinstance(protocol, dict):
        raise Problem(f"{shown(protocol)} is no object; give {{…}} with {', '.join(keys)}")
    found = [f"{key}: no such key{nearest(key, keys)}; leave it out" for key in protocol if key not in (*keys, *STARTS)]
    missing = [key for key in keys if key not in protocol and key not in unsaid]
    found += [f"{', '.join(missing)}: {'is' if len(missing) == 1 else 'are'} missing"] if missing else []
    found += [f"{key}: {problem}" for key, problem in value_problems(protocol, keys)]
    if not found:
        found = [f"{pair[0]}: {text}" for pair, text in contradictions({**unsaid, **protocol}, keys=keys, table=table)]
    if found:
        raise Problem("; ".join(found))


def full_protocol(protocol: dict, *, genotype: str, manifest: dict, source: dict | None = None) -> dict:
    """The protocol of one run: the task's, the model's genotype, the exact images, and the run that it starts from.

    Args:
        protocol: of the task; `initial` or `continues` in it names the task of the source.
        genotype: of the model.
        manifest: the view's (`results/views/<view>.json`).
        source: the run that it starts from. Of `initial` the weights are taken, without the head; a run that
            `continues` its source goes on after the source's last epoch, which is then in `initial.epochs`.
    """
    stated = {key: value for key, value in protocol.items() if key not in STARTS}
    full = {**UNSAID, **stated, "genotype": genotype, "images": images_of(manifest)}
    if source is not None:
        epochs = source["protocol"]["epochs"] if protocol.get("continues") else 0
        start = {"task": source["task"], "fingerprint": source["fingerprint"], "weights": source.get("weights")}
        full["initial"] = start | {"epochs": epochs}
    return full


def planned_protocol(model: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What a study knows of an evaluation's protocol beforehand: model, images and revision.

    The protocol of the run has the digest of the weights, the number of outputs and the preprocessing as well.
    """
    images = images_of(manifest)
    return {"model": model, "images": images, "seed": None, "revision": EVALUATION_REVISION}


def check_protocol(run: dict, expected: dict, path: str) -> None:
    """Refuse a run that was made under another protocol, naming the keys that differ."""
    differing = sorted(_differences(run["protocol"], expected))
    if differing:
        raise Problem(
            f"{path}: was trained under another protocol than the study's; differing: {'; '.join(differing)}. "
            "Delete the file to train it again, or restore the setting"
        )


def value_problems(protocol: Mapping[str, Any], keys: Keys = KEYS) -> list[tuple[str, str]]:
    """Keys whose values are of the wrong kind or size, each with what is wrong."""
    return [(key, text) for key in keys if key in protocol and (text := value_problem(protocol[key], keys[key]))]


def contradictions(
    protocol: Mapping[str, Any],
    origin: Callable[[str], str] = lambda key: "",
    *,
    keys: Keys = KEYS,
    table: Sequence[Contradiction] = CONTRADICTIONS,
) -> list[tuple[tuple[str, str], str]]:
    """Pairs of keys that contradict each other, each with what is wrong and what to do.

    Args:
        protocol: pairs of which a key is missing, or of the wrong kind, are passed over.
        origin: where the value of a key comes from, in brackets; empty where that needs no word.
        keys, table: those of the way in which runs are made.
    """
    wrong = {key for key, _ in value_problems(protocol, keys)}
    found = []
    for pair, contradict, relation, remedy in table:
        if any(key not in protocol or key in wrong for key in pair):
            continue
        values = [protocol[key] for key in pair]
        if contradict(*values):
            first, second = (f"{key} {shown(value)}{origin(key)}" for key, value in zip(pair, values, strict=True))
            found.append((pair, f"{first} {relation} {second}: {remedy.format(*map(shown, values))}"))
    return found


def images_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What a protocol says of its images: those of a view's manifest, and no others."""
    return {key: manifest[key] for key in ("view", "dataset", "dataset_digest", "indices_digest")}


def _differences(found: Any, expected: Any, key: str = "") -> list[str]:
    if isinstance(found, dict) and isinstance(expected, dict):
        names = sorted(set(found) | set(expected))
        return [d for n in names for d in _differences(found.get(n), expected.get(n), f"{key}.{n}".strip("."))]
    return [] if found == expected else [f"{key} is {found!r}, the study has {expected!r}"]
