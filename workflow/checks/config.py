"""All errors of a configuration at once, each as `file: key: what is wrong (did you mean …?)`."""

import copy
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from apr.basics.problems import Problem
from apr.basics.values import WORDS, hint, is_kind, kind_of, limit_problem, nearest, shown
from apr.data.formats import FORMATS
from apr.runs.metrics import GREATEST, METRICS
from apr.runs.ways import AXES, PROTOCOL
from checks.claims import claim_errors
from checks.comparisons import comparison_errors
from checks.data import Errors, Known, data_errors, tolerant
from checks.lines import line_errors
from checks.located import Sources
from checks.models import model_errors, population_errors
from checks.protocol import protocol_errors
from checks.rankings import ranking_errors
from checks.renamed import renamed
from checks.tasks import start_errors, task_errors
from checks.transfer import transfer_errors
from first_look import error_lines
from study import ROOT, read_yaml, study_of

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
FACTS = ("datasets", "predictions", "published", "model_families")  # of resources/; users add to them
NARROW = ("population", "networks", "comparisons")  # what is wrong within leads to errors around it
CHECKS = (task_errors, protocol_errors, model_errors, start_errors, comparison_errors, line_errors, ranking_errors)
CHECKS += (population_errors, transfer_errors, claim_errors)


def checked_study(config: dict[str, Any], files: Iterable[str | Path]) -> Any:
    """The study of a configuration that `files` (merged in order) and options made, its population drawn.

    Raises:
        Problem: it has errors; they are all named.
    """
    errors = check_config(config, files)
    if not errors:
        try:
            study = study_of(config)
            study.prepare()
        except Problem as problem:
            errors = [str(problem)]
    if errors:
        raise Problem("\n".join([f"the configuration has {len(errors)} error(s):", *errors]))
    return study


def check_config(config: dict[str, Any], files: Iterable[str | Path]) -> list[str]:
    """Every error of the configuration that `files` (merged in order) made; an empty list if there is none."""
    facts = [ROOT / f"resources/{name}.yaml" for name in FACTS]
    broken = [line for file in facts for line in _error_lines(file, file.exists() and file.stat().st_mtime_ns)]
    if broken:
        return broken
    sources = Sources(files, config)
    lines = [*sources.file_lines(), *sources.lines(_errors(sources))]
    return list(dict.fromkeys(lines))


def schema() -> dict[str, Any]:
    """The schema, with what the library knows: formats, metrics, and the keys of regimes with their bounds."""
    schema = read_yaml(SCHEMA)
    schema["$defs"]["dataset"]["properties"]["format"]["enum"] = list(FORMATS)
    for name in ("regimes", "tasks"):
        properties = schema["properties"][name]["additionalProperties"]["properties"]
        properties |= {key: properties[key] | wanted for key, wanted in PROTOCOL.items()}
        together = {
            "type": "array",
            "items": {"type": "array", "maxItems": 100},
            "minItems": 1,
            "maxItems": 10_000,
        }
        names = f"({'|'.join(AXES)})"
        properties["grid"] = properties["grid"] | {
            "properties": {key: _axis(key) for key in AXES},
            "patternProperties": {rf"\A{names}(, {names})+\Z": together},
        }
    choose = schema["properties"]["tasks"]["additionalProperties"]["properties"]["choose"]["properties"]
    choose["seeds"] = choose["seeds"] | _axis("seed")
    comparisons = schema["properties"]["comparisons"]["properties"]
    accuracies = [name for name, metric in METRICS.items() if metric.counts and metric.best == GREATEST]
    known = [(schema["properties"]["tasks"], list(METRICS))]
    known += [(lines, accuracies) for lines in (comparisons["lines"], comparisons["since"]["properties"]["lines"])]
    for entries, metrics in known:
        properties = entries["additionalProperties"]["properties"]
        properties["metric"] = properties["metric"] | {"enum": metrics}
    return schema


def _axis(key: str) -> dict[str, Any]:
    """What an axis of a grid takes: values of its key; whole numbers also as {first, count}."""
    value = AXES[key]
    values = {"items": value, "minItems": 1, "maxItems": 10_000, "uniqueItems": True}
    if "integer" not in value.get("type", ()):
        return values | {"type": "array"}
    value = value | {"type": "integer"}
    count = {"description": "How many.", "type": "integer", "minimum": 1, "maximum": 10_000}
    properties = {"first": value | {"description": "The first of them."}, "count": count}
    whole = {"properties": properties, "required": ["first", "count"], "additionalProperties": False}
    return values | whole | {"type": ["array", "object"]}


@cache
def _error_lines(file: Path, changed: int) -> list[str]:
    """What is wrong with a file, asked once as long as it does not change."""
    return error_lines(file)


def _errors(sources: Sources) -> Errors:
    config = sources.config
    faults = list(Validator(schema()).iter_errors(config))
    found = [message for fault in _telling(faults) for message in _schema_messages(fault, sources)]
    bounds = {tuple(path): text for path, text in found if "has to be at most" in text}
    yield from ((path, text) for path, text in found if bounds.get(tuple(path), text) == text)
    named = {tuple(path) for path, _ in found}
    for path, text in tolerant(_cross_checks, _bounded(config, faults)):
        # a value of the wrong kind is named once, not again for what it leads to
        led_to = any(path == list(other[: len(path)]) for other in named) if path[0] in NARROW else tuple(path) in named
        if not led_to:
            yield path, text


