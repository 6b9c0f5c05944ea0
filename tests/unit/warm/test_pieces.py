"""The parts of a warm start, each alone: what is read of a request, what can be forked, when it ends."""

import json
import os
import select
import signal
import socket
import sys
from types import SimpleNamespace

import pytest
from warm_modules import Gone, server, start


@pytest.fixture
def ends(monkeypatch):
    """The codes that processes would have ended with."""
    codes = []

    def leave(code):
        codes.append(code)
        raise Gone

    monkeypatch.setattr(os, "_exit", leave)
    return codes


@pytest.fixture
def pair():
    both = socket.socketpair()
    yield both
    for one in both:
        one.close()


def sent(one, head, text=b"", handles=(0, 1, 2)):
    socket.send_fds(one, [head], handles)
    one.sendall(text)
    one.shutdown(socket.SHUT_WR)


def test_a_request_is_read_with_its_three_handles(pair):
    text = json.dumps({"words": ["é"] * 99}).encode()
    sent(pair[0], len(text).to_bytes(8, "big"), text)
    request, handles = server.read(pair[1])
    assert request == {"words": ["é"] * 99}
    assert [os.fstat(one) for one in handles] == [os.fstat(one) for one in (0, 1, 2)]
    for one in handles:
        os.close(one)


@pytest.mark.parametrize(
    ("head", "text", "handles"),
    [
        ((2).to_bytes(8, "big"), b"{}", (0, 1)),
        ((3).to_bytes(8, "big"), b"{}", (0, 1, 2)),
        ((2).to_bytes(7, "big"), b"{}", (0, 1, 2)),
        ((16_000_001).to_bytes(8, "big"), b"{}", (0, 1, 2)),
    ],
)
def test_a_request_that_is_not_whole_is_refused(pair, head, text, handles):
    sent(pair[0], head, text, handles)
    with pytest.raises(ValueError, match=r"^it is not whole$"):
        server.read(pair[1])


@pytest.mark.parametrize(("length", "read"), [(16_000_000, True), (16_000_001, False)])
def test_the_largest_request_has_sixteen_million_bytes(monkeypatch, length, read):
    asked = []

    def recv(number, flags):
        asked.append((number, flags))
        return b" " * (number - 2) + b"{}"

    client = SimpleNamespace(recv=recv)
    monkeypatch.setattr(server, "peer", lambda connected: (1, os.geteuid(), 1))
    monkeypatch.setattr(server.socket, "recv_fds", lambda *given: (length.to_bytes(8, "big"), [7, 8, 9], 0, None))
    if read:
        assert server.read(client) == ({}, [7, 8, 9])
        assert asked == [(length, socket.MSG_WAITALL)]
        return
    with pytest.raises(ValueError, match="not whole"):
        server.read(client)
    assert asked == []


def test_who_is_at_the_other_end(pair):
    assert start.peer(pair[0]) == (os.getpid(), os.geteuid(), os.getegid())


@pytest.mark.parametrize(
    ("count", "limits"), [("1", []), ("", [3]), ("0x", [3]), ("2", [2]), ("3", [3]), ("4", [3]), ("-2", [3])]
)
def test_libraries_take_as_many_threads_as_there_are_cores_at_most(monkeypatch, count, limits):
    taken = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {1, 5, 7} if process == 0 else {1})
    monkeypatch.setitem(sys.modules, "threadpoolctl", SimpleNamespace(threadpool_limits=taken.append))
    server.take_threads(count)
    assert taken == limits


@pytest.mark.parametrize(
    ("tasks", "handles", "found", "said"),
    [
        (1, {"0": "/dev/null", "5": "/dev/pts/1", "6": "/tmp/dev/nvidia0"}, True, None),
        (1, {}, False, "threadpoolctl is not installed, which tells libraries how many threads they may have"),
        (2, {}, True, "a library started a thread when it was imported, which a forked process would lack"),
        (1, {"3": None, "4": "/dev/nvidia0"}, True, "a library opened /dev/nvidia0 {when}"),
        (1, {"0": "/dev/null", "4": "/dev/kfd"}, True, "a library opened /dev/kfd {when}"),
        (1, {"4": "/dev/dri/card0"}, True, "a library opened /dev/dri/card0 {when}"),
    ],
)
def test_what_cannot_be_forked_says_why(monkeypatch, tasks, handles, found, said):
    folders = {"/proc/self/task": ["1", "2"][:tasks], "/proc/self/fd": list(handles)}
    places = {f"/proc/self/fd/{name}": place for name, place in handles.items()}

    def readlink(path):
        if places[path] is None:
            raise FileNotFoundError
        return places[path]

    monkeypatch.setattr(os, "listdir", folders.__getitem__)
    monkeypatch.setattr(os, "readlink", readlink)
    monkeypatch.setattr(server.importlib.util, "find_spec", lambda name: found and name == "threadpoolctl")
    when = "when it was imported, which a forked process cannot use"
    assert server.unfit() == (said and said.format(when=when))


