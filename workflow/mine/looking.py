"""From a user's pictures to a study: looked at, planned, written, and remembered by the next call."""

import hashlib
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apr.basics.addresses import folder_problem
from apr.basics.files import read_json, write_json, write_text
from apr.basics.problems import Problem
from apr.data.reading.walking import walk
from apr.runs.machine.devices import nvidia
from checks.config import check_config
from first_look import error_lines
from locked import why_locked
from mine.layouts import NOT_GIVEN, Labels, found_place, opened
from mine.names import name_of, title_of
from mine.own_file import BASE, own_text, suffix_of
from mine.plans import Plan, plan_of
from mine.seen import Seen, described, seen_in
from study import ROOT
from study.settings import read_yaml
from yaml_files import merged, read_document

MINUTES, CORES = 10, 2
DEMO = ROOT / "demo"  # where `make demo` puts its results
LOOKED, OWN, FILES = "looked.json", "own.yaml", "configfiles"
KEPT = "{} was changed by hand and is kept, whatever is said above; delete it to have it written anew"


@dataclass(frozen=True)
class Request:
    """What a user asks for: pictures (None to go on with a study), a name, labels, minutes, cores, further files."""

    data: str | None
    name: str | None = None
    labels: Labels | None = None
    minutes: float = MINUTES
    cores: int = CORES
    overlays: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        data: str | None,
        name: str | None,
        labels: Labels | None,
        minutes: str | None,
        cores: str | None,
        overlays: str | None,
    ) -> "Request":
        """The request that a command line makes.

        Raises:
            Problem: numbers that are none, files that are not there.
        """
        if labels and not labels.table:
            raise Problem("IMAGE and LABEL are columns of a table of labels: name that, too, LABELS=table.csv")
        files = tuple((overlays or "").split())
        for file in files:
            if not Path(file).is_file():
                raise Problem(f"WITH={overlays}: there is no file {file}; name study files, parted by blanks")
            if wrong := error_lines(file):
                raise Problem(f"WITH={overlays}: {'; '.join(wrong)}")
        wanted = _number("MINUTES", minutes, MINUTES)
        return cls(data, name, labels, wanted, int(_number("CORES", cores, CORES)), files)


def look(request: Request, directory: Path, say: Callable[[str], None]) -> Path:
    """Look at pictures and write `<directory>/<name>/own.yaml`, or go on with what is there; returns that folder.

    What a user changed in own.yaml is kept. The same request of the same pictures leaves the study as it is, so that
    nothing is trained again.

    Args:
        request: what is asked for.
        directory: holds the folders of such studies.
        say: takes what a reader is told, a line at a time.

    Raises:
        Problem: the pictures cannot be used, or the name is that of a study of others. Nothing is written then.
    """
    if re.search(r"\s", str(directory)):
        raise Problem(
            f"--directory {str(directory)!r}: holds a blank, which the list of files does not take; choose another"
        )
    if not request.data:
        return _gone_on(request, directory, say)
    place = found_place(request.data)
    if wrong := folder_problem(str(place)):
        raise Problem(f"DATA={request.data}: {wrong}")
    name = name_of(place, request.name)
    folder = directory / name
    _refuse_if_busy(folder)
    before = _before(folder)
    if before["data"] not in (None, str(place)):
        raise Problem(
            f"{folder}: was made of {before['data']}, not of {place}: give this one another name, NAME={name}_2, or "
            f"remove the folder {folder}"
        )
    stamp = _stamp(place, request.labels)
    gpu = bool(nvidia()[1])
    asked = {"labels": asdict(request.labels) if request.labels else None, "minutes": request.minutes, "gpu": gpu}
    there = (folder / OWN).exists()
    if there and (before["asked"], before["stamp"]) == (asked, stamp):
        for line in before["lines"]:
            say(line)
        if _digest(folder / OWN) != before["own"]:
            say(KEPT.format(folder / OWN))
        _refuse_wrong(folder, None, before, request)
        return _remembered(folder, before, request, say)
    title = request.name or title_of(place)
    with opened(place, directory, request.labels) as layout:
        seen = seen_in(layout)
    trained, size = _taken_up(folder, directory, dry=True), read_yaml(ROOT / BASE)["population"]["size"]
    plan = plan_of(seen, minutes=request.minutes, cores=request.cores, architectures=size, gpu=gpu, trained=trained)
    lines = [*described(title, seen), *_planned(seen, plan, request)]
    for line in lines:
        say(line)
    text = own_text(folder, title, place, seen, plan)
    known = before | {"data": str(place), "asked": asked, "stamp": stamp, "lines": lines, "task": name}
    kept = there and _digest(folder / OWN) != before["own"]
    _refuse_wrong(folder, None if kept else text, before, request)
    known |= {"handed": seen.handed, "groups": "" if seen.parts else seen.groups, "epochs": plan.epochs}
    if before["stamp"] not in (None, stamp):
        _read_again(folder, name, place, say)
    if kept:
        say(KEPT.format(folder / OWN))
    else:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / OWN, text)
        known["own"] = _digest(folder / OWN)
    _taken_up(folder, directory)
    return _remembered(folder, known, request, say)