def _telling(faults: list[jsonschema.ValidationError]) -> list[jsonschema.ValidationError]:
    """Of a value that is none of the known ones, or of the wrong kind, that alone: not its kind or its size as well."""
    telling = {
        tuple(fault.absolute_path): kind for kind in ("type", "enum") for fault in faults if fault.validator == kind
    }
    return [fault for fault in faults if telling.get(tuple(fault.absolute_path), fault.validator) == fault.validator]


def _bounded(config: dict[str, Any], faults: Iterable[jsonschema.ValidationError]) -> dict[str, Any]:
    """A copy whose numbers are within bounds and whose sections hold mappings alone, so that checks get through."""
    config = copy.deepcopy(config)
    for section in ("views", "networks", "regimes", "tasks"):
        if isinstance(config.get(section), dict):
            config[section] = {key: entry for key, entry in config[section].items() if isinstance(entry, dict)}
    for fault in faults:
        if fault.validator in ("minimum", "maximum", "maxItems"):
            *path, key = fault.absolute_path
            holder: Any = config
            for part in path:
                holder = holder[part] if part in holder or isinstance(holder, list) else {}
            most = fault.validator_value
            holder[key] = fault.instance[:most] if fault.validator == "maxItems" else most
    return config


def _is_number(_: Any, value: Any) -> bool:
    return is_kind(value, "number") and (limit_problem(value, {}) is None)


def _each_item(validator: Any, items: Any, value: Any, schema: dict) -> Iterable[jsonschema.ValidationError]:
    """The schema of items, but not for each of a list that is too long: that is one error."""
    if not isinstance(value, list) or len(value) <= schema.get("maxItems", len(value)):
        yield from jsonschema.Draft202012Validator.VALIDATORS["items"](validator, items, value, schema)


def _unique(_: Any, wanted: bool, value: Any, schema: dict) -> Iterable[jsonschema.ValidationError]:
    if wanted and isinstance(value, list) and len(value) <= schema.get("maxItems", len(value)):
        double = _double(value)
        if double is not None:
            yield jsonschema.ValidationError(f"{shown(double[0])} appears twice; remove one")


def _double(value: list) -> tuple[Any] | None:
    seen = set()
    for item in value:
        key = repr((type(item), item))
        if key in seen:
            return (item,)
        seen.add(key)
    return None


Validator: Callable[..., Any] = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    {"items": _each_item, "uniqueItems": _unique},
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": lambda _, value: is_kind(value, "integer"), "number": _is_number}
    ),
)


def _schema_messages(error: jsonschema.ValidationError, sources: Sources) -> Errors:
    path, value = list(error.absolute_path), error.instance
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in sorted(set(value) - set(known)):
            yield [*path, key], renamed(path, key) or f"no such key{nearest(key, known)}"
    elif error.validator == "required":
        # each missing key is an error of its own: the validator names one at a time
        for key in sorted(set(error.validator_value) - set(value)):
            yield [*path, key], f"is missing ({_described(error.schema, key)})"
    elif error.validator == "enum":
        options = ", ".join(map(str, error.validator_value))
        yield path, f"{shown(value)} is not one of {options}{nearest(value, error.validator_value)}"
    elif error.validator in ("type", "anyOf"):
        yield path, _kind_message(error, sources.written(path))
    elif error.validator in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        yield path, f"{limit_problem(value, error.schema)}{_explained(error.schema)}"
    elif error.validator in ("pattern", "maxLength"):
        yield path, f"{shown(value)} does not match{_explained(error.schema) or ' what is expected'}"
    elif error.validator in ("minItems", "maxItems", "minProperties", "minLength"):
        words = {"minItems": "at least", "minProperties": "at least", "minLength": "at least", "maxItems": "at most"}
        yield path, f"{shown(value)}: has to hold {words[error.validator]} {error.validator_value}"
    elif error.validator == "uniqueItems":
        yield path, error.message
    else:
        yield path, f"{error.message[:200]}{_explained(error.schema)}"


def _kind_message(error: jsonschema.ValidationError, written: str | None) -> str:
    value = error.instance
    if error.validator == "anyOf":
        # where a value is of one of the kinds, what is wrong with it is wrong with that one
        inner = [one for one in error.context if one.validator != "type"]
        if inner:
            texts = [text for one in inner for _, text in _schema_messages(one, _Unwritten())]
            return texts[0]
        deeper = next((one for one in error.context if len(one.path)), None)
        if deeper is not None:
            return _kind_message(deeper, None)
        kinds = [kind for one in error.context for kind in _listed(one.validator_value)]
    else:
        kinds = _listed(error.validator_value)
    problem = limit_problem(value, {})
    if problem and {"integer", "number"} & set(kinds):
        return problem
    expected = " or ".join(dict.fromkeys(WORDS.get(kind, kind) for kind in kinds))
    is_kind_of = "null" if value is None else f"{shown(value)} is {kind_of(value)}"
    return f"{is_kind_of}, expected {expected}{hint(value, kinds, written)}"


class _Unwritten:
    """Stands for sources where the text of a value is of no use."""

    @staticmethod
    def written(path: list) -> None:
        return None


def _cross_checks(config: dict[str, Any]) -> Errors:
    known = Known(config)
    yield from data_errors(config, known)
    for check in CHECKS:
        yield from tolerant(check, config, known)


def _listed(kinds: Any) -> list[str]:
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _described(schema: dict, key: str) -> str:
    return schema.get("properties", {}).get(key, {}).get("description", "required").rstrip(".")


def _explained(schema: dict) -> str:
    text = schema.get("description") or schema.get("$comment")
    return f" ({text.rstrip('.')})" if text else ""
