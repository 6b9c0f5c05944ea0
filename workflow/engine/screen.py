"""A terminal whose last lines are a block that is drawn anew, while all that anybody prints goes on above it."""

import io
import os
import select
import sys
import threading
from collections.abc import Callable

from rich.console import Console
from rich.live import Live
from rich.text import Text

from apr.watch.progress import State
from engine.block import Block

OUTPUTS = (1, 2)
DUMB = ("", "dumb", "unknown")
EVERY = 2.0  # seconds until a state is renewed


def can_draw() -> bool:
    """Whether the errors' output is a terminal that can move its cursor."""
    return os.isatty(2) and os.environ.get("TERM", "") not in DUMB


class _Console(Console):
    """The cursor is never hidden: whatever ends this process, the terminal stays as it was."""

    def show_cursor(self, show: bool = True) -> bool:
        return False


class Screen:
    """Draws a block; what this process and its jobs print is caught and shown above it.

    Args:
        heard: is told each line that others than Snakemake print.

    Attributes:
        state: the last that was shown.
    """

    every = EVERY

    def __init__(self, heard: Callable[[str], None]) -> None:
        self._heard, self.state, self._kept = heard, None, {}
        self._ended, self._lock = threading.Event(), threading.Lock()
        self._reader, self._live = None, None

    def open(self) -> None:
        """Take the terminal."""
        terminal = os.fdopen(os.dup(2), "w", encoding=sys.stderr.encoding, errors="backslashreplace")
        console = _Console(file=terminal, force_terminal=True, highlight=False, markup=True)
        self._live = Live(
            get_renderable=lambda: Block(self.state),
            console=console,
            transient=True,
            refresh_per_second=1,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        sys.stdout.flush(), sys.stderr.flush()
        self._source, sink = os.pipe()
        for number in filter(os.isatty, OUTPUTS):
            self._kept[number] = os.dup(number)
            os.dup2(sink, number)
        os.close(sink)
        self._live.start()
        self._reader = threading.Thread(target=self._read, name="screen", daemon=True)
        self._reader.start()

    def show(self, state: State) -> None:
        """Draw this state from now on."""
        self.state = state

    def say(self, text: str) -> None:
        """Print lines above the block; they may hold colours."""
        with self._live._lock:  # else what two threads say at once, or the block, would be written into each other
            self._live.console.print(Text.from_ansi(text), soft_wrap=True)

    def close(self) -> bool:
        """Give the terminal back, without the block; whether it had it."""
        with self._lock:
            if self._ended.is_set() or not self._live:
                return False
            self._ended.set()
        sys.stdout.flush(), sys.stderr.flush()
        for number, kept in self._kept.items():
            os.dup2(kept, number)
            os.close(kept)
        self._reader.join()
        self._live.stop()
        self._live.console.file.close()
        os.close(self._source)
        return True

    def _read(self) -> None:
        rest = b""
        while True:
            # jobs that outlive this call may keep the other end, so its end is not waited for
            if not select.select([self._source], [], [], 0.2)[0]:
                if self._ended.is_set():
                    break
                continue
            read = os.read(self._source, 65_536)
            if not read:
                break
            *lines, rest = (rest + read).split(b"\n")
            self._pass_on(lines)
        self._pass_on([rest] if rest else [])

    def _pass_on(self, lines: list[bytes]) -> None:
        texts = [line.decode("utf-8", errors="backslashreplace") for line in lines]
        if texts:
            self.say("\n".join(texts))
        for text in texts:
            self._heard(text)


class Above(io.TextIOBase):
    """A stream whose lines appear above a screen's block."""

    def __init__(self, screen: Screen) -> None:
        self._screen, self._text = screen, ""

    def write(self, text: str) -> int:
        """Keep until the line ends."""
        *lines, self._text = (self._text + text).split("\n")
        if lines:
            self._screen.say("\n".join(lines))
        return len(text)