def _gone_on(request: Request, directory: Path, say: Callable[[str], None]) -> Path:
    """Go on with a study by its name."""
    known = sorted(path.parent.name for path in directory.glob(f"*/{OWN}")) if directory.is_dir() else []
    if request.name in known:
        folder = directory / request.name
        before = _before(folder)
        _refuse_if_changed(folder, before)
        _refuse_wrong(folder, None, before, request)
        return _remembered(folder, before, request, say)
    if request.name and known:
        raise Problem(
            f"NAME={request.name}: there is no {directory / request.name / OWN}; there are {', '.join(known)}: "
            "correct it, or name the pictures of a new one, DATA="
        )
    raise Problem(f"{NOT_GIVEN}{f'; or go on with NAME={known[0]}' if known else ''}")


def _refuse_if_busy(folder: Path) -> None:
    if busy := why_locked(folder):
        raise Problem(busy)


def _refuse_if_changed(folder: Path, before: dict[str, Any]) -> None:
    """Pictures that have changed are read again where they are named; of those that are gone what was read is kept."""
    _refuse_if_busy(folder)
    place = Path(before["data"] or "")
    if before["data"] is None or not place.exists():
        return
    labels = Labels(**before["asked"]["labels"]) if before["asked"]["labels"] else None
    if _stamp(place, labels) != before["stamp"]:
        columns = {"LABELS": labels.table, "IMAGE": labels.image, "LABEL": labels.label} if labels else {}
        given = {"NAME": folder.name, "DATA": str(place)} | {key: value for key, value in columns.items() if value}
        words = " ".join(f"{key}={shlex.quote(value)}" for key, value in given.items()).replace("$", "$$")
        raise Problem(f"{place}: its pictures or labels have changed since they were looked at; say make mine {words}")


def _remembered(folder: Path, known: dict[str, Any], request: Request, say: Callable[[str], None]) -> Path:
    """Write what the next call goes on with: the list of files, and what was looked at."""
    overlays = _overlays(known, request)
    files = [BASE, str(folder / OWN), *overlays]
    write_json(folder / LOOKED, known | {"overlays": overlays})
    write_text(folder / FILES, " ".join(files) + "\n")
    say(f"study: {' '.join(files)}")
    return folder


def _overlays(before: dict[str, Any], request: Request) -> list[str]:
    return [*dict.fromkeys([*before["overlays"], *request.overlays])]


