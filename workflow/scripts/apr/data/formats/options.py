"""The options of a format: which it takes, and of what kind, as the signature of its reader says."""

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from apr.basics.values import kinds_of, nearest, value_problem, wanted_of

COMMON: dict[str, Any] = {  # what every format takes
    "root": str,
    "nested": bool,
    "names_encoding": str,
    "missing": Literal["error", "drop", "keep"],
    "others": Literal["error", "ignore"],
}
GROUP: dict[str, Any] = {"group": str | None}
NAMELESS = {"read_cifar", "read_idx", "read_npz"}  # arrays have no names in which a group could stand


def option_kinds(reader: Callable[..., Any]) -> dict[str, dict[str, Any]]:
    """What each option of a reader takes (see `apr.basics.values`), the common ones first."""
    hints = typing.get_type_hints(reader, include_extras=True)
    own = {name: hints[name] for name in _parameters(reader)}
    common = COMMON if reader.__name__ in NAMELESS else COMMON | GROUP
    return {name: wanted_of(annotation) for name, annotation in (common | own).items()}


def own_options(reader: Callable[..., Any]) -> set[str]:
    """The options that a reader takes itself."""
    return set(_parameters(reader))


def needed_options(reader: Callable[..., Any]) -> list[str]:
    """The options without which a reader cannot be called."""
    return [name for name, parameter in _parameters(reader).items() if parameter.default is parameter.empty]


def as_taken(reader: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The same options; a single value stands in a list where only lists are taken."""
    kinds = option_kinds(reader)
    lists = {name for name, wanted in kinds.items() if not set(kinds_of(wanted)) - {"array", "null"}}
    return {
        name: [value] if name in lists and isinstance(value, str | int | float) else value
        for name, value in options.items()
    }


def option_problems(format_name: str, reader: Callable[..., Any], options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Options that are missing, not known, or of the wrong kind, each with what is wrong and what to write."""
    kinds = option_kinds(reader)
    found = [
        (str(name), f"{format_name} has no such option{nearest(name, kinds)}; it has {', '.join(kinds)}")
        for name in options
        if name not in kinds
    ]
    found += [(name, f"is missing; {format_name} needs it") for name in needed_options(reader) if name not in options]
    for name, value in as_taken(reader, options).items():
        problem = value_problem(value, kinds[name]) if name in kinds else None
        if problem:
            found.append((name, problem))
    return found


def listed_values(values: str | Sequence[str]) -> list[str]:
    """The texts that an option says, which takes one or a list of them."""
    return [str(value) for value in ([values] if isinstance(values, str | int) else values)]


def _parameters(reader: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(reader).parameters
    return {name: one for name, one in parameters.items() if one.kind is one.KEYWORD_ONLY}
