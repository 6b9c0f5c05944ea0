"""What can be made, for `make help`: the targets of the Makefile, then every table and figure with Snakemake's target.

Runs before anything is set up, then without the tables and figures: they are listed in YAML.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TARGET = re.compile(r"^([a-z-]+):.*?## (.*)$", re.MULTILINE)


def make_targets(makefile: str) -> list[tuple[str, str]]:
    """Targets in a Makefile's text that say what they are for, each with its sentence."""
    return TARGET.findall(makefile)


def item_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """The items of a file of resources/, paper by paper: its number there, Snakemake's target, and what it shows."""
    papers = facts.get("papers") or {None: facts}
    for paper in dict.fromkeys([*papers, None]):
        rows = {name: entry for name, entry in facts["items"].items() if entry.get("paper") == paper}
        if rows:
            yield ""
            yield f"{papers[paper]['source'].split(':')[0]}:" if paper in papers else "In every study:"
        for name, entry in rows.items():
            if "{" not in entry["item"]:  # else it is one of many: results/figures/target_<task>.png
                yield f"  {entry['item']:<18} {name:<30} {entry['shows']}"


def lines() -> Iterator[str]:
    """What `make help` prints."""
    for target, sentence in make_targets((ROOT / "Makefile").read_text(encoding="utf-8")):
        yield f"  make {target:<10} {sentence}"
    yield ""
    try:
        from apr.basics.facts import read_facts
    except ModuleNotFoundError:
        yield "After `make setup`, this also lists every table and figure with the target that makes it."
        return
    yield "Tables and figures, each by `snakemake <target>`; of another study with --configfile and --directory"
    for path in sorted(ROOT.glob("resources/*items.yaml")):
        yield from item_lines(read_facts(path))
    yield ""
    yield "`snakemake audit` reads every run that there is, and fails where one is wrong."


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "workflow/scripts"))
    print("\n".join(lines()))
