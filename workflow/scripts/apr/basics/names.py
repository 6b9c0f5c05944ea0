"""Names that become names of files: one plain component of a path, whatever they come from."""

import re
import unicodedata
from typing import Any

from apr.basics.problems import Problem
from apr.basics.values import shown

LONGEST = 180  # bytes: while a file is written its name is longer, and file systems take 255
# Snakemake reads braces as wildcards, a dash in front makes an option, a dot hides a file, a tilde is a home folder.
REFUSED = {"/": "a slash", "\\": "a backslash", "{": "a brace", "}": "a brace", "`": "a backtick"}
REFUSED |= {sign: f"{sign}, which other systems do not take" for sign in ':*?"<>|'}
DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?", re.IGNORECASE | re.DOTALL)  # of Windows


def name_problem(name: Any) -> str | None:
    """Why a name cannot be that of a file; None if it can."""
    if not isinstance(name, str) or not name.strip():
        return "is no name"
    odd = next((sign for sign in name if unicodedata.category(sign)[0] == "C" or sign in "\u2028\u2029"), None)
    if odd is not None:
        return f"holds the control character U+{ord(odd):04X}"
    found = next((what for sign, what in REFUSED.items() if sign in name), None)
    if found:
        return f"holds {found}"
    if name[0] in ".-~":
        return f"begins with {name[0]!r}"
    if DEVICES.fullmatch(name):
        return "is that of a device on Windows"
    if name[-1] == ".":
        return "ends with '.'"
    if name != name.strip():
        return "begins or ends with a space"
    if len(name.encode()) > LONGEST:
        return f"has {len(name.encode())} bytes, more than {LONGEST}"
    return None


def check_name(name: Any, what: str, remedy: str) -> str:
    """The name, if it can be that of a file.

    Raises:
        Problem: it cannot: what it is the name of, why, and the remedy.
    """
    problem = name_problem(name)
    if problem:
        raise Problem(f"{what} {shown(name)} {problem}; {remedy}")
    return name


def plain_name(name: str) -> str:
    """A name like this one that can be that of a file: a proposal."""
    kept = "".join(sign if sign.isalnum() or sign in "._-+" else "_" for sign in name if sign not in "{}")
    kept = kept.strip("._-")[-60:].strip("._-") or "data"
    return f"data_{kept}" if DEVICES.fullmatch(kept) else kept
