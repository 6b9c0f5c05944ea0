"""A script that starts warm sees and does what it does in a process of its own."""

import json
import os
import pty
import re
import signal
import subprocess
import sys

import pytest
from warm_owner import START, is_warm

from study import ROOT

AROUND = """if True:
    import json, os, resource, signal, sys, tempfile
    mask = os.umask(0)
    limits = [resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")]
    handlers = {str(number): str(signal.getsignal(number)).split(" at ")[0] for number in signal.valid_signals()}
    about = {
        "words": sys.argv, "name": __name__, "file": __file__, "path": sys.path, "executable": sys.executable,
        "environment": dict(os.environ), "folder": os.getcwd(), "temporary": tempfile.gettempdir(),
        "mask": mask, "limits": limits, "priority": os.nice(0), "cores": sorted(os.sched_getaffinity(0)),
        "session": os.getsid(0), "group": os.getpgrp(), "user": [os.getresuid(), os.getresgid(), os.getgroups()],
        "handlers": handlers, "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "terminals": [os.isatty(number) for number in (0, 1, 2)],
        "lines": [sys.stdout.line_buffering, sys.stderr.line_buffering],
        "handles": sorted(set(os.listdir("/proc/self/fd")) - {str(os.open(".", os.O_RDONLY))})[:3],
        "threads": len(os.listdir("/proc/self/task")), "ours": sorted(set(sys.modules) & {"place", "start", "server"}),
    }
    print(json.dumps(about))
    print(sys.stdin.read(), file=sys.stderr)
"""
ENDS = {
    "": 0,
    "raise SystemExit(7)": 7,
    "raise SystemExit(256 + 3)": 3,
    "raise SystemExit(-1)": 255,
    "raise SystemExit('said')": 1,
    "raise SystemExit(None)": 0,
    "1 / 0": 1,
    "not python": 1,
    "raise KeyboardInterrupt": -signal.SIGINT,
    "import os; os._exit(9)": 9,
    "import os; os.kill(os.getpid(), 9)": -signal.SIGKILL,
    "import os; os.kill(os.getpid(), 15)": -signal.SIGTERM,
    "import os; os.kill(os.getpid(), 10)": -signal.SIGUSR1,
    "import os; os.abort()": -signal.SIGABRT,
    "import atexit; atexit.register(print, 'late'); print('early')": 0,
    "import threading; threading.Timer(0.2, print, ['late']).start(); print('early')": 0,
}


@pytest.mark.parametrize("options", [{}, {"start_new_session": False, "restore_signals": False}], ids=["", "signals"])
def test_what_is_around_a_script_is_the_same(owner, tmp_path, options):
    script = tmp_path / "script.py"
    script.write_text(AROUND)
    found = []
    for before in ([], [START, "runs"]):
        done = subprocess.run(
            [sys.executable, *before, str(script), "ä b", "--log"],
            **options,
            input="read",
            capture_output=True,
            text=True,
            env=owner.environment | {"TMPDIR": str(tmp_path)},
        )
        assert (done.returncode, done.stderr) == (0, "read\n")
        found.append(json.loads(done.stdout))
    assert found[0].pop("group") == found[1].pop("group")
    assert found[0] == found[1]


@pytest.mark.parametrize("text", ENDS, ids=str)
def test_it_ends_in_the_same_way(start, text):
    process = start(text)
    out, error = process.communicate()
    assert process.returncode == ENDS[text]
    assert "plainly" not in error
    if "late" in text:
        assert out.split() == ["early", "late"]
    if "said" in text:
        assert error == "said\n"
    if "1 / 0" in text:
        assert error.endswith("ZeroDivisionError: division by zero\n")
        assert '"' + process.args[-1] + '", line 1, in <module>\n' in error


def test_only_what_starts_warm_was_forked(start):
    process = start("import os; print(os.getpid(), flush=True); input()", stdin=subprocess.PIPE)
    assert is_warm(int(process.stdout.readline())) == (start.way == "warm")
    process.communicate("\n")


COUNTS = """if True:
    import os, signal, time
    def got(number, frame):
        os.write(1, f"<{number}>\\n".encode())  # a print that is interrupted by another fails
        if number == 12:
            os._exit(0)
    for number in (1, 2, 3, 10, 12, 15):
        signal.signal(number, got)
    os.write(1, b"<0>\\n")
    while True:
        time.sleep(0.1)  # a signal that comes just before a pause would be told after the next alone
"""


@pytest.mark.parametrize("disposition", [signal.SIG_DFL, signal.SIG_IGN], ids=["default", "ignored before"])
def test_signals_are_handed_on_once(start, disposition):
    process = start(COUNTS, preexec_fn=lambda: signal.signal(signal.SIGQUIT, disposition))
    process.stdout.readline()
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGTERM):
        process.send_signal(number)
    assert sorted(process.stdout.readline() for _ in range(5)) == ["<10>\n", "<15>\n", "<1>\n", "<2>\n", "<3>\n"]
    process.send_signal(signal.SIGUSR2)
    assert process.communicate()[0] == "<12>\n"
    assert process.returncode == 0


def test_what_is_ignored_stays_ignored(start):
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does

    process = start("import os; print(os.getpid(), flush=True); input()", stdin=subprocess.PIPE, preexec_fn=ignore)
    process.stdout.readline()
    process.send_signal(signal.SIGHUP)
    process.communicate("\n")
    assert process.returncode == 0


def test_a_signal_that_comes_before_anything_else_is_not_lost(start):
    process = start("import time; time.sleep(1000)")
    process.send_signal(signal.SIGTERM)
    assert process.wait() == -signal.SIGTERM


TERMINAL = """if True:
    import signal, subprocess, sys
    from warm_owner import Owner
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited by all but the script
    with Owner() as owner:
        default = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        process = subprocess.Popen([sys.executable, *sys.argv[1:]], env=owner.environment, preexec_fn=default)
        print(f"<{process.pid}>", flush=True)
        sys.exit(process.wait())
"""


def read_until(terminal, numbers):
    """What was written in <> until it is so many numbers."""
    text = ""
    while len(found := re.findall(r"<(\d+)>", text)) < numbers:
        text += os.read(terminal, 10_000).decode()
    return found


@pytest.mark.parametrize("before", [[], [START, "runs"]], ids=["plain", "warm"])
def test_ctrl_c_in_a_terminal_reaches_it_once(tmp_path, before):
    counts, inner = tmp_path / "counts.py", tmp_path / "inner.py"
    counts.write_text(COUNTS)
    inner.write_text(TERMINAL)
    paths = os.pathsep.join(map(str, [ROOT / "tests/helpers/starts", ROOT / "workflow", ROOT / "workflow/scripts"]))
    process, terminal = pty.fork()
    if not process:
        words = [sys.executable, str(inner), *before, str(counts)]
        os.execve(sys.executable, words, os.environ | {"PYTHONPATH": paths})
    try:
        client = int(max(read_until(terminal, 2), key=int))
        os.write(terminal, b"\x03")
        assert read_until(terminal, 1) == ["2"]
        os.kill(client, signal.SIGUSR2)  # after what else it may have handed on
        assert read_until(terminal, 1) == ["12"]
        assert os.waitpid(process, 0)[1] == 0
    finally:
        os.close(terminal)  # ends what still runs there
