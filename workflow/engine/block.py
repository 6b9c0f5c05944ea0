"""How far a study is, as a block of a terminal or as one line."""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from apr.watch.progress import State, duration
from apr.watch.status import taken_up
from apr.watch.steps import RUNS, Counted

BAR = 20  # columns
NARROW = 70  # columns of a terminal; below there is no bar
AROUND = 5  # lines that the block leaves to what is said above it
SHOWN = 4  # tasks in a line

Row = tuple[str, int, int, Counted, float | None, float | None]  # name, done, of, in this call, images/s, seconds left


def _steps(state: State) -> list[str]:
    steps = state.call.all
    share = f" ({100 * steps.done // steps.total} %)" if steps.total else ""
    counts = [(steps.running, "running"), (steps.failed, "failed")]
    told = [f"{steps.done:,} of {steps.total:,} steps done{share}"]
    told += [f"{number:,} {word}" for number, word in counts if number]
    return told


def line(state: State) -> str:
    """Where the call is, and the tasks and stages that are under way."""
    busy = [row for row in _rows(state) if row[3].running or row[3].failed]
    words = [f"{name} {done:,}/{of:,}" for name, done, of, *_ in busy[:SHOWN]]
    more = f", and {len(busy) - SHOWN} more" if len(busy) > SHOWN else ""
    left = [f"time left: {state.time_left}"] if state.call.all.left else []
    return "; ".join([*_steps(state), *left, *([", ".join(words) + more] if words else [])])


class Block:
    """A state as a block: a row for each stage, or task that has runs in this call, the busy ones first to be shown."""

    def __init__(self, state: State | None) -> None:
        self.state = state

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.state is None:
            yield Text("Looking at the runs that there are …", style="dim")
            return
        width = options.max_width
        rows, rest = _fitting(_rows(self.state), max(1, console.height - AROUND))
        table = Table.grid(padding=(0, 1))
        for justify in ("left", *([] if width < NARROW else ["left"]), *["right"] * 5):
            table.add_column(justify=justify, no_wrap=True, overflow="ellipsis")
        for row in rows:
            table.add_row(*_cells(row, bars=width >= NARROW))
        elapsed, left = duration(self.state.now - self.state.started), self.state.seconds
        about = "time left unknown yet" if left is None else f"about {duration(left)} left"
        head = " · ".join([*_steps(self.state), f"{elapsed} so far", about])
        lines: list[RenderableType] = [Text(head, style="bold"), table]
        lines += [Text(text, style="dim") for text in ([rest] if rest else [])]
        if self.state.call.taken_up:
            lines.append(Text(taken_up(self.state.call), style="dim"))
        number, last = self.state.call.warnings
        if number:
            lines.append(Text(f"{number:,} warning(s), the last: {last}", style="yellow"))
        for one in lines:
            if isinstance(one, Text):
                one.no_wrap, one.overflow = True, "ellipsis"
        yield Group(*lines)


def _rows(state: State) -> list[Row]:
    rows: list[Row] = []
    for (stage, task), counted in state.call.counted.items():
        progress = state.tasks.get(task) if stage == RUNS else None
        if progress:  # of a task its runs count, whichever call made them, as in results/STATUS
            needed = state.needed[task]
            left = needed / state.at_once if needed and state.at_once else None
            rows.append((task, progress.done, progress.planned, counted, progress.speed, left))
        elif counted.total:
            rows.append((task or stage, counted.done, counted.total, counted, None, None))
    return rows


def _cells(row: Row, bars: bool) -> Iterable[RenderableType]:
    name, done, of, counted, speed, left = row
    finished = done >= of
    yield Text(name, style="dim" if finished else "")
    if bars:
        style = "red" if counted.failed else "green" if finished else "cyan"
        yield ProgressBar(total=max(1, of), completed=done, width=BAR, complete_style=style, finished_style="dim green")
    yield f"{done:,}/{of:,}"
    yield f"{counted.running:,} running" if counted.running else ""
    yield f"[red]{counted.failed:,} failed[/red]" if counted.failed else ""
    yield f"{speed:,.0f} images/s" if speed and not finished else ""
    yield escape(f"{duration(left)} left") if left and not finished else ""


def _fitting(rows: list[Row], most: int) -> tuple[list[Row], str]:
    """As many rows as fit, busy and failed ones before those that wait, these before those that are done."""
    if len(rows) <= most:
        return rows, ""

    def place(row: Row) -> int:
        counted = row[3]
        return 0 if counted.running or counted.failed else 2 if row[1] >= row[2] else 1

    kept = sorted(range(len(rows)), key=lambda number: (place(rows[number]), number))[: max(1, most - 1)]
    left = [row for number, row in enumerate(rows) if number not in kept]
    done = sum(row[1] >= row[2] for row in left)
    words = [f"{done} done"] * bool(done) + [f"{len(left) - done} more"] * (len(left) > done)
    return [rows[number] for number in sorted(kept)], f"… and {', '.join(words)}"
