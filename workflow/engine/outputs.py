"""What the rules of tables and figures share: how outputs are marked for the report, and what a study lacks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from snakemake.exceptions import WorkflowError
from snakemake.io import report

from study import ROOT
from study.items import Items

CAPTIONS = ROOT / "workflow/report"  # a template for each key under which a rule has its caption


class Outputs:
    """The outputs of a study's items, and their inputs."""

    def __init__(self, items: Items) -> None:
        self.items = items

    def drawing(
        self, name: str, target: str | None = None, of: Callable | None = None, key: str = "caption"
    ) -> dict[str, Any]:
        """Of a figure: the picture twice, the numbers that it draws, and its caption.

        Args:
            name: of the files; with wildcards where the rule makes several.
            target: of resources/items.yaml; by default what `name` says.
            of: gives what one of several shows by its wildcards.
            key: of the caption among the rule's outputs.
        """
        path = f"results/figures/{name}"
        kinds = {
            kind: self._marked(f"{path}.{kind}", target or f"fig_{name}", of, key) for kind in ("pdf", "png", "csv")
        }
        return kinds | {"caption": f"{path}.rst"}

    def table(
        self, name: str, target: str | None = None, of: Callable | None = None, key: str = "caption"
    ) -> dict[str, Any]:
        """Of a table: for machines, to read, and its caption; the arguments are those of `drawing`."""
        path = f"results/tables/{name}"
        csv = self._marked(f"{path}.csv", target or f"table_{name}", of, key)
        return {"csv": csv, "md": f"{path}.md", "caption": f"{path}.rst"}

    def both(self, name: str, target: str, of: Callable | None = None) -> dict[str, Any]:
        """Of a table and a figure of the same numbers: the keys of `table` and `drawing` after table_ and fig_."""
        ways = {"table_": self.table, "fig_": self.drawing}
        made = {kind: way(name, f"{kind}{target}", of, f"{kind}caption") for kind, way in ways.items()}
        return {f"{kind}{key}": path for kind, paths in made.items() for key, path in paths.items()}

    def page(self, path: str) -> Any:
        """Of a page that the report opens by itself, named after its item: one file, under a heading of its own."""
        name = Path(path).stem
        labels = {key: self.items.facts[name][key] for key in ("item", "shows")} | {"format": "HTML"}
        return report(path, caption=str(CAPTIONS / f"{name}.rst"), category=name.capitalize(), labels=labels)

    def needed(self, target: str, files: Any) -> Any:
        """The input of a target: its files, or the message that the study lacks what they are made of."""

        def lacks(wildcards: Any) -> None:
            raise WorkflowError(self.items.refusal(target))

        return lacks if self.items.lacking(target) else files

    def _marked(self, path: str, target: str, of: Callable | None, key: str) -> Any:
        """Mark an output for the report, under its number in the paper; its caption is what the rule computed."""
        kind = "Tables" if target.startswith("table_") else "Figures"
        labels = {key: self.items.facts[target][key] for key in ("item", "shows")}
        labels["format"] = path.rsplit(".", 1)[1].upper()
        labelled = (lambda wildcards: labels | {"shows": _unexpanded(of(wildcards))}) if of else labels
        return report(path, caption=str(CAPTIONS / f"{key}.rst"), category=kind, labels=labelled)


def _unexpanded(text: str) -> str:
    """Snakemake takes braces in a label for wildcards: an invisible joiner parts them from their names."""
    return text.replace("{", "{\u2060")
