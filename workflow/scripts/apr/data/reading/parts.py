"""The parts of a dataset: train, test and validation. Light, since status reads it within Snakemake's process."""

from collections.abc import Mapping
from typing import Any

# In the order of their codes in an index. The validation part may be empty; a manifest names it only where it is not.
PARTS = ("train", "test", "validation")


def parts_of(manifest: Mapping[str, Any]) -> list[str]:
    """The parts that a dataset's or a view's manifest counts: train, test, and validation where there is one."""
    return [part for part in PARTS if part != "validation" or part in manifest["per_class"]]
