"""What a forked process takes over from who asked, how it ends, and what starts plainly."""

import errno
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from warm_modules import WARM, Gone, start

SCRIPT = """
import json, os, signal, sys, tempfile
sys.path.insert(0, {warm!r})
import server
os.environ["OLD"] = "1"
tempfile.tempdir = "/nowhere"
signal.signal(signal.SIGHUP, signal.SIG_IGN)
sys.executable = "another"
{before}
server.run({{
    "words": [{script!r}, "a", "--b"], "executable": {python!r}, "ignored": [{usr1}], "blocked": [{usr2}],
    "environment": {{"OMP_NUM_THREADS": "1", "NEW": "2"}},
}})
"""
TELLS = """
import json, os, signal, sys, tempfile
handlers = {int(one): signal.getsignal(one) for one in signal.valid_signals()}
print(json.dumps({
    "argv": sys.argv, "executable": sys.executable, "path": sys.path[0], "environment": dict(os.environ),
    "tempdir": tempfile.tempdir, "ours": [name in sys.modules for name in ("place", "start")],
    "ignored": [number for number, handler in handlers.items() if handler is signal.SIG_IGN],
    "interrupt": handlers[signal.SIGINT] is signal.default_int_handler, "lines": sys.stdout.line_buffering,
    "blocked": list(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "name": __name__,
}))
"""


def run(tmp_path, text, before=""):
    script = tmp_path / "deep" / "script.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text(text)
    more = {"before": before, "usr1": int(signal.SIGUSR1), "usr2": int(signal.SIGUSR2)}
    code = SCRIPT.format(warm=str(WARM), script=str(script), python=sys.executable, **more)
    return script, subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_what_the_fork_did_not_bring_along_is_taken_over(tmp_path):
    script, done = run(tmp_path, TELLS)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "argv": [str(script), "a", "--b"],
        "executable": sys.executable,
        "path": str(script.parent),
        "environment": {"OMP_NUM_THREADS": "1", "NEW": "2"},
        "tempdir": None,
        "ours": [False, False],
        "ignored": [signal.SIGUSR1],
        "interrupt": True,
        "lines": False,
        "blocked": [signal.SIGUSR2],
        "name": "__main__",
    }


@pytest.mark.parametrize(
    ("text", "code", "out", "err"),
    [
        ("print(1)", 0, "1\n", ""),
        ("raise SystemExit", 0, "", ""),
        ("raise SystemExit(3)", 3, "", ""),
        ("raise SystemExit(259)", 3, "", ""),
        ("raise SystemExit(False)", 0, "", ""),
        ("raise SystemExit('why')", 1, "", "why\n"),
        ("raise SystemExit('')", 1, "", "\n"),
        ("import atexit; atexit.register(print, 'last'); print('first')", 0, "first\nlast\n", ""),
        ("import threading; threading.Thread(target=print, args=['thread']).start()", 0, "thread\n", ""),
        ("import sys; sys.stdout.close()", 120, "", ""),
        ("import sys; sys.stdout.close(); sys.exit(4)", 4, "", ""),
        ("import os; os.kill(os.getpid(), 15)", -15, "", ""),
    ],
)
def test_it_ends_as_python_does(tmp_path, text, code, out, err):
    _, done = run(tmp_path, text)
    assert (done.returncode, done.stdout, done.stderr) == (code, out, err)


def test_who_is_interrupted_before_the_script_begins_says_nothing(tmp_path):
    interrupted = "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]); signal.raise_signal(signal.SIGINT)"
    _, done = run(tmp_path, "print(1)", before=interrupted)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize(("text", "code"), [("raise KeyboardInterrupt", -2), ("1 / 0", 1), ("raise GeneratorExit", 1)])
def test_what_it_does_not_catch_is_told(tmp_path, text, code):
    _, done = run(tmp_path, text)
    assert done.returncode == code
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert len(done.stderr.splitlines()) > 3


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (start.Cold("it ended"), "it ended"),
        (OSError(errno.ECONNREFUSED, "Connection refused"), "Connection refused"),
        (OSError("odd"), "odd"),
    ],
)
def test_where_there_is_no_warm_process_it_starts_plainly(monkeypatch, tmp_path, capsys, reason, said):
    ran, blocked = [], signal.pthread_sigmask(signal.SIG_BLOCK, [])

    def cold(*given):
        ran.append(given)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        raise reason

    def execute(path, words):
        ran.append((path, words, signal.pthread_sigmask(signal.SIG_BLOCK, [])))
        raise Gone

    monkeypatch.setattr(start, "run_warm", cold)
    monkeypatch.setattr(os, "execv", execute)
    monkeypatch.setattr(sys, "argv", ["start.py", "runs", "a/b.py", "--log", str(tmp_path / "logs/b.log")])
    words = sys.argv[2:]
    monkeypatch.setenv("APRBENCH_WARM_SOCKETS", "/sockets")
    with pytest.raises(Gone):
        start.main()
    assert ran == [("/sockets/runs", words, blocked), (sys.executable, [sys.executable, *words], blocked)]
    text = f"starts plainly, not from a warm process: {said}"
    assert capsys.readouterr().err == f"b.py: {text}\n"
    line = (tmp_path / "logs/b.log").read_text()
    assert time.strptime(line[:8], "%H:%M:%S")
    assert line[8:] == f" {text}\n"
    monkeypatch.delenv("APRBENCH_WARM_SOCKETS")
    with pytest.raises(Gone):
        start.main()
    assert ran[2:] == [(sys.executable, [sys.executable, *words], blocked)]
    assert capsys.readouterr().err == ""


def test_a_log_that_cannot_be_written_and_none_are_passed_over(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    start.say("x", ["a", "--log", str(tmp_path / "file/log")])
    start.say("x", ["a", "--log"])
    monkeypatch.chdir(tmp_path)
    start.say("é", ["/b/a.py", "--log", "log"])
    start.say("y", ["/b/a.py", "--log", "log"])
    assert [line[9:] for line in (tmp_path / "log").read_text().splitlines()] == ["é", "y"]
    assert capsys.readouterr().err == "a: x\na: x\na.py: é\na.py: y\n"
