"""Plain values, as they come from YAML, JSON or a command line, checked against what a key says that it takes.

What a key takes is written in the words of JSON Schema: type, enum, minimum, exclusiveMinimum, maximum,
exclusiveMaximum, items, minItems, additionalProperties, anyOf. A configuration's schema takes these parts over as they
are.
"""

import difflib
import json
import math
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

KINDS = {
    "integer": int,
    "number": (int, float),
    "string": str,
    "boolean": bool,
    "array": (list, tuple),
    "object": dict,
    "null": type(None),
}
NAMES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "list", dict: "mapping"}
WORDS = {"array": "list", "object": "mapping"}
LIMITS = {
    "minimum": ("at least", lambda value, limit: value >= limit),
    "exclusiveMinimum": ("more than", lambda value, limit: value > limit),
    "maximum": ("at most", lambda value, limit: value <= limit),
    "exclusiveMaximum": ("less than", lambda value, limit: value < limit),
}
MOST = 2**31 - 1  # of numbers that say nothing else


@dataclass(frozen=True)
class Between:
    """Bounds of a number, in the annotation of a parameter."""

    low: int
    high: int


def value_problem(value: Any, wanted: Mapping[str, Any]) -> str | None:
    """What is wrong with a value and what to write instead; None if it is right."""
    if "anyOf" in wanted:
        problems = [value_problem(value, one) for one in wanted["anyOf"]]
        if not all(problems):
            return None
        fitting = [one for one in wanted["anyOf"] if "type" in one and is_kind(value, one["type"])]
        return value_problem(value, fitting[0]) if fitting else _wrong_kind(value, wanted)
    if "enum" in wanted:
        same = any(value == one and type(value) is type(one) for one in wanted["enum"])
        return None if same else f"{shown(value)}: one of {_choices(wanted['enum'])}{nearest(value, wanted['enum'])}"
    if not is_kind(value, wanted["type"]):
        return _wrong_kind(value, wanted)
    if isinstance(value, list | tuple):
        if len(value) < wanted.get("minItems", 0):
            return f"{shown(value)}: needs at least {wanted['minItems']}"
        return next(
            (text for item in value if (text := value_problem(item, wanted.get("items", {"enum": [item]})))), None
        )
    if isinstance(value, dict):
        items = wanted.get("additionalProperties", {})
        found = ((key, value_problem(item, items)) for key, item in value.items())
        return next((f"{key}: {text}" for key, text in found if text), None)
    return limit_problem(value, wanted)


def is_kind(value: Any, kind: str | Sequence[str]) -> bool:
    """Whether a value is of a kind, or of one of several, in JSON Schema's words; 1.0 and true are no integers."""
    if not isinstance(kind, str):
        return any(is_kind(value, one) for one in kind)
    return isinstance(value, KINDS[kind]) and (isinstance(value, bool) == (kind == "boolean"))


def limit_problem(value: Any, wanted: Mapping[str, Any]) -> str | None:
    """What is wrong with the size of a number; None if it is no number, or right."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value) if isinstance(value, float) else False:
        return f"{value} is not a finite number; write one"
    if value == 0 and math.copysign(1, value) < 0:
        return "-0.0: write 0"
    bounds = [(words, wanted[key]) for key, (words, holds) in LIMITS.items() if key in wanted]
    if all(holds(value, wanted[key]) for key, (_, holds) in LIMITS.items() if key in wanted):
        return None
    return f"{shown(value)}: has to be {' and '.join(f'{words} {limit:,}' for words, limit in bounds)}"


def shown(value: Any) -> str:
    """A value as it is written in YAML or JSON, in some forty characters."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**30:
        return f"a number of about {value.bit_length() * 0.30103:.0f} digits"
    text = (
        {None: "null", True: "true", False: "false"}.get(value)
        if value is None or value is True or value is False
        else None
    )
    text = text or repr(value)
    return text if len(text) <= 60 else f"{text[:50]}…"


