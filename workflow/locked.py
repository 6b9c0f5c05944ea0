"""Who works on a study: Snakemake's lock, and how to tell one that a run holds from one that a killed run left."""

import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEARD_OF = 600  # seconds since a sign of life, below which a run may still go on


def why_locked(folder: str | Path) -> str | None:
    """What keeps a study's folder to one run, and the remedy; None where Snakemake's lock does not lie there."""
    folder = Path(folder)
    locks = [path for path in (folder / ".snakemake/locks").glob("*.lock") if path.is_file()]
    if not locks:
        return None
    status = folder / "results/STATUS"
    silent = time.time() - max(path.stat().st_mtime for path in (*locks, status) if path.exists())
    release = f"release its lock: {unlocking(folder)}"
    if silent < HEARD_OF:
        return (
            f"{folder}: another run of this study goes on in this folder ({status}, renewed while it runs, says how "
            "far it is); wait for it, or stop it with Ctrl-C where it was started. If it was killed (kill -9, a power "
            f"cut), {release}"
        )
    return (
        f"{folder}: is locked by a run that was last heard of {silent / 60:,.0f} minutes ago ({status} is renewed "
        "while one goes on), so that it was probably killed (kill -9, a power cut). If no other run goes on here, "
        f"{release}"
    )


def unlocking(folder: Path) -> str:
    """The command that releases the lock of a study's folder."""
    place = folder.resolve()
    study = place.relative_to(ROOT).as_posix() if place.is_relative_to(ROOT) else ""
    by_make = study and ((place / "configfiles").exists() or (ROOT / f"studies/{study}.yaml").exists())
    return f"make unlock STUDY={study}" if by_make else "the same snakemake command with --unlock"
