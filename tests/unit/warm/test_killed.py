"""What is killed, changed or refused: no script is lost, none runs on old code, none is another user's."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys

import pytest
from waits import wait_for
from warm_owner import LIGHT, START, Owner, alive, is_warm, parent

from engine import warm
from study import ROOT

WAITS = "import os; print(os.getpid(), flush=True); input(); print('done')"
PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}


class Started:
    """A script that waits for a line, started warm, or plainly where that cannot be."""

    def __init__(self, owner, folder, text=WAITS, words=(), python=sys.executable, **options):
        script = folder / "script.py"
        script.write_text(text)
        options = PIPES | {"env": owner.environment} | options
        self.client = subprocess.Popen([python, START, "runs", str(script), *words], **options)

    def begun(self):
        self.pid = int(self.client.stdout.readline())
        return self

    def end(self):
        """Its last line, and what it said."""
        out, said = self.client.communicate("\n")
        return out, said

    @property
    def server(self):
        return parent(parent(self.pid))


@pytest.fixture
def owner():
    with Owner() as one:
        yield one


def gone(*pids):
    return lambda: not any(map(alive, pids))


def test_a_killed_client_takes_its_script_with_it(owner, tmp_path):
    started = Started(owner, tmp_path).begun()
    supervisor = parent(started.pid)
    started.client.kill()
    wait_for(gone(started.pid, supervisor), what="the script ends")
    assert started.client.wait() == -signal.SIGKILL


def test_a_killed_script_ends_its_client_in_the_same_way(owner, tmp_path):
    started = Started(owner, tmp_path).begun()
    os.kill(started.pid, signal.SIGKILL)
    assert started.client.wait() == -signal.SIGKILL


def test_a_killed_warm_process_costs_nothing_that_runs_and_the_next_gets_another(owner, tmp_path):
    first = Started(owner, tmp_path).begun()
    server = first.server
    os.kill(server, signal.SIGKILL)
    wait_for(gone(server), what="the warm process ends")
    second = Started(owner, tmp_path).begun()
    assert is_warm(second.pid)
    assert second.server != server
    assert [first.end(), second.end()] == [("done\n", "")] * 2
    assert len(owner.servers()) == 2


def test_of_a_killed_supervisor_the_script_dies_and_starts_plainly(owner, tmp_path):
    log = tmp_path / "logs/a.log"
    started = Started(owner, tmp_path, words=["--log", str(log)]).begun()
    warm_one = started.pid
    os.kill(parent(warm_one), signal.SIGKILL)
    started.begun()
    assert not alive(warm_one)
    assert started.pid == started.client.pid
    out, said = started.end()
    assert out == "done\n"
    assert "script.py: starts plainly, not from a warm process: the process that watched over it was killed" in said
    assert "starts plainly" in log.read_text()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_owner_ends_the_warm_process_and_not_what_runs(owner, tmp_path, number):
    started = Started(owner, tmp_path).begun()
    server = started.server
    owner.process.send_signal(number)
    wait_for(gone(server), what="the warm process ends")
    wait_for(lambda: not owner.folder.exists(), what="the sockets are removed")
    assert alive(started.pid)
    assert started.end() == ("done\n", "")
    late = Started(owner, tmp_path).begun()  # as of a job that outlived its Snakemake
    assert late.pid == late.client.pid
    assert "starts plainly, not from a warm process: No such file or directory" in late.end()[1]


def test_sockets_that_a_killed_owner_left_go_when_the_next_one_comes():
    first = Owner()
    first.process.kill()
    first.process.wait()
    assert first.folder.exists()
    with Owner():
        assert not first.folder.exists()


def test_an_owner_that_ends_takes_the_warm_process_and_the_sockets_with_it(owner, tmp_path):
    started = Started(owner, tmp_path).begun()
    server = started.server
    started.end()
    assert owner.stop() == ""
    assert not alive(server)
    assert not owner.folder.exists()


def test_without_a_request_there_is_no_warm_process(owner):
    assert len(owner.servers()) == 0


def changed_server(folder, lines):
    """The warm process with something changed in it."""
    file = folder / "server.py"
    text = f"import sys; sys.path[0] = {str(ROOT / 'workflow/warm')!r}\nimport server\n"
    file.write_text(f"{text}{lines}\nserver.main(sys.argv[1:])\n")
    return file


def test_an_idle_warm_process_ends_and_another_comes_when_it_is_needed(tmp_path):
    with Owner(server=changed_server(tmp_path, "server.IDLE = 0.2")) as owner:
        first = Started(owner, tmp_path).begun()
        server = first.server
        wait_for(gone(server), what="the idle process ends")
        second = Started(owner, tmp_path).begun()
        assert second.pid != second.client.pid
        assert [first.end(), second.end()] == [("done\n", "")] * 2


@pytest.mark.parametrize(
    ("library", "reason"),
    [
        ("import threading, time; threading.Thread(target=time.sleep, args=[1000], daemon=True).start()", "a thread"),
        ("import gone_for_good", "gone_for_good"),
    ],
)
def test_where_forking_is_not_possible_all_start_plainly(tmp_path, library, reason):
    (tmp_path / "library.py").write_text(library)
    paths = f"{tmp_path}:{ROOT}/workflow:{ROOT}/workflow/scripts"
    with Owner({"runs": ["library"]}, PYTHONPATH=paths) as owner:
        for _ in range(2):
            started = Started(owner, tmp_path).begun()
            assert started.pid == started.client.pid
            assert "starts plainly" in started.end()[1]
        said = owner.stop()
    assert reason in said
    assert said.count("The warm process of runs could not start") == 1


def test_code_is_never_old(owner, tmp_path):
    """Neither the script nor its modules, nor a library that was imported in the warm process."""
    library, module = tmp_path / "libs/library.py", tmp_path / "module.py"
    library.parent.mkdir()
    text = "import os, library, module; print(library.VALUE, module.VALUE, os.getpid()); VALUE = 1; print(VALUE)"
    paths = f"{library.parent}:{ROOT}/workflow:{ROOT}/workflow/scripts"
    with Owner({"runs": ["library"]}, PYTHONPATH=paths) as owner:
        for value, servers in (("1", 1), ("22", 2), ("333", 3)):
            library.write_text(f"VALUE = {value}\n")
            module.write_text(f"VALUE = {value}\n")
            started = Started(owner, tmp_path, text.replace("VALUE = 1", f"VALUE = {value}"))
            out, said = started.end()
            assert said == ""
            assert out.split()[:2] + out.split()[3:] == [value] * 3
            assert int(out.split()[2]) != started.client.pid
            assert len(owner.servers()) == servers


def limit():
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"more": {"MY_SETTING": "1"}}, "another value of the variable MY_SETTING"),
        ({"preexec_fn": limit}, "another limits"),
        ({"preexec_fn": lambda: os.nice(1)}, "another priority"),
        ({"preexec_fn": lambda: os.umask(0o77)}, "another rights"),
        ({"start_new_session": True}, "another session"),
        ({"cwd": "/"}, "another folder"),
        ({"python": "other"}, "another interpreter"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_fork_would_not_have_starts_plainly(owner, tmp_path, options, reason):
    options = dict(options)
    environment = owner.environment | options.pop("more", {})
    if "python" in options:  # as conda's environments have
        (tmp_path / "bin").mkdir()
        options["python"] = str(tmp_path / "bin/python")
        os.symlink(os.path.realpath(sys.executable), options["python"])
    Started(owner, tmp_path).end()
    started = Started(owner, tmp_path, env=environment, **options).begun()
    assert started.pid == started.client.pid
    assert f"starts plainly, not from a warm process: {reason}\n" in started.end()[1]


def test_nobody_else_can_reach_the_sockets(owner):
    about = owner.folder.stat()
    assert (about.st_uid, about.st_mode & 0o777) == (os.geteuid(), 0o700)


def test_another_user_is_refused_at_either_end(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "workflow/warm")
    import server
    import start

    ours, theirs = socket.socketpair()
    other = (1, os.geteuid() + 1, 1)
    monkeypatch.setattr(server, "peer", lambda connected: other)
    with pytest.raises(ValueError, match="another user's"):
        server.read(theirs)
    monkeypatch.setattr(start, "peer", lambda connected: other)
    monkeypatch.setattr(start.socket.socket, "connect", lambda self, path: None)
    with pytest.raises(start.Cold, match="another user's"):
        start.run_warm("nowhere", [], set())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, start.FORWARDED)
    ours.close(), theirs.close()


def test_a_request_that_is_none_ends_nobody(owner, tmp_path):
    for text in (b"", b"\0" * 7, b"\xff" * 8, (4).to_bytes(8, "big") + b"{}{}"):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(owner.folder / "runs"))
            client.sendall(text)
            client.shutdown(socket.SHUT_WR)
            assert client.makefile().read().startswith("-the request cannot be read")
    assert Started(owner, tmp_path).end()[1] == ""
    assert len(owner.servers()) == 1


def test_many_at_once_share_one_warm_process(owner, tmp_path):
    all_of_them = [Started(owner, tmp_path) for _ in range(8)]
    assert {one.begun().server for one in all_of_them} == {all_of_them[0].server}
    assert [one.end() for one in all_of_them] == [("done\n", "")] * 8
    assert len(owner.servers()) == 1


def test_libraries_have_as_many_threads_as_in_a_plain_start(tmp_path):
    found = "[[one['prefix'], one['num_threads']] for one in threadpoolctl.threadpool_info()]"
    text = f"import json, numpy, threadpoolctl; print(json.dumps({found}))"
    several = {name: "2" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    script = tmp_path / "script.py"
    script.write_text(text)
    with Owner({"runs": ["numpy"]}) as owner:
        found = [
            subprocess.run(
                [sys.executable, *before, str(script)], env=owner.environment | several, capture_output=True, text=True
            )
            for before in ([], [START, "runs"])
        ]
        assert [one.stderr for one in found] == ["", ""]
        assert json.loads(found[0].stdout) == json.loads(found[1].stdout) != []
        assert len(owner.servers()) == 1


@pytest.mark.parametrize("missing", ["pidfd_open", "sockets"])
def test_a_system_without_what_it_takes_is_told_of_and_goes_on(missing, monkeypatch, caplog, tmp_path):
    if missing == "pidfd_open":
        monkeypatch.delattr(os, "pidfd_open")
    else:
        too_long = tmp_path / ("x" * 120)
        monkeypatch.setattr(warm, "new_part", lambda *_, **__: too_long.mkdir() or too_long)
    monkeypatch.delenv("APRBENCH_WARM_SOCKETS", raising=False)
    assert not warm.WarmStarts(LIGHT).open()
    assert "APRBENCH_WARM_SOCKETS" not in os.environ
    assert "Every script starts plainly" in caplog.text
