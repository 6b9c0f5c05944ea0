"""Errors of the models: population, networks, and the models that tasks name."""

import re
from typing import Any

from apr.basics.addresses import folder_problem
from apr.basics.problems import Problem
from apr.basics.values import nearest, shown
from apr.models.anynet import Genotype, complexity
from apr.models.names import listed_models, own_file, parse_model, run_name, unknown_model
from apr.runs.ways import WAYS
from checks.data import Errors, Known, tolerant
from study.settings import ROOT, network_genotype
from study.tasks import ways_of

DRAWN = re.compile(r"a\d+")  # a model of the population
MOST_NAMED = 20  # models of one task that do not exist
LISTED = ROOT / "resources/model_names.txt"


def model_errors(config: dict[str, Any], known: Known) -> Errors:
    """What is wrong with the reference networks, and with the models that tasks name."""
    networks, size = config.get("networks") or {}, (config.get("population") or {}).get("size", 0)
    for name, network in networks.items():
        if "-" in name or DRAWN.fullmatch(name):
            yield ["networks", name], "looks like a model of the population, or holds a -; choose another name"
        try:
            network_genotype(network)
        except Problem as problem:
            yield ["networks", name], str(problem)
    lacking = []
    for name, task in config["tasks"].items():
        ways = [way for way in ways_of(task) if way in WAYS]
        if len(ways) != 1:
            continue
        if WAYS[ways[0]].pretrained:
            yield from tolerant(_pretrained_errors, name, task, ways[0])
            continue
        drawn = task.get("models", [] if "continues" in task else ["a000"])
        if "population" not in config and any(map(DRAWN.fullmatch, drawn)):
            lacking.append(name)
        elif "models" in task:
            yield from tolerant(_architecture_errors, name, task, networks, size)
    if lacking:
        more = f" and {len(lacking) - 1} more train" if len(lacking) > 1 else " trains"
        yield ["population"], f"is missing, which task {lacking[0]}{more}; give it, or name networks under models"
    for name, regime in (config.get("regimes") or {}).items():
        if isinstance(regime, dict):
            yield from tolerant(_weights_errors, ["regimes", name, "weights"], regime.get("weights"))


def _architecture_errors(name: str, task: dict, networks: dict, size: int) -> Errors:
    known = {f"a{number:03d}" for number in range(size)} | networks.keys()
    drawn = f" (a000 to a{size - 1:03d})"
    problems = {
        model: f"no model {model!r}{drawn if DRAWN.fullmatch(model) else nearest(model, networks)}"
        for model in task.get("models", ())
        if model not in known
    }
    yield from _no_models(name, problems)


def _pretrained_errors(name: str, task: dict, way: str) -> Errors:
    if "models" not in task:
        yield (
            ["tasks", name, "models"],
            f"is missing: name the pretrained models to {way}, such as timm:resnet18.a1_in1k",
        )
    problems, named, listed = {}, {}, listed_models(LISTED)
    for model in task.get("models", ()):
        try:
            parse_model(model)
        except Problem as problem:
            problems[model] = str(problem)
            continue
        if text := unknown_model(model, listed):
            problems[model] = text
        file = own_file(model)
        if file and not (ROOT / file).is_file():
            problems[model] = f"{model}: there is no file {ROOT / file}; correct it, it starts at the project's folder"
        other = named.setdefault(run_name(model), model)
        if other != model:
            problems[model] = (
                f"{model} and {other} would name their runs {run_name(model)}; rename one file or function"
            )
    yield from _no_models(name, problems)
    yield from tolerant(_weights_errors, ["tasks", name, "weights"], task.get("weights"))


def _no_models(name: str, problems: dict[str, str]) -> Errors:
    """What is wrong with models of a task, and of how many more."""
    for text in list(problems.values())[:MOST_NAMED]:
        yield ["tasks", name, "models"], text
    if len(problems) > MOST_NAMED:
        yield ["tasks", name, "models"], f"and {len(problems) - MOST_NAMED:,} more that are no models"


def _weights_errors(path: list[str], weights: str | None) -> Errors:
    wrong = folder_problem(weights) if weights else None
    if wrong:
        yield path, f"{shown(weights)} {wrong}"
    elif weights and not (ROOT / weights).exists():
        text = f"there is no file or folder {ROOT / weights}; correct it, or give null for the weights of the hubs"
        yield path, text


def population_errors(config: dict[str, Any], known: Known) -> Errors:
    """What is wrong with the space of architectures and its band of complexity."""
    if "population" not in config:
        return
    population = config["population"]
    low, high = population["megaflops"]
    for key in ("megaflops", "depth", "width"):
        if population[key][0] > population[key][1]:
            yield ["population", key], f"{population[key]}: the first value is larger than the second"
            return
    smallest, largest = (
        complexity(
            Genotype(*([value] * 4 for value in values)),
            stem=population["stem"],
            classes=population["classes"],
            resolution=population["resolution"],
        ).flops
        / 1e6
        for values in (_extreme(population, 0), _extreme(population, 1))
    )
    if high < smallest or low > largest:
        yield (
            ["population", "megaflops"],
            f"no architecture can lie in {low}–{high}: the space reaches from {smallest:.1f} to {largest:.1f}",
        )


def _extreme(population: dict, end: int) -> tuple[int, int, int, int]:
    depth, width = int(population["depth"][end]), max(8, int(population["width"][end]) // 8 * 8)
    bottleneck = (max if end == 0 else min)(population["bottleneck"])
    group = (min if end == 0 else max)(population["group_width"])
    inner = max(1, width // bottleneck)
    group = min(group, inner)
    inner = max(group, round(inner / group) * group)
    return depth, inner * bottleneck, bottleneck, group
