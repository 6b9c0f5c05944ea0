"""A look at the configuration files before Snakemake reads them, whose own messages name neither file nor line.

The default profile calls `look`; `python workflow/first_look.py FILE …` looks at files alone.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yaml_files import read_document


def look(options: Sequence[str]) -> None:
    """End Snakemake with our own messages where its own reading of the configuration would end in a traceback.

    Args:
        options: of Snakemake's command line; where they name no file, the project's config.yaml is looked at.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    parser.add_argument("--config", "-C", nargs="*", default=[])
    given, _ = parser.parse_known_args(options)
    lines = [
        f"--config {entry}: write a key of the configuration, = and its value; or put it into a file"
        for entry in given.config
        if not re.fullmatch(r"[a-zA-Z_][\w-]*\w=.*", entry, re.DOTALL)
    ]
    files = given.configfile or [Path(__file__).resolve().parents[1] / "config.yaml"]
    if lines or not all(read_document(file).readable for file in files):
        lines += [line for file in files for line in error_lines(file)]
        sys.exit("\n".join([f"error: the configuration has {len(lines)} error(s):", *lines]))


def error_lines(file: str | Path) -> list[str]:
    """What is wrong with a file, a line each."""
    return [located(file, path, text) for path, text in read_document(file).errors]


def located(file: str | Path, path: Sequence[Any], text: str) -> str:
    """`file: key: what is wrong`, on one line whatever they hold."""
    parts = [str(file), ".".join(map(str, path)), text] if path else [str(file), text]
    return ": ".join("".join(c if c.isprintable() else repr(c)[1:-1] for c in part) for part in parts)


if __name__ == "__main__":
    sys.exit("\n".join(line for file in sys.argv[1:] for line in error_lines(file)) or None)
