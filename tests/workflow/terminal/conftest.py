"""A small workflow that the engine watches, and terminals to look at it with."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pyte
import pytest
from waits import LONGEST
from warm_python import snakemake_script, warm_environment, warm_python

from study import ROOT

SNAKEFILE = f"""

from types import SimpleNamespace

sys.path[:0] = ["{ROOT}/workflow", "{ROOT}/workflow/scripts"]
from engine.watching import Watching

watching = Watching(workflow, SimpleNamespace(run_here=[], planned=None), local=True)
steps = config.get("steps", "good")


rule all:
    input:
        expand("made/{{name}}_{{number}}", name=steps.split("-"), number=range(int(config.get("each", 2)))),


rule good:
    output:
        "made/good_{{number}}",
    log:
        "logs/good_{{number}}.log",
    shell:
        "echo '12:00:00 beware of {{wildcards.number}}' >&2; echo said by {{wildcards.number}};"
        " sleep {{config[pause]}}; touch {{output}}"


rule bad:
    output:
        "made/bad_{{number}}",
    log:
        "logs/bad_{{number}}.log",
    shell:
        "echo '12:00:00 error: disk {{wildcards.number}} is full; free some' >{{log}}; exit 3"


rule slow:
    output:
        "made/slow_{{number}}",
    log:
        "logs/slow_{{number}}.log",
    shell:
        "touch slow_{{wildcards.number}}.started; while kill -0 $PPID; do sleep 0.2; done"


onstart:
    watching.start()


onsuccess:
    watching.finish()


onerror:
    watching.stop()
"""
BRIEF = ("--quiet", "rules", "host", "reason", "progress")


def environment(**variables):
    return {key: value for key, value in warm_environment().items() if key not in ("NO_COLOR", "COLUMNS")} | variables


class Seen:
    """A program in a terminal until it ends.

    Attributes:
        raw: all that it printed.
        shots: the lines of the terminal after each of its writes.
        screen: the terminal in the end.
        code: how it ended.
        process: its number.
    """

    def __init__(self, command, folder, rows=30, columns=100, during=None, **variables):
        process, terminal = pty.fork()
        self.process = process
        if not process:
            try:
                os.chdir(folder)
                os.execvpe(command[0], command, environment(TERM="xterm-256color", **variables))
            finally:
                os._exit(127)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen, self.raw, self.shots = pyte.HistoryScreen(columns, rows, history=5000), b"", []
        stream, end = pyte.ByteStream(self.screen), time.monotonic() + LONGEST
        while time.monotonic() < end:
            if during and during(self):
                os.write(terminal, b"\x03")
                during = None
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    read = os.read(terminal, 65_536)
                except OSError:  # Linux's word for the end
                    break
                if not read:
                    break
                self.raw += read
                stream.feed(read)
                self.shots.append([line.rstrip() for line in self.screen.display])
        else:
            os.kill(process, signal.SIGKILL)
        os.close(terminal)
        self.code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

    @property
    def lines(self):
        """All lines of the terminal in the end, also those that were scrolled out of it."""
        history = ["".join(line[number].data for number in sorted(line)) for line in self.screen.history.top]
        return [line.rstrip() for line in [*history, *self.screen.display]]

    @property
    def text(self):
        """The same as one text, without the ends of lines that the width made."""
        return "".join(line.ljust(self.screen.columns) for line in self.lines)


@pytest.fixture
def small(tmp_path):
    """The folder of the small workflow."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    return tmp_path


def small_command(*options, steps="good", each=2, pause=0, brief=True):
    words = ["-s", "Snakefile", "-c1", "-k", "--scheduler", "greedy", "--show-failed-logs", *options]
    words += [*(BRIEF if brief else ()), "--config", f"steps={steps}", f"each={each}", f"pause={pause}"]
    return [warm_python(), snakemake_script(), *words]


def piped(command, folder, **variables):
    """The finished process of a command without a terminal; errors and the rest in one output."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "timeout": LONGEST}
    return subprocess.run(command, cwd=folder, env=environment(**variables), **options)


def study_command(folder: Path, *targets):
    tiny = ROOT / "tests/workflow/tiny.yaml"
    words = [*targets, "-s", ROOT / "Snakefile", "-c1", *BRIEF, "--directory", folder, "--configfile", tiny]
    return list(map(str, [warm_python(), snakemake_script(), *words]))
