"""A screen takes a terminal, shows above its block what anybody prints, and gives the terminal back as it was."""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios

import pyte
import pytest

from study import ROOT

SCRIPT = """if True:
    import json, os, subprocess, sys
    from apr.watch.steps import Counted, Call
    from apr.watch.progress import State
    from engine.screen import Screen
    heard, kept = [], [os.fstat(number).st_rdev for number in (0, 1, 2)]
    before = len(os.listdir("/proc/self/fd"))
    screen = Screen(heard.append)
    screen.open()
    print("printed", flush=True)
    subprocess.run(["sh", "-c", "echo of a job; echo beside >&2; printf 'no end'"])
    screen.say("\\x1b[31msaid\\x1b[0m [b]" + "x" * 50)
    call = Call({("data", ""): Counted(7, 2)})
    screen.show(State(10.0, 0.0, {}, {}, None, None, "unknown", call))
    screen._live.refresh()
    inside = [os.isatty(number) for number in (0, 1, 2)]
    ends = [screen.close(), screen.close()]
    same = kept == [os.fstat(number).st_rdev for number in (0, 1, 2)]
    left = len(os.listdir("/proc/self/fd")) - before
    open(sys.argv[1], "w").write(json.dumps([heard, inside, ends, same, left]))
    print("after")
"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """What the script reports, all that it wrote, and the terminal in the end."""
    folder = tmp_path_factory.mktemp("drawn")
    process, terminal = pty.fork()
    if not process:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))  # before it is asked for
        paths = os.pathsep.join(map(str, [ROOT / "workflow", ROOT / "workflow/scripts"]))
        words = [sys.executable, "-c", SCRIPT, str(folder / "told")]
        unsized = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")}
        os.execve(sys.executable, words, unsized | {"PYTHONPATH": paths, "TERM": "xterm"})
    raw = b""
    while select.select([terminal], [], [], 1800)[0]:
        try:
            raw += os.read(terminal, 65_536)
        except OSError:  # Linux's word for the end
            break
    os.close(terminal)
    assert os.waitpid(process, 0)[1] == 0, raw.decode()
    screen = pyte.Screen(60, 24)
    pyte.ByteStream(screen).feed(raw)
    return json.loads((folder / "told").read_text()), raw, [line.rstrip() for line in screen.display if line.strip()]


def test_what_anybody_prints_is_heard_and_stays(drawn):
    (heard, *_), raw, lines = drawn
    assert sorted(heard) == ["beside", "no end", "of a job", "printed"]
    for words in ("printed", "of a job", "beside", "no end", "after"):
        assert words in lines
    assert "said [b]" + "x" * 50 in lines
    assert b"\x1b[31msaid" in raw


def test_the_block_is_drawn_and_goes(drawn):
    _, raw, lines = drawn
    assert "2 of 7 steps done (28 %) · 10 s so far".encode() in raw
    assert not any("steps done" in line for line in lines)
    assert b"\x1b[?25l" not in raw  # the cursor is never hidden


def test_the_terminal_is_as_it_was(drawn):
    (_, inside, ends, same, left), *_ = drawn
    assert inside == [True, False, False]
    assert ends == [True, False]
    assert same
    assert left == 0  # handles