def _refuse_wrong(folder: Path, text: str | None, before: dict[str, Any], request: Request) -> None:
    """Files that are laid over are remembered: one with an error would stop each later call.

    Args:
        text: of the own.yaml that is to be written; None for the one that is there.
    """
    if not request.overlays:
        return
    with TemporaryDirectory() as place:
        own = folder / OWN
        if text is not None:
            own = Path(place, OWN)
            write_text(own, text)
        files = [ROOT / BASE, own, *_overlays(before, request)]
        lines = check_config(merged([read_document(file).value for file in files]), files)
    if lines:
        more = f" ({len(lines) - 1} more after it)" if lines[1:] else ""
        raise Problem(f"WITH={' '.join(request.overlays)}: {lines[0]}{more}".replace(str(own), str(folder / OWN)))


def _before(folder: Path) -> dict[str, Any]:
    """What was remembered of a study; of one that was written by hand nothing is known."""
    unknown = dict.fromkeys(("data", "asked", "stamp", "own")) | {"overlays": []}
    return unknown | (read_json(folder / LOOKED) if (folder / LOOKED).exists() else {})


def _planned(seen: Seen, plan: Plan, request: Request) -> Iterable[str]:
    """What is taken of the pictures, and how long it will take."""
    some = [f"{plan.classes} of its classes, drawn"] if plan.classes else []
    some += [f"at most {plan.cap} pictures of a class in each part"] if plan.cap else []
    what = f"{' and '.join(some)}: " if some else ""
    more = "; MINUTES= takes more of them" if some else ""
    yield f"taken: {what}{plan.images:,} training pictures, {plan.epochs} epochs{more}"
    pretrained = "probed and fine-tuned" if plan.tuned else "probed; with a GPU or more MINUTES= also fine-tuned"
    side = f"at {plan.resolution} pixels" if plan.resolution else "at their own resolution"
    yield f"pretrained models: {side}, {pretrained}"
    cores = f"{request.cores} core{'s' if request.cores > 1 else ''}"
    yield f"time: about {plan.minutes} minutes on {cores}, by the speed of an AMD EPYC of the third generation"


def _read_again(folder: Path, name: str, place: Path, say: Callable[[str], None]) -> None:
    """Forget what was read, since the pictures have changed: Snakemake then reads them again."""
    say(f"the pictures have changed since they were looked at, and are read again: {place}")
    for path in (f"data/raw/{name}.json", f"data/unpacked/{name}.json", f"data/raw/{name}/{name}{suffix_of(place)}"):
        (folder / path).unlink(missing_ok=True)


def _taken_up(folder: Path, directory: Path, dry: bool = False) -> bool:
    """Take up trainings of the reference that the demo or another study has finished; whether all are there.

    They are put where a training looks for what it finished before; they count if protocol and images are the same.
    """
    base = read_yaml(ROOT / BASE)
    runs = [
        f"results/checkpoints/{task}/a{number:03d}.json"
        for task, entry in base["tasks"].items()
        for number in range(base["population"]["size"] if "train" in entry else 0)
    ]
    others = [*(one for one in sorted(directory.glob("*")) if one != folder and (one / OWN).exists()), DEMO]
    all_there = True
    for run in runs:
        source = next((other / run for other in others if (other / run).is_file()), None)
        if (folder / run).exists() or source is None:
            all_there &= (folder / run).exists()
        elif not dry:
            (folder / run).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / run)
    return all_there


def _stamp(place: Path, labels: Labels | None) -> dict[str, int]:
    """Number of files, bytes and the latest change: what tells that pictures or their labels have changed."""
    files = [path.stat() for path in walk(place) if path.exists()] if place.is_dir() else [os.stat(place)]
    if labels and (table := Path(labels.table).expanduser()).is_file():
        files.append(table.stat())
    newest = max((int(file.st_mtime) for file in files), default=0)
    return {"files": len(files), "bytes": sum(file.st_size for file in files), "newest": newest}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _number(name: str, text: str | None, default: float) -> float:
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", text, re.ASCII) or float(text) < 1:
        raise Problem(f"{name}={text}: has to be a number from 1 on")
    return float(text)
