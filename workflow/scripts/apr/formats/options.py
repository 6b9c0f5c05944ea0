"""The options of a format: which it takes, and of what kind, as the signature of its reader says."""

import inspect
import typing
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from apr.values import kinds_of, nearest, shown, value_problem, wanted_of


def own_types(reader: Callable[..., Any]) -> dict[str, Any]:
    """The options of a reader with their types, as its signature has them."""
    hints = typing.get_type_hints(reader, include_extras=True)
    return {name: hints[name] for name in _parameters(reader)}


def needed_options(reader: Callable[..., Any]) -> list[str]:
    """The options without which a reader cannot be called."""
    return [name for name, parameter in _parameters(reader).items() if parameter.default is parameter.empty]


def as_taken(option_types: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The same options; a single value stands in a list where only lists are taken."""
    kinds = {name: set(kinds_of(wanted_of(annotation))) for name, annotation in option_types.items()}
    lists = {name for name, found in kinds.items() if not found - {"array", "null"}}
    return {
        name: [value] if name in lists and isinstance(value, str | int | float) else value
        for name, value in options.items()
    }


def option_problems(
    format_name: str, option_types: Mapping[str, Any], needed: list[str], options: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Options that are missing, not known, or of the wrong kind, each with what is wrong and what to write."""
    found = [
        (str(name), f"{format_name} has no such option{nearest(name, option_types)}; it has {', '.join(option_types)}")
        for name in options
        if name not in option_types
    ]
    found += [(name, f"is missing; {format_name} needs it") for name in needed if name not in options]
    for name, value in as_taken(option_types, options).items():
        problem = value_problem(value, wanted_of(option_types[name])) if name in option_types else None
        if problem:
            found.append((name, problem))
        elif name == "root" and (value.startswith("/") or ".." in PurePosixPath(value).parts):
            text = "is no folder within the dataset; name one as it is called below it, without a / in front"
            found.append((name, f"{shown(value)} {text}"))
    return found


def _parameters(reader: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(reader).parameters
    return {name: one for name, one in parameters.items() if one.kind is one.KEYWORD_ONLY}
