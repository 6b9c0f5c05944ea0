"""A study's tables and figures: which of them it can make, and what it lacks for the others."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from apr.claims.claims import read_claims, tasks_of
from study.settings import ROOT, read_yaml
from study.study import Study

# made once for each target, line or comparison of rankings, and named after it
EACH = {"fig_target": "target", "fig_retest": "retest", "table_retest": "retest"}
EACH |= {"fig_rankings": "rankings", "table_rankings": "rankings"}
ALWAYS_SHOWN = ("slope", "offset", "change")  # what a claim says of a line that figures draw


class Items:
    """The entries of resources/items.yaml, held against a study.

    Attributes:
        facts: {target: {item, shows, needs, paper, study}}; `paper` is absent where an item belongs to every study,
            `study` where the paper's has it.
        papers: {name: {source, study, needs}}.
        reading: the targets that a reader sees first, in order.
        claims, line_claims_file, transfer_claims, families: files of facts that scripts read; `claims` are the
            study's own, or else the first paper's.
    """

    line_claims_file = str(ROOT / "resources/retest_claims.yaml")
    transfer_claims = str(ROOT / "resources/transfer_claims.yaml")
    families = str(ROOT / "resources/model_families.yaml")

    def __init__(self, study: Study) -> None:
        self.study, self.comparisons = study, study.comparisons
        self.claims = str(ROOT / (study.claims or "resources/claims.yaml"))
        resources = read_yaml(ROOT / "resources/items.yaml")
        self.facts, self.papers, self.reading = (resources[key] for key in ("items", "papers", "reading"))

    @cached_property
    def needs(self) -> dict[str, Any]:
        """What each item is made of, where a study may lack it: it is made if that is not empty."""
        study, comparisons = self.study, self.comparisons
        repeated, since = comparisons.two("repeats"), comparisons.since["lines"]
        trained_again = [name for name, _ in repeated if study.tasks[name].trains]
        lines = [*comparisons.lines.values(), *since]
        drawn = {name: pairs for name, pairs in comparisons.pairs.items() if name != "classes_vs_images"}
        return {
            **{target: comparisons.reference for target in self._of("tuggener_2022")},
            **{target: lines for target in self._of("recht_2019")},
            **{target: comparisons.transfer.targets for target in self._of("fang_2023")},
            **{f"fig_{name}": pairs for name, pairs in drawn.items()},
            **dict.fromkeys(("table_correlations", "table_population_size", "table_selection_regret"), study.targets),
            **dict.fromkeys(("fig_rho_vs_population", "fig_selection_regret"), study.targets),
            "fig_classes_vs_images": study.family and comparisons.pairs["classes_vs_images"],
            "fig_training_curves": comparisons.curve_tasks,
            "fig_seed_densities": trained_again,
            "fig_other_errors": comparisons["metric_pair"],
            "fig_balanced_vs_unbalanced": comparisons["balanced"],
            "fig_pretrained_vs_scratch": comparisons["pretrained"],
            "fig_initialisation": comparisons["initialisation"],
            "fig_best_shapes": comparisons["best_shapes"],
            "fig_error_vs_depth_width": comparisons["depth_width"],
            "fig_design_space": comparisons.datasets and study.models,
            "table_datasets": comparisons.datasets,
            "table_settings": self.trained,
            "table_depth_width": self.sized,
            "table_references": comparisons["references"],
            "table_noise_ceiling": repeated,
            "table_corrected_correlations": repeated and study.targets,
            # of the paper's claims nothing is left where none of its tasks is trained
            "table_scorecard": comparisons.reference and study.models and (study.claims or self.claimed),
            **dict.fromkeys(("table_retest_slopes", "fig_retest_slopes"), comparisons.lines),
            "table_retest_scorecard": {claim["retest"] for claim in self.line_claims} & comparisons.lines.keys(),
            **dict.fromkeys(("fig_since", "fig_family_distances", "table_since"), since),
            **comparisons.transfer.needs,
            "answer": study.targets or comparisons.rankings or lines or comparisons.transfer.targets,
        }

    def lacking(self, target: str) -> str | None:
        """What the study lacks to make a target; None if it has all."""
        facts = self.facts[target]
        if self.needs.get(target, True):
            return None
        if "paper" not in facts or (self.shows(facts["paper"]) and "needs" in facts):
            return facts["needs"]
        return self.papers[facts["paper"]]["needs"]

    def refusal(self, target: str) -> str:
        """Why a target cannot be made, and which study can."""
        facts = self.facts[target]
        whole = facts.get("study") or self.papers[facts["paper"]]["study"]
        return f"{target}: {self.study.title!r} lacks {self.lacking(target)}; {whole}, has it"

    def shows(self, paper: str) -> bool:
        """Whether the study has what the items of a paper compare."""
        comparisons = self.comparisons
        of = {"tuggener_2022": comparisons.reference, "recht_2019": comparisons.lines or comparisons.since["lines"]}
        of["fang_2023"] = comparisons.transfer.targets
        return bool(of[paper])

    def made(self, kind: str) -> list[str]:
        """Names, without their prefix, of the tables ("table_") or figures ("fig_") that a whole study makes.

        They stand in the order in which a reader should see them: `reading` of resources/items.yaml, then the rest.
        """
        order = [*self.reading, *(target for target in self.facts if target not in self.reading)]
        of = {"target": self.study.targets, "retest": self.comparisons.lines, "rankings": self.comparisons.rankings}
        names: list[str] = []
        for target in order:
            if not target.startswith(kind):
                continue
            if target in EACH:
                names += [f"{EACH[target]}_{name}" for name in of[EACH[target]]]
            elif not self.lacking(target) and target not in self.by_name:
                names.append(target.removeprefix(kind))
        return names

    @property
    def by_name(self) -> set[str]:
        """The items that are made when they are asked for by name, since a whole study trains no extra task."""
        extra = any(self.study.tasks[one].role == "extra" for one in sum(self.comparisons.two("initialisation"), ()))
        return {"fig_initialisation"} if extra else set()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The table of items: those of every study, and those of each paper of which the study shows something."""
        return [
            {"item": facts["item"], "target": target, "shows": facts["shows"], "lacks": self.lacking(target)}
            for target, facts in self.facts.items()
            if target not in EACH and ("paper" not in facts or self.shows(facts["paper"]))
        ]

    # --- what single items are made of ---

    @property
    def trained(self) -> list[str]:
        """The tasks that train models."""
        return [name for name, task in self.study.tasks.items() if task.trains]

    @property
    def sized(self) -> list[str]:
        """The reference and its family, of those that train the population."""
        names = [*self.comparisons.reference, *self.study.family]
        return [name for name in names if self.study.tasks[name].trains]

    @cached_property
    def claimed(self) -> list[str]:
        """The tasks that the claims speak of."""
        return [name for name in tasks_of(read_claims(self.claims)) if name in self.trained]

    @cached_property
    def line_claims(self) -> list[dict[str, Any]]:
        """What the paper of the lines reports of each, one quantity an entry."""
        return [claim | claim["measure"] for claim in read_yaml(self.line_claims_file)["claims"]]

    @property
    def paper_values(self) -> dict[str, dict[str, Any]]:
        """The paper's slope, offset and mean change of each line; with the number of models where ours are others."""
        values: dict[str, dict[str, Any]] = {}
        for claim in self.line_claims:
            other_models = {"models", "incomparable"} <= {claim["quantity"], *claim}
            if claim["retest"] in self.comparisons.lines and (claim["quantity"] in ALWAYS_SHOWN or other_models):
                values.setdefault(claim["retest"], {})[claim["quantity"]] = claim["paper_value"]
        return {name: values[name] for name in self.comparisons.lines if name in values}

    def settings(self, task: str) -> dict[str, Any]:
        """How a task trains: a row of the table of settings."""
        settings = self.study.tasks[task]
        keys = ("epochs", "batch", "lr", "weight_decay", "resolution")
        row = {"task": task, "title": settings.title, "dataset": self.study.datasets[settings.dataset]["title"]}
        return row | {key: settings.protocol[key] for key in keys} | {"metric": settings.metric}

    def networks(self, tasks: Iterable[str]) -> list[dict[str, Any]]:
        """What the networks of tasks are: rows of the table of references."""
        rows = []
        for task in map(self.study.tasks.get, tasks):
            for name in task.models:
                network = {"block": "bottleneck", "title": name} | self.study.networks[name]
                rows.append({"name": name} | {key: network[key] for key in ("title", "block", "depths", "widths")})
                rows[-1] |= self.study.complexity(name, task)
        return rows

    def _of(self, paper: str) -> list[str]:
        return [target for target, facts in self.facts.items() if facts.get("paper") == paper]
