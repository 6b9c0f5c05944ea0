"""How far a study is: its tasks, what goes on, and how long the rest takes. STATUS and the terminal show this alike.

Runs inside Snakemake's own process, so it imports nothing heavy and reads each run once.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from apr.data.reading.parts import parts_of
from apr.runs.finetuning.halving import mean_epochs
from apr.runs.record import DIVERGED, DROPPED, asked_for
from apr.watch.planned import Runs, read_view
from apr.watch.steps import Call

ENOUGH = 3  # steps that have to end since the start before a pace is told from them
SIDE = 224  # pixels of what most pretrained models take, where a protocol leaves it to them
UNKNOWN = "unknown yet"


@dataclass(frozen=True)
class Progress:
    """A task: its planned runs, those that are done, those that are to be done again, and what the done ones tell.

    Attributes:
        seconds, speed: of a run, and its images a second: the mean of those that ended, or before, of those under way.
        cost: epochs x images x pixels of a run; None before its view is drawn, and of evaluations.
        pauses: of its search, that its cells have reached, of how many: "12/16"; None where there are none.
    """

    planned: int
    done: int
    outdated: int
    new: int
    seconds: float | None
    speed: float | None
    diverged: int
    dropped: int
    cost: float | None
    prepared: bool
    pauses: str | None

    @property
    def left(self) -> int:
        """Runs that are still to be made."""
        return self.planned - self.done


@dataclass(frozen=True)
class State:
    """A study at a moment.

    Attributes:
        now, started: seconds since the epoch.
        tasks: those that runs are made for here.
        needed: seconds of the runs that each task still needs, were they made one by one; None where nothing tells.
        at_once: runs, on average since the first one started; None where nothing tells.
        seconds: until all is done; None where nothing tells.
        time_left: the same in words, and how sure it is.
        call: what goes on.
    """

    now: float
    started: float
    tasks: Mapping[str, Progress]
    needed: Mapping[str, float | None]
    at_once: float | None
    seconds: float | None
    time_left: str
    call: Call


def state_of(
    plan: Mapping[str, Any],
    root: str | Path,
    now: float,
    started: float,
    baseline: Mapping[str, frozenset[str]],
    runs: Runs,
    call: Call,
) -> State:
    """The state of a study.

    The time left is the time of the runs that are still needed over the number of runs that went on at once since the
    first one started (their seconds over the wall's), and that of the other steps likewise. Where no run of a task has
    ended, one is taken to last as long as one of the task of most similar cost, scaled by epochs x images x pixels.

    Args:
        plan: as for `audit`.
        now, started: seconds since the epoch, of this moment and of the study's start.
        baseline: runs that were there and current at the start, by task.
        runs: remembers what was read for an earlier state.
        call: what goes on.
    """
    made, plan = runs.look(), asked_for(plan, root)
    tasks = {
        task: _progress(plan, task, made[task], baseline.get(task, frozenset()), Path(root), call) for task in plan
    }
    needed = {task: _needed(progress, tasks) for task, progress in tasks.items()}
    at_once = _at_once(tasks, call, now, started)
    seconds, words = _time_left(tasks, needed, at_once, call, now - started)
    return State(now, started, tasks, needed, at_once, seconds, words, call)


def _progress(plan: Mapping[str, Any], task: str, made: Mapping, before: frozenset, root: Path, call: Call) -> Progress:
    done = {name: run for name, (run, current) in made.items() if current}
    new = done.keys() - before
    # those that ended since the start tell of this machine
    telling = [run for name, run in done.items() if run and (len(new) < ENOUGH or name in new)]
    paces = call.paces.get(task, ())
    # nothing was trained where the source diverged
    seconds = [run["seconds"] for run in telling if run["seconds"] > 0] or [one.seconds for one in paces if one.seconds]
    speeds = [run["speed"] for run in telling if run["speed"]] or [one.speed for one in paces if one.speed]
    return Progress(
        planned=len(plan[task]["runs"]),
        done=len(done),
        outdated=len(made) - len(done),
        new=len(new),
        seconds=fmean(seconds) if seconds else None,
        speed=fmean(speeds) if speeds else None,
        diverged=sum(run["status"] == DIVERGED for run in done.values() if run),
        dropped=sum(run["status"] == DROPPED for run in done.values() if run),
        cost=_cost(plan, task, root),
        prepared=read_view(plan[task], root) is not None,
        pauses=_pauses(plan[task], root, task) if plan[task].get("rungs") else None,
    )


def _pauses(entry: Mapping[str, Any], root: str | Path, task: str) -> str:
    """How many pauses of its search the cells of a task have reached, of how many: "12/16"."""
    cells = [name for name, run in entry["runs"].items() if "choice" not in run]
    places = [Path(root, f"results/rungs/{task}/{rung['epochs']}") for rung in entry["rungs"]]
    return (
        f"{sum((place / f'{name}.json').exists() for place in places for name in cells):,}/{len(cells) * len(places):,}"
    )


def _cost(plan: Mapping[str, Any], task: str, root: Path) -> float | None:
    """Epochs x images x pixels of one training; None before the view is drawn."""
    entry = plan[task]
    if entry["protocol"] is None:  # an evaluation, which models of very different cost share
        return None
    protocol, before = entry["protocol"], plan[entry["initial"]]["protocol"]["epochs"] if entry["continues"] else 0
    epochs = mean_epochs(entry.get("rungs", ()), protocol.get("epochs", 1))  # a probe passes every image once
    epochs = max(1, epochs - before)
    view = read_view(entry, root)
    if view is None:
        return None
    return epochs * sum(view[f"n_{part}"] for part in parts_of(view)) * (protocol["resolution"] or SIDE) ** 2


def _needed(progress: Progress, tasks: Mapping[str, Progress]) -> float | None:
    """Training seconds that a task still needs; None where nothing tells."""
    if not progress.left:
        return 0.0
    if progress.seconds:
        return progress.left * progress.seconds
    known = [task for task in tasks.values() if task.seconds and task.cost]
    if not progress.cost or not known:
        return None
    nearest = min(known, key=lambda task: abs(math.log(task.cost / progress.cost)))
    return progress.left * nearest.seconds * progress.cost / nearest.cost


def _at_once(tasks: Mapping[str, Progress], call: Call, now: float, started: float) -> float | None:
    wall = now - (call.since or started)
    made = sum(task.new * task.seconds for task in tasks.values() if task.new and task.seconds)
    running = sum(call.of(task).running for task in tasks)
    return made / wall if made and wall > 0 else running or None


def _time_left(
    tasks: Mapping[str, Progress],
    needed: Mapping[str, float | None],
    at_once: float | None,
    call: Call,
    wall: float,
) -> tuple[float | None, str]:
    steps, later = _other_steps(call, wall)
    if not any(task.left for task in tasks.values()):
        if steps is None:
            return None, f"{UNKNOWN} (fewer than {ENOUGH} steps have ended since the start)"
        return (steps, f"about {duration(steps)}{_and(later)}") if steps or later else (0.0, "none")
    unknown = [task for task, seconds in needed.items() if seconds is None]
    if not at_once or not any(needed.values()):
        return None, f"{UNKNOWN} ({_why_unknown(call, any(call.of(task).running for task in tasks))})"
    more = f", and what {', '.join(unknown)} will take, whose images are not prepared yet" if unknown else ""
    seconds = sum(filter(None, needed.values())) / at_once + (steps or 0)
    pace = f"{at_once:.1f}" if 1 <= at_once < 10 else f"{at_once:.1g}" if at_once < 1 else f"{at_once:,.0f}"
    about = "at least" if unknown else "about"
    first = "" if sum(task.new for task in tasks.values()) >= ENOUGH else ", as far as the first tell"
    return seconds, f"{about} {duration(seconds)}, at a pace of {pace} runs at once{first}{more}"


def _other_steps(call: Call, wall: float) -> tuple[float | None, list[str]]:
    """Seconds that steps other than runs still take, and the stages that nothing is known of."""
    left = {stage: counted for stage, counted in call.stages.items() if counted.left}
    if left and call.all.done < ENOUGH:
        return None, list(left)
    at_once = max(1.0, call.all.seconds / wall) if wall > 0 else 1.0
    known = {stage: counted for stage, counted in left.items() if counted.done}
    seconds = sum(counted.left * counted.seconds / counted.done for counted in known.values()) / at_once
    return seconds, [stage for stage in left if stage not in known]


def _why_unknown(call: Call, running: bool) -> str:
    if running:
        return "the first runs are under way"
    busy = [stage for stage, counted in call.stages.items() if counted.running]
    if busy:
        return f"no run has begun; now: {', '.join(busy)}"
    return "no run has ended since the start"


def _and(stages: list[str]) -> str:
    return f", and then {', '.join(stages)}" if stages else ""


def duration(seconds: float) -> str:
    """Such as 40 s, 12 min, 3 h 20 min or 4 d 6 h."""
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{minutes // 60} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
