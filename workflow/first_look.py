"""A look at the configuration files and at the disk before Snakemake uses them.

Its own messages name neither the file and line of an error nor a full disk.

The default profile calls `look`; `python workflow/first_look.py FILE …` looks at files alone.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yaml_files import read_document

LEAST_FREE = 20_000_000  # bytes, for Snakemake's own records and logs
WRITES_NOTHING = re.compile(
    r"-[Ffnpqk]*n[Ffnpqk]*|--dry-?run|--(unlock|delete|list|lint|summary|cleanup|help|version).*"
)


def look(options: Sequence[str]) -> None:
    """End Snakemake with our own messages where it would end in tracebacks: a broken configuration, a full disk.

    Args:
        options: of Snakemake's command line; where they name no file, the project's config.yaml is looked at.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    parser.add_argument("--config", "-C", nargs="*", default=[])
    parser.add_argument("--directory", "-d", default=".")
    given, _ = parser.parse_known_args(options)
    full = None if any(map(WRITES_NOTHING.fullmatch, options)) else full_disk(Path(given.directory))
    if full:
        sys.exit(f"error: {full}")
    lines = [
        f"--config {entry}: write a key of the configuration, = and its value; or put it into a file"
        for entry in given.config
        if not re.fullmatch(r"[a-zA-Z_][\w-]*\w=.*", entry, re.DOTALL)
    ]
    files = given.configfile or [Path(__file__).resolve().parents[1] / "config.yaml"]
    if lines or not all(read_document(file).readable for file in files):
        lines += [line for file in files for line in error_lines(file)]
        sys.exit("\n".join([f"error: the configuration has {len(lines)} error(s):", *lines]))


def full_disk(folder: Path) -> str | None:
    """Why nothing can be written into a study's folder, or into what will hold it; None if it can.

    Snakemake itself writes its log and its records there, and ends in a traceback for each that it cannot write.
    """
    there = next(path for path in [folder.absolute(), *folder.absolute().parents] if path.exists())
    try:
        disk = os.statvfs(there)
    except OSError as error:
        return f"{folder}: its file system does not answer ({error.strerror}); run again once it does"
    if not os.access(there, os.W_OK | os.X_OK):
        return f"{folder}: cannot be written to; correct its rights, or give another folder: --directory"
    if disk.f_blocks and disk.f_bavail * disk.f_frsize < LEAST_FREE:
        free, mount = disk.f_bavail * disk.f_frsize / 1e6, next(path for path in [there, *there.parents] if _ends(path))
        return (
            f"{folder}: the disk is full ({free:.1f} MB free on {mount}); free {LEAST_FREE / 1e6:.0f} MB or more, "
            "or give a folder on another disk: --directory"
        )
    if disk.f_files and not disk.f_favail:
        return f"{folder}: its file system takes no more files; delete some, or give another folder: --directory"
    return None


def _ends(path: Path) -> bool:
    return os.path.ismount(path) or path == path.parent


def error_lines(file: str | Path) -> list[str]:
    """What is wrong with a file, a line each."""
    return [located(file, path, text) for path, text in read_document(file).errors]


def located(file: str | Path, path: Sequence[Any], text: str) -> str:
    """`file: key: what is wrong`, on one line whatever they hold."""
    parts = [str(file), ".".join(map(str, path)), text] if path else [str(file), text]
    return ": ".join("".join(c if c.isprintable() else repr(c)[1:-1] for c in part) for part in parts)


if __name__ == "__main__":
    sys.exit("\n".join(line for file in sys.argv[1:] for line in error_lines(file)) or None)
