"""What can be made, for `make help`: the targets of the Makefile, then every table and figure with Snakemake's target.

Runs before anything is set up, then without the tables and figures: they are listed in YAML.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STUDIES = {
    "paper_items": "Tables and figures of the paper: snakemake <target> (another study: --configfile, --directory)",
    "retest_items": "Those of studies/retest.yaml; each pair of test sets also has results/figures/retest_<name>.png "
    "and results/tables/retest_<name>.csv:",
}
AUDIT = "`snakemake audit` reads every run that there is, and fails where one is wrong."
TARGET = re.compile(r"^([a-z-]+):.*?## (.*)$", re.MULTILINE)


def make_targets(makefile: str) -> list[tuple[str, str]]:
    """Targets in a Makefile's text that say what they are for, each with its sentence."""
    return TARGET.findall(makefile)


def items_of(path: Path) -> list[tuple[str, str, str]]:
    """Of a list of items: where the paper has each, Snakemake's target, and what it shows; none that is one of many."""
    from apr.basics.facts import read_facts

    items = read_facts(path)["items"]
    return [(entry["item"], target, entry["shows"]) for target, entry in items.items() if "{" not in entry["item"]]


def lines() -> Iterator[str]:
    """What `make help` prints."""
    for target, sentence in make_targets((ROOT / "Makefile").read_text(encoding="utf-8")):
        yield f"  make {target:<10} {sentence}"
    yield ""
    for name, title in STUDIES.items():
        try:
            rows = items_of(ROOT / f"resources/{name}.yaml")
        except ModuleNotFoundError:
            yield "After `make setup`, this also lists every table and figure with the target that makes it."
            return
        yield title
        for item, target, shows in rows:
            yield f"  {item:<17} {target:<30} {shows}"
        yield ""
    yield AUDIT


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "workflow/scripts"))
    print("\n".join(lines()))
