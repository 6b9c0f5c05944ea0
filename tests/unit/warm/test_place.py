"""When two places are the same, and how what starts a script ends and says why it starts plainly."""

import copy
import os
import signal
import subprocess
import sys

import pytest

from study import ROOT

WARM = ROOT / "workflow/warm"
sys.path.insert(0, str(WARM))  # they are run by their paths
try:
    import place
    import start
finally:
    sys.path.remove(str(WARM))


def test_a_place_is_what_a_process_inherits():
    own = place.place_of_process()
    assert own == place.place_of_process()
    assert (own["folder"], own["session"], own["cores"]) == (os.getcwd(), os.getsid(0), sorted(os.sched_getaffinity(0)))
    assert own["interpreter"] == [os.path.realpath(sys.executable), os.path.dirname(sys.executable), sys.version]
    assert own["user"][:6] == [*os.getresuid(), *os.getresgid()]
    assert own["root"] == [os.stat("/").st_ino, os.stat("/").st_dev]
    assert own["priority"] == [os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)]
    assert {"Umask", "CapEff"} <= own["rights"].keys()
    assert (len(own["limits"]), len(own["namespaces"])) == (len(place.LIMITS), 7)


@pytest.mark.parametrize(
    "name", ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "TMPDIR", "PWD", "_", "PS1"]
)
def test_some_variables_are_free(monkeypatch, name):
    before = place.place_of_process()
    monkeypatch.setenv(name, "another")
    assert place.difference(before, place.place_of_process()) is None


def test_each_difference_is_told():
    own = place.place_of_process()
    assert place.difference(own, own) is None
    for key in own.keys() - {"environment"}:
        assert place.difference(own, own | {key: "another"}) == f"another {key}"
        assert place.difference(own, {name: value for name, value in own.items() if name != key}) == f"another {key}"
    for changes in ({"APR_NEW": "1"}, {"PATH": "/elsewhere"}):
        other = copy.deepcopy(own)
        other["environment"] |= changes
        said = f"another value of the variable {next(iter(changes))}"
        assert place.difference(own, other) == place.difference(other, own) == said


@pytest.mark.parametrize("code", [0, 3, 255, -signal.SIGTERM, -signal.SIGINT, -signal.SIGKILL])
def test_it_ends_as_it_is_told(code):
    script = f"import signal, sys; sys.path.insert(0, {str(WARM)!r}); import start; start.end_as({code})"
    block = "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT]);"
    done = subprocess.run([sys.executable, "-c", script.replace("import start;", f"import start; {block}")])
    assert done.returncode == code


def test_why_it_starts_plainly_stands_on_the_terminal_and_in_the_log(tmp_path, capsys):
    log = tmp_path / "logs/run.log"
    for words in (["a/train.py", "--log", str(log)], ["a/train.py", "--log"], ["a/train.py"]):
        start.say("why", words)
    assert capsys.readouterr().err == "train.py: why\n" * 3
    (line,) = log.read_text().splitlines()
    assert line[2] == line[5] == ":"
    assert line[8:] == " why"


def test_a_process_is_gone_when_its_handle_says_so():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    handle = os.pidfd_open(process.pid)
    assert not start.ended(handle)
    process.communicate(b"\n")
    assert start.ended(handle)
    os.close(handle)