def test_a_file_is_another_one_by_its_number_its_time_or_its_size(tmp_path, monkeypatch):
    file, other = tmp_path / "a.py", tmp_path / "b.py"
    file.write_text("1")
    other.write_text("22")
    os.utime(file, ns=(5, 7))
    modules = {"a": SimpleNamespace(__file__=str(file)), "none": SimpleNamespace(__file__=None), "own": object()}
    monkeypatch.setattr(server.sys, "modules", modules | {"gone": SimpleNamespace(__file__=str(tmp_path / "c.py"))})
    assert server.imported() == {str(file): (file.stat().st_ino, 7, 1)}


def test_the_socket_goes_with_its_folder(tmp_path):
    folder = tmp_path / "sockets"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "runs"))
        server.remove_socket(listening)
        assert not folder.exists()
        server.remove_socket(listening)  # again, as another may have done


class Events:
    """What the process waits for, in order."""

    def __init__(self, *found):
        self.found, self.registered, self.waited = list(found), [], []

    def register(self, *given):
        self.registered.append(given)

    def poll(self, milliseconds):
        self.waited.append(milliseconds)
        return self.found.pop(0)


@pytest.fixture
def listening(tmp_path):
    (tmp_path / "sockets").mkdir()
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "sockets/runs"))
        one.listen()
        yield one


@pytest.fixture
def serving(monkeypatch, listening):
    """Serves what events there are; restores the signals."""
    before = {number: signal.getsignal(number) for number in {*server.FORWARDED, signal.SIGCHLD}}

    def serve(*found):
        events = Events(*found)
        monkeypatch.setattr(server.select, "poll", lambda: events)
        try:
            result = server.serve(listening, {"folder": "here"})
        except Gone:
            result = None
        return events, result, {number: signal.getsignal(number) for number in before}

    yield serve
    for number, handler in before.items():
        signal.signal(number, handler)


def test_it_ends_after_two_minutes_without_a_request(serving, ends, listening):
    events, _, handlers = serving([])
    assert (ends, events.waited) == ([0], [120_000.0])
    assert events.registered == [(listening, select.POLLIN), (1, 0)]
    assert os.path.exists(listening.getsockname())  # the next one listens there
    ignored = {number for number, handler in handlers.items() if handler is signal.SIG_IGN}
    assert ignored == server.FORWARDED - {signal.SIGTERM}
    assert handlers[signal.SIGCHLD] is server.reap


def test_it_ends_with_whoever_reads_of_it_and_takes_the_socket_along(serving, ends, listening):
    serving([(1, select.POLLERR)])
    assert ends == [0]
    assert not os.path.exists(os.path.dirname(listening.getsockname()))


def test_it_ends_when_what_it_has_imported_changes(serving, ends, listening, monkeypatch):
    files = iter([{"a": 1}, {"a": 1}, {"a": 2}])
    monkeypatch.setattr(server, "imported", lambda: next(files))
    events, _, _ = serving([(listening.fileno(), 1)], [(listening.fileno(), 1)])  # the first has gone again
    assert (ends, len(events.waited)) == ([0], 2)
    assert os.path.exists(listening.getsockname())


@pytest.mark.parametrize("forked", [0, 4321])
def test_each_request_has_a_process_that_watches_over_it(serving, ends, listening, monkeypatch, forked):
    said = []
    monkeypatch.setattr(os, "fork", lambda: forked)
    monkeypatch.setattr(os, "write", lambda handle, text: said.append((handle, text)))
    monkeypatch.setattr(server, "imported", dict)
    monkeypatch.setattr(server, "supervised", lambda client, place: (client.fileno() > 0, place))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(listening.getsockname())
        client.settimeout(60)
        _, result, _ = serving([(listening.fileno(), 1)], [])
        if forked:
            assert client.recv(1) == b""  # it is closed here
    assert result == (None if forked else (True, {"folder": "here"}))
    assert said == ([(1, f"{os.getpid()} 4321\n".encode())] if forked else [])
    assert listening.fileno() == (listening.fileno() if forked else -1)
    assert ends == ([0] if forked else [])


def test_all_that_have_ended_are_taken_note_of(monkeypatch):
    waits = iter([(5, 0), (6, 256), (0, 0)])
    asked = []
    monkeypatch.setattr(os, "waitpid", lambda *given: asked.append(given) or next(waits))
    server.reap(signal.SIGCHLD, None)
    assert asked == [(-1, os.WNOHANG)] * 3

    def nobody(*given):
        raise ChildProcessError

    monkeypatch.setattr(os, "waitpid", nobody)
    server.reap(signal.SIGCHLD, None)
