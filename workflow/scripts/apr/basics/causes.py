"""Errors of the operating system and of libraries, said in one line: the thing, the reason, the remedy."""

import errno
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apr.basics.problems import Problem

ELSEWHERE = "or point --directory elsewhere"
REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space, or point --directory at another disk",
    errno.EDQUOT: "your quota is used up: free some space, or point --directory at another disk",
    errno.EFBIG: "the file would be larger than allowed here: raise the limit (ulimit -f)",
    errno.EROFS: "the file system is read-only: point --directory at a writable one",
    errno.EACCES: f"no permission to write there: change the permissions, {ELSEWHERE}",
    errno.EPERM: f"it may not be written there: change its owner or attributes, {ELSEWHERE}",
    errno.EISDIR: "is a folder where a file is to be: move the folder away",
    errno.ENOTDIR: "a part of its path is a file, not a folder: move that file away",
    errno.EEXIST: "a part of its path is a file, not a folder: move that file away",
}
REASONS = {
    errno.EACCES: "no permission: change the permissions of it and of its folders",
    errno.EPERM: "no permission: change its owner or its attributes",
    errno.ENOENT: "there is no such file or folder: put it there, or correct what names it",
    errno.EISDIR: "is a folder where a file is needed: correct what names it",
    errno.ENOTDIR: "a part of its path is a file, not a folder: correct what names it",
    errno.ENAMETOOLONG: "its name is longer than this file system takes: shorten it",
    errno.ELOOP: "its links lead to each other: remove one",
    errno.EIO: "the disk or the network file system failed (input/output error): run again; check the disk",
    errno.ESTALE: "the network file system lost it (stale handle): run again",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine: run less at the same time",
    errno.ENOMEM: "the memory is used up: run less at the same time, or use a machine that has more",
}
# What libraries raise at bytes that are not what they should be.
UNREADABLE = (
    UnicodeError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    NotImplementedError,  # of zipfile, at a compression or an encryption that it does not know
    RecursionError,
)


@contextmanager
def reading(thing: str | Path) -> Iterator[None]:
    """Around what reads a user's files: what libraries raise at them becomes a Problem that names `thing`.

    Raises:
        Problem: in place of errors of the operating system, of text, of compression and of memory.
    """
    try:
        yield
    except (OSError, MemoryError, *UNREADABLE) as error:
        raise Problem(explained(error, thing)) from error


@contextmanager
def decoding(thing: str | Path) -> Iterator[None]:
    """Around a library's reader alone: whatever it raises at a file becomes a Problem that names `thing`.

    Raises:
        Problem: in place of every error.
    """
    try:
        yield
    except Problem:
        raise
    except Exception as error:  # Bytes that were made to confuse a library lead it to any error.
        if isinstance(error, OSError) and error.errno is not None:
            raise Problem(explained(error, thing)) from error
        raise Problem(f"{thing}: cannot be read ({reason(error)}); fetch it again") from error


def reason(error: BaseException) -> str:
    """A library's words on what it could not read, in one line."""
    if isinstance(error, RecursionError | MemoryError):
        return "it is nested too deeply, or claims to be larger than the memory"
    return printable(" ".join(str(error).split()) or type(error).__name__)


def explained(error: BaseException, thing: str | Path = "") -> str:
    """One line for an error of the operating system or of a library; `thing` is what was at work."""
    before = f"{thing}: " if thing else ""
    if isinstance(error, MemoryError):
        return f"{before}needs more memory than there is: run less at the same time, or use a machine that has more"
    if isinstance(error, OSError) and error.errno is not None:
        named = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
        before = f"{' -> '.join(map(printable, named))}: " if named else before
        return before + (REASONS.get(error.errno) or REMEDIES.get(error.errno) or f"{error.strerror}: run again")
    if isinstance(error, UnicodeDecodeError):
        bad = error.object[error.start : error.start + 8]
        return f"{before}holds {bad!r}, which is not {error.encoding}: save it as UTF-8"
    if isinstance(error, UnicodeError):
        return f"{before}holds a text that cannot be written down ({error}): correct the text or the name"
    if isinstance(error, RecursionError):
        return f"{before}is nested too deeply to be read: unpack or simplify it by hand"
    text = " ".join(str(error).split()) or type(error).__name__
    return f"{before}cannot be read ({text}): if it is damaged, fetch it again"


def printable(name: str, length: int = 200) -> str:
    """A name that fits into one line of text: control characters and lone surrogates escaped, the middle left out."""
    safe = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in name)
    return safe if len(safe) <= length else f"{safe[: length // 2]}…{safe[-length // 2 :]}"