def kind_of(value: Any) -> str:
    """What a value is, in a word or two."""
    name = NAMES.get(type(value), type(value).__name__)
    return "null" if value is None else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def hint(value: Any, kinds: Iterable[str], written: str | None = None) -> str:
    """What to write where a value is of the wrong kind; `written` is its text in the file."""
    kinds = set(kinds)
    if "string" in kinds and not isinstance(value, str | list | dict) and value is not None:
        text = written or shown(value)
        return f"; write {text if len(text) <= 60 else text[:50] + '…'!r} in quotes"
    if isinstance(value, str) and kinds & {"integer", "number"}:
        try:
            number = float(value)
        except ValueError:
            return ""
        if "number" not in kinds and not number.is_integer():
            return ""
        return f"; write {_yaml_number(value, number)} without quotes"
    if isinstance(value, float) and value.is_integer() and "integer" in kinds:
        return f"; write {int(value)}"
    if isinstance(value, str) and "boolean" in kinds and value.lower() in ("true", "false", "yes", "no", "on", "off"):
        return f"; write {value.lower()} without quotes"
    if "array" in kinds and isinstance(value, str | int | float) and not shown(value).startswith("a number of"):
        return f"; write [{shown(value)}]"
    return ""


def wanted_of(annotation: Any) -> dict[str, Any]:
    """What a parameter with this annotation takes, such as `str | list[str] | None` or `Literal["a", "b"]`.

    `Annotated[int, Between(1, 16)]` bounds it.
    """
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return wanted_of(parts[0]) | {"minimum": parts[1].low, "maximum": parts[1].high}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [wanted_of(part) for part in parts]}
    if origin is Literal:
        return {"enum": list(parts)}
    if origin in (list, tuple):
        return {"type": "array", "items": wanted_of(parts[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": wanted_of(parts[1])}
    if annotation is int:
        return {"type": "integer", "minimum": 0, "maximum": MOST}
    kinds = {
        str: "string",
        bool: "boolean",
        float: "number",
        list: "array",
        tuple: "array",
        type(None): "null",
        None: "null",
    }
    return {"type": kinds[annotation]}


def kinds_of(wanted: Mapping[str, Any]) -> list[str]:
    """The kinds of values that a key takes."""
    if "anyOf" in wanted:
        return list(dict.fromkeys(kind for one in wanted["anyOf"] for kind in kinds_of(one)))
    if "type" not in wanted:
        return [_choices(wanted["enum"])]
    return [wanted["type"]] if isinstance(wanted["type"], str) else list(wanted["type"])


def alike(name: Any, known: Iterable[Any], most: int = 1, cutoff: float = 0.5) -> list[str]:
    """The known names that are most like one, the likest first; a likeness (0 to 1) below `cutoff` does not count."""
    return difflib.get_close_matches(str(name), [str(key) for key in known], n=most, cutoff=cutoff)


def nearest(name: Any, known: Iterable[Any], otherwise: str = "", most: int = 1) -> str:
    """A hint at the known names that are most like an unknown one, in brackets; `otherwise` where none is."""
    close = alike(name, known, most)
    return f" (did you mean {' or '.join(close)}?)" if close else otherwise


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """For `json.loads(…, object_pairs_hook=unique_keys)`: an object in which no key appears twice.

    Raises:
        ValueError: one does.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)!r} appears twice")
    return found


def _wrong_kind(value: Any, wanted: Mapping[str, Any]) -> str:
    kinds = kinds_of(wanted)
    expected = " or ".join(WORDS.get(kind, kind) for kind in kinds)
    is_kind_of = "null" if value is None else f"{shown(value)} is {kind_of(value)}"
    return f"{is_kind_of}, expected {expected}{hint(value, kinds)}"


def _yaml_number(text: str, number: float) -> str:
    """A number as YAML takes it for one: with a point and a sign in front of the exponent."""
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    mantissa, mark, exponent = text.lower().strip().partition("e")
    if not mark:
        return text.strip()
    mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{mantissa}e{exponent if exponent[0] in '+-' else '+' + exponent}"


def _choices(values: Iterable[Any]) -> str:
    return ", ".join(value if isinstance(value, str) else json.dumps(value) for value in values)
