"""A first look at a folder that is used where it lies."""

from pathlib import Path
from typing import Any

from apr.basics.problems import Problem
from apr.data.reading.walking import walk


def survey_folder(dataset: str, folder: Path) -> dict[str, Any]:
    """Count what lies in a folder that a user has already: number of files and bytes.

    Raises:
        Problem: the folder is missing, is a file, or holds nothing.
    """
    folder = Path(folder)
    if folder.is_file():
        raise Problem(
            f'{dataset}: folder {folder}: is a file; for an archive write url: "file:{folder}" in place of folder'
        )
    if not folder.is_dir():
        raise Problem(f"{dataset}: folder {folder}: there is no such folder; correct `folder` in the study")
    # A link that leads nowhere is named by the reader, if it matters.
    sizes = [path.stat().st_size for path in walk(folder) if path.exists()]
    if not sizes:
        raise Problem(f"{dataset}: folder {folder}: holds no file; put the pictures there, or name another folder")
    return {"dataset": dataset, "folder": str(folder), "count": len(sizes), "bytes": sum(sizes), "files": []}
