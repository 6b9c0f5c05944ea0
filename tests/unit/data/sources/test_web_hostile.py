"""Downloads from servers that want to harm: bodies without end, frames that lie, heads that never come."""

import gzip
import socket
import threading
import time

import pytest
from downloads import DATA, HALF, fetch, left

from apr.basics.problems import Problem
from apr.data.sources import web_pace


def raw(*pieces, pause=0.0, first=b"HTTP/1.1 200 OK\r\n"):
    """An answer of these bytes, sent until the other side has had enough; a function is called without end."""

    def act(answer):
        answer.handler.close_connection = True
        answer.server.sent = 0
        for piece in (first, *pieces):
            while True:
                data = piece() if callable(piece) else piece
                answer.handler.wfile.write(data)
                answer.server.sent += len(data)
                if not callable(piece) or answer.server.sent > 64 << 20:
                    break
                time.sleep(pause)

    return act


CHUNKS = b"5\r\n12345\r\n0\r\n\r\n"


@pytest.mark.parametrize("frame", ["gzip, chunked", "identity, chunked", "chunked;q=1", "chunked ", "identity", "x"])
def test_frames_that_are_not_undone_are_refused(server, tmp_path, frame):
    server.plan = [raw(f"Transfer-Encoding: {frame}\r\n\r\n".encode(), CHUNKS)]
    with pytest.raises(Problem, match="transfer encoding"):
        fetch(server, tmp_path / "data.bin")
    assert left(tmp_path) == []


def test_two_frames_are_refused(server, tmp_path):
    server.plan = [raw(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", CHUNKS)]
    with pytest.raises(Problem, match="transfer encoding"):
        fetch(server, tmp_path / "data.bin")


@pytest.mark.parametrize("length", ["1_000", "+5", "5, 7", "0x10", "-1", "5\r\nContent-Length: 9"])
def test_lengths_that_are_no_number_are_refused(server, tmp_path, length):
    server.plan = [raw(f"Content-Length: {length}\r\n\r\n".encode(), bytes(5000))] * 9
    with pytest.raises(Problem, match=r"data\.bin: could not be fetched"):
        fetch(server, tmp_path / "data.bin")
    assert left(tmp_path) == []


@pytest.mark.parametrize("length", [b"", b"Content-Length: 1000000000\r\n"], ids=["unknown", "announced"])
def test_a_compressed_body_ends_where_it_is_declared(server, tmp_path, length):
    member = gzip.compress(b"") * 5000
    server.plan = [raw(b"Content-Encoding: gzip\r\n" + length + b"\r\n", lambda: member)]
    with pytest.raises(Problem, match="5,000 are declared"):
        fetch(server, tmp_path / "data.bin", bytes=5000)
    assert server.sent < 32 << 20
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "body", [lambda: bytes(1 << 16), gzip.compress(bytes(1 << 26))], ids=["endless", "compressed bomb"]
)
def test_the_body_of_a_redirect_is_not_read(server, tmp_path, body):
    head = b"Location: /other.bin\r\nContent-Encoding: gzip\r\n\r\n"
    server.plan = [raw(head, body, first=b"HTTP/1.1 302 Found\r\n")]
    fetch(server, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert server.requests[1][0] == "/other.bin"
    assert server.sent < 32 << 20


@pytest.mark.parametrize(
    "pieces",
    [
        (b"X: ", lambda: b"a"),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n", lambda: b"X: y\r\n"),
    ],
    ids=["head", "trailers"],
)
def test_what_comes_one_byte_at_a_time_ends(server, tmp_path, monkeypatch, pieces):
    monkeypatch.setattr(web_pace, "LONGEST", 0.3)
    server.plan = [raw(*pieces, pause=0.02)]
    fetch(server, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n", b"X: y\r\n" * 1000),
    ],
    ids=["100", "trailers"],
)
def test_what_never_ends_but_comes_fast_ends(server, tmp_path, first, piece):
    server.plan = [raw(lambda: piece, first=first)]
    fetch(server, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert server.sent < 32 << 20


@pytest.mark.parametrize("status", [400, 403, 406, 412, 416, 431, 501])
def test_a_range_that_is_refused_does_not_block_the_file(server, tmp_path, status):
    def strict(answer):
        answer.send(b"", status) if "Range" in answer.handler.headers else answer.well()

    server.plan = ["cut", *[strict] * 9]
    fetch(server, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert server.requests[1][1]["Range"] == f"bytes={HALF}-"


def test_a_part_survives_what_says_nothing_of_its_range(server, tmp_path):
    server.plan = ["cut", 403, 403]
    with pytest.raises(Problem, match="403"):
        fetch(server, tmp_path / "data.bin")
    assert (tmp_path / "data.bin.partial").stat().st_size == HALF


def test_a_transfer_that_breaks_off_without_a_length_is_tried_again(server, tmp_path):
    server.plan = [lambda answer: answer.send(DATA[:5000], length=False, ETag=None)]
    fetch(server, tmp_path / "data.bin", bytes=len(DATA))
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert len(server.requests) == 2


def test_what_a_server_writes_moves_no_cursor(server, tmp_path):
    server.plan = [raw(b"Content-Length: 0\r\n\r\n", first="HTTP/1.1 404 no \x1b[31m \x07 \x85\r\n".encode("latin-1"))]
    with pytest.raises(Problem, match=r"404 no \\x1b\[31m") as caught:
        fetch(server, tmp_path / "data.bin")
    assert str(caught.value).isprintable()
    server.plan = [lambda answer: answer.part(0, says="bytes \x1b[2J" + "x" * 5000)] * 9
    with pytest.raises(Problem, match=r"\\x1b\[2J") as caught:
        fetch(server, tmp_path / "data.bin")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 2000


def test_a_proxy_is_paced_too(tmp_path, monkeypatch):
    """The answer to CONNECT is a head as well."""
    monkeypatch.setattr(web_pace, "LONGEST", 0.2)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                one, _ = listening.accept()
            except OSError:
                return
            try:
                one.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while True:
                    one.sendall(b"a")
                    time.sleep(0.02)
            except OSError:
                one.close()

    threading.Thread(target=serve, daemon=True).start()
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{listening.getsockname()[1]}")
    with pytest.raises(Problem, match="5 attempts failed"):
        fetch(None, tmp_path / "data.bin", url="https://publisher.example/data.bin")
    listening.close()
