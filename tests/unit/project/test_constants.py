"""The numbers and words that the library is set by, and the defaults of its functions, are those that were meant."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from types import ModuleType

from golden import checked

from study import ROOT

LIBRARY = ROOT / "workflow/scripts"
PLAIN = (bool, int, float, str, bytes, type(None))


def text(value) -> str | None:
    """A value in words, with sets in order; None of what is no plain value."""
    if isinstance(value, PLAIN):
        return repr(value)
    if isinstance(value, re.Pattern):
        return f"pattern {value.pattern!r} {value.flags}"
    if isinstance(value, set | frozenset):
        found = [text(one) for one in value]
        return None if None in found else f"{{{', '.join(sorted(found))}}}"
    if isinstance(value, list | tuple | range):
        found = [text(one) for one in value]
        return None if None in found else f"({', '.join(found)})"
    if isinstance(value, dict):
        found = [(text(key), text(one)) for key, one in value.items()]
        return None if any(None in pair for pair in found) else f"{{{', '.join(': '.join(pair) for pair in found)}}}"
    return None


def constants(module: ModuleType, source: str) -> Iterator[str]:
    """What is assigned at the top of a module."""
    for node in ast.parse(source).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names = [one.id for target in targets if target for one in ast.walk(target) if isinstance(one, ast.Name)]
        for name in names:
            if name.strip("_").isupper() and (value := text(getattr(module, name))) is not None:
                yield f"{name} = {value}"


def defaults(module: ModuleType) -> Iterator[str]:
    """The defaults of a module's functions, methods and fields."""
    for owner in vars(module).values():
        if getattr(owner, "__module__", None) != module.__name__:
            continue
        functions = [owner, *vars(owner).values()] if inspect.isclass(owner) else [owner]
        for function in functions:
            function = inspect.unwrap(getattr(function, "__func__", function))
            if inspect.isroutine(function) and getattr(function, "__module__", None) == module.__name__:
                parameters = inspect.signature(function).parameters.values()
                given = {one.name: text(one.default) for one in parameters if one.default is not one.empty}
                if any(value is not None for value in given.values()):
                    yield f"{function.__qualname__}({', '.join(f'{name}={value}' for name, value in given.items())})"


def test_constants_and_defaults_are_those_that_were_meant():
    """For a change that is meant see golden.py."""
    lines = []
    for path in sorted((LIBRARY / "apr").rglob("*.py")):
        name = ".".join(path.relative_to(LIBRARY).with_suffix("").parts).removesuffix(".__init__")
        module = importlib.import_module(name)
        found = sorted({*constants(module, path.read_text(encoding="utf-8")), *defaults(module)})
        lines += [f"{name}: {line}" for line in found]
    checked("constants", "\n".join(lines) + "\n")
