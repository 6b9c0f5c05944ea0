"""A study of a configuration."""

from typing import Any

from apr.basics.escaping import plain_texts
from study.settings import load_registry, ordered
from study.study import Study

TEXTS = ("title", "domain", "licence", "home")  # what is written for readers
NAMED = ("datasets", "views", "tasks", "regimes", "networks", "comparisons")  # whose order has a meaning


def study_of(config: dict[str, Any]) -> Study:
    """The study of a configuration that has passed `checks.check_config`."""
    texts = plain_texts(config, TEXTS).items()
    # Snakemake compares parameters as text, so that the order of other keys in a file must not matter
    return Study({key: value if key in NAMED else ordered(value) for key, value in texts}, load_registry())
