"""Addresses and folders that a configuration names: what can be told of them before anything is fetched or read."""

import unicodedata
from collections.abc import Collection
from urllib.parse import urlsplit

SCHEMES = ("https", "http", "file", "bundled")
OF_FOLDERS = ("https", "http", "file")


def address_problem(address: str, schemes: Collection[str] = SCHEMES) -> str | None:
    """Why nothing can be fetched from an address, and the remedy; None if something can."""
    odd = _control(address)
    if odd:
        return f"holds the control character {odd}; write the address on one line"
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is no address ({error}); correct it"
    if parts.scheme not in schemes:
        return f"is no address that can be fetched; use {', '.join(f'{scheme}:' for scheme in schemes)}"
    if parts.scheme in ("http", "https") and (not host or any(sign.isspace() for sign in parts.netloc)):
        return "names no host; write https://<host>/<file>"
    if parts.scheme == "file" and parts.netloc not in ("", "localhost"):
        return "names another machine; write file:data/x.zip or file:///data/x.zip"
    if parts.scheme == "file" and parts.path.startswith("~"):
        return "begins with ~, which only a shell knows; write the whole path"
    return None


def folder_problem(folder: str) -> str | None:
    """Why a text cannot be the path of a folder, and the remedy; None if it can."""
    odd = _control(folder)
    if odd:
        return f"holds the control character {odd} (YAML reads \\ in double quotes so); use single quotes, or /"
    if folder.startswith("~"):
        return "begins with ~, which only a shell knows; write the whole path of your home folder"
    return None


def _control(text: str) -> str | None:
    return next((f"U+{ord(sign):04X}" for sign in text if unicodedata.category(sign) in ("Cc", "Cs")), None)
