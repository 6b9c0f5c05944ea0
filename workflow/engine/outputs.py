"""What the rules of tables and figures share: how outputs are marked for the report, and what a study lacks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from snakemake.exceptions import WorkflowError
from snakemake.io import report

from study import ROOT
from study.items import Items

CAPTIONS = ROOT / "workflow/report"  # a template for each key under which a rule has its caption
# Folders of the report, which Snakemake sorts by their names. Where the results of one have two formats, the report
# shows a row a figure and a switch, which starts with the first of both.
FIGURES, TABLES, EXPLORER, NUMBERS, STUDY = "1 Figures", "2 Tables", "3 Explorer", "4 Numbers of the figures", "5 Study"
FORMATS = {"png": "PNG", "pdf": "vector (PDF)", "csv": "CSV"}


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
        folders = {"pdf": FIGURES, "png": FIGURES, "csv": NUMBERS}
        kinds = {
            kind: self._marked(f"{path}.{kind}", folder, target or f"fig_{name}", of, key)
            for kind, folder in folders.items()
        }
        return kinds | {"caption": f"{path}.rst"}

    def table(
        self, name: str, target: str | None = None, of: Callable | None = None, key: str = "caption"
    ) -> dict[str, Any]:
        """Of a table: for machines, to read, and its caption; the arguments are those of `drawing`."""
        path = f"results/tables/{name}"
        csv = self._marked(f"{path}.csv", TABLES, target or f"table_{name}", of, key)
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
        return report(path, caption=str(CAPTIONS / f"{name}.rst"), category=EXPLORER, labels=labels)

    def needed(self, target: str, files: Any) -> Any:
        """The input of a target: its files, or the message that the study lacks what they are made of."""

        def lacks(wildcards: Any) -> None:
            raise WorkflowError(self.items.refusal(target))

        return lacks if self.items.lacking(target) else files

    def _marked(self, path: str, folder: str, target: str, of: Callable | None, key: str) -> Any:
        """Mark an output for the report, by its place and its number in the paper; its caption is the rule's."""
        name, kind = Path(path).stem, FORMATS[path.rpartition(".")[2]]
        facts = self.items.facts[target]

        def labels(wildcards: Any) -> dict[str, str]:
            shows = _unexpanded(of(wildcards)) if of else facts["shows"]
            no = self._place(target, name.format(**wildcards))
            return {"no.": no, "item": facts["item"], "shows": shows, "format": kind}

        return report(path, caption=str(CAPTIONS / f"{key}.rst"), category=folder, labels=labels)

    def _place(self, target: str, name: str) -> str:
        """Where an item stands among those of its kind, written so that it sorts."""
        made = self.items.made(f"{target.partition('_')[0]}_")
        return f"{made.index(name) + 1 if name in made else len(made) + 1:0{len(str(len(made) + 1))}d}"


def _unexpanded(text: str) -> str:
    """Snakemake takes braces in a label for wildcards: an invisible joiner parts them from their names."""
    return text.replace("{", "{\u2060")
