"""What rules that make runs put into their commands, and what they wait for."""

import shlex
from collections.abc import Callable
from functools import cache
from typing import Any

from snakemake.io import ancient

from engine.batches import Batches
from engine.setup import SCRIPTS, asked_often
from engine.warm import command_of
from study import ROOT, Study
from study.files import Files


class Commands:
    """Inputs and parameters of trainings and evaluations, as functions of wildcards.

    Parameters that take `output` are no reason to run again: how a run uses the machine.
    """

    def __init__(self, study: Study, files: Files, batches: Batches) -> None:
        self.study, self.files, self.batches = study, files, batches

    def inputs(self) -> Callable:
        """The files that a task's images come from, and what a run starts from.

        The packed images are `ancient`: they may be deleted and made again.
        """
        study, files, batches = self.study, self.files, self.batches

        def inputs(wildcards: Any) -> dict[str, Any]:
            batches.keep_going()
            task = study.tasks[wildcards.task]
            needed = {
                "view": f"results/views/{task.view}.json",
                "packed": ancient(f"data/packed/{task.dataset}.bin"),
            }
            if task.initial:
                needed["initial"] = f"results/runs/{task.initial}/{study.run(task.name, wildcards.model).model}.json"
            if code := files.code(task.name, wildcards.model):
                needed["code"] = code
            if weights := files.weights(task.name, wildcards.model):
                needed["weights"] = weights
            needed |= files.before(task.name, wildcards.model, wildcards.get("epochs"))
            if task.continues:
                needed["ranking"] = f"results/ranking/{task.continues}.csv"
            return needed

        return asked_often(inputs)

    def trained(self) -> Callable:
        """Which model is trained, and how."""
        study, quoted = self.study, cache(shlex.quote)

        def trained(wildcards: Any) -> dict[str, str]:
            model = study.run(wildcards.task, wildcards.model).model
            which = f"--rank {wildcards.model}"
            if model:
                which = f"--model {model} --genotype {shlex.quote(study.genotypes[model])}"
            return {"which": which, "protocol": quoted(study.protocol(wildcards.task, wildcards.model))}

        return asked_often(trained)

    def evaluated(self) -> Callable:
        """Which model is evaluated, and where its weights lie if not in the libraries' hubs."""
        study, files = self.study, self.files

        def evaluated(wildcards: Any) -> dict[str, str]:
            weights = files.of_user(study.tasks[wildcards.task].protocol["weights"])
            model = study.run(wildcards.task, wildcards.model).model
            return {"model": model, "weights": f"--weights {shlex.quote(weights)}" if weights else ""}

        return asked_often(evaluated)

    def transferred(self) -> Callable:
        """Which pretrained model learns, how, and what it waits for.

        Where its weights are looked for is no reason to run again: which file they are is an input. Of a network of
        the user's own, whose code may name any file, only the place is known.
        """
        study, files, quoted = self.study, self.files, cache(shlex.quote)

        def transferred(wildcards: Any) -> dict[str, str]:
            own = files.code(wildcards.task, wildcards.model)
            weights = files.of_user(study.tasks[wildcards.task].protocol["weights"]) if own else None
            before = files.before(wildcards.task, wildcards.model, wildcards.get("epochs"))
            return {
                "model": study.run(wildcards.task, wildcards.model).model,
                "weights": f"--weights {shlex.quote(weights)}" if weights else "",
                "protocol": quoted(study.protocol(wildcards.task, wildcards.model)),
                "after": " ".join(f"--{option} {file}" for option, file in before.items()),
            }

        return asked_often(transferred)

    def machine(self, script: str) -> Callable:
        """How a run uses the machine, and what some trainings start from or keep (`more`)."""
        study, device = self.study, self.batches.device

        @cache
        def of_task(name: str) -> dict[str, Any]:
            task = study.tasks[name]
            weights = self.files.of_user(task.protocol.get("weights"))
            return study.training | {
                "start": command_of("runs"),
                "weights": f"--weights {shlex.quote(weights)}" if weights else "",
                "script": shlex.quote(str(SCRIPTS / script)),
                "root": shlex.quote(str(ROOT)),
                "packed": f"data/packed/{task.dataset}",
                "storage": study.datasets[task.dataset]["storage"],
                "metric": task.metric,
                "features": f"results/features/{task.view}",
                "batch": task.protocol["batch"],
                "device": device,
                "more": " ".join(study.options(name)),
                "keeps": study.keeps(name),
            }

        def machine(wildcards: Any, output: Any) -> dict[str, Any]:
            common = of_task(wildcards.task)
            if not common["keeps"]:
                return common
            kept = f"--keep-weights=results/weights/{wildcards.task}/{wildcards.model}.pt"
            return common | {"more": f"{common['more']} {kept}"}

        return asked_often(machine)
