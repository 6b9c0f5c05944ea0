"""Downloads from servers that misbehave: the right bytes or a Problem, never wrong bytes."""

import email.utils
import gzip
import hashlib
import json
import logging
import socket
import time

import pytest
from downloads import DATA, HALF, fetch, left
from misbehaving_server import Answer

from apr.basics.problems import Problem
from apr.data.sources import web, web_answers
from apr.data.sources.download import download

RESUMED_WRONGLY = {
    "later start": lambda answer: answer.part(HALF + 1, length=HALF - 1),
    "earlier start": lambda answer: answer.part(HALF - 1),
    "start that is not its own": lambda answer: answer.part(body=DATA[HALF + 5 :], length=HALF - 5),
    "another total": lambda answer: answer.part(total=len(DATA) + 7),
    "no total": lambda answer: answer.part(says=f"bytes {HALF}-{len(DATA) - 1}/*"),
    "no range": lambda answer: answer.part(says=None),
    "garbled range": lambda answer: answer.part(says="bytes all"),
    "end behind the total": lambda answer: answer.part(says=f"bytes {HALF}-{len(DATA) + 3}/{len(DATA)}"),
    "end before the start": lambda answer: answer.part(says=f"bytes {HALF}-5/{len(DATA)}"),
    "another version": lambda answer: answer.part(ETag='"two"'),
    "no version": lambda answer: answer.part(ETag=None),
    "compressed": lambda answer: answer.part(Content_Encoding="gzip"),
    "416": lambda answer: answer.send(b"", 416, Content_Range=f"bytes */{HALF}", ETag='"two"'),
    "416 without a word": lambda answer: answer.send(b"", 416),
    "all of it": lambda answer: answer.send(DATA),
}


@pytest.mark.parametrize("fault", RESUMED_WRONGLY)
@pytest.mark.parametrize("later", [False, True], ids=["same call", "later call"])
def test_a_part_that_was_not_asked_for_does_not_count(server, tmp_path, fault, later):
    target = tmp_path / "data.bin"
    server.plan = ["cut", *([404] if later else []), RESUMED_WRONGLY[fault]]
    if later:
        with pytest.raises(Problem, match="404"):
            fetch(server, target)
        assert (tmp_path / "data.bin.partial").stat().st_size == HALF
    fetch(server, target)
    assert target.read_bytes() == DATA
    assert left(tmp_path) == ["data.bin"]


@pytest.mark.parametrize("fault", ["unasked_part", lambda answer: answer.part(0)])
def test_a_part_of_what_nobody_asked_for_is_refused(server, tmp_path, fault):
    server.plan = [fault] * 9
    with pytest.raises(Problem, match=r"part of the file \(bytes 0-.*\) that was not asked for"):
        fetch(server, tmp_path / "data.bin")
    assert left(tmp_path) == []
    server.plan = [fault]
    fetch(server, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == DATA


def test_a_shorter_range_is_gone_on_from(server, tmp_path):
    server.plan = ["cut", lambda answer: answer.part(end=HALF + 1000)]
    fetch(server, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert server.requests[2][1]["Range"] == f"bytes={HALF + 1000}-"


@pytest.mark.parametrize("how", ["etag", "modified", "length"])
def test_a_file_that_changes_between_attempts_starts_anew(server, tmp_path, how):
    server.modified = "Mon, 01 Jan 2024 00:00:00 GMT"
    if how != "etag":
        server.etag = None

    def changed(answer):
        server.files["/data.bin"] = DATA[::-1] if how != "length" else DATA + DATA[::-1]
        if how == "etag":
            server.etag = '"two"'
        if how == "modified":
            server.modified = "Tue, 02 Jan 2024 00:00:00 GMT"
        answer = Answer(answer.handler, server, server.files["/data.bin"])
        answer.well()

    server.plan = ["cut", changed]
    fetch(server, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == server.files["/data.bin"]


def test_what_came_from_another_address_is_not_gone_on_from(server, tmp_path):
    server.files["/mirror/data.bin"] = DATA[::-1]
    server.plan = ["cut", 404, None]
    entry = {"name": "data.bin", "url": f"{server.address}/data.bin"}
    download(entry, tmp_path / "data.bin", root=tmp_path, mirror=f"{server.address}/mirror", sleep=lambda seconds: None)
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert "Range" not in server.requests[-1][1]


def test_what_is_complete_but_for_its_name_is_not_fetched_again(server, tmp_path):
    (tmp_path / "data.bin.partial").write_bytes(DATA)
    state = {"address": f"{server.address}/data.bin", "validator": '"one"', "total": len(DATA)}
    (tmp_path / "data.bin.partial.json").write_text(json.dumps(state))
    server.plan = [lambda answer: answer.send(b"", 416, Content_Range=f"bytes */{len(DATA)}")]
    fetch(server, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert len(server.requests) == 1


@pytest.mark.parametrize("note", ["", "{", "[1]", '{"address": "x", "other": 1}', None])
def test_a_note_that_says_nothing_starts_anew(server, tmp_path, note):
    (tmp_path / "data.bin.partial").write_bytes(b"x" * 100)
    if note is not None:
        (tmp_path / "data.bin.partial.json").write_text(note)
    fetch(server, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert left(tmp_path) == ["data.bin"]


def test_an_encoding_that_nobody_asked_for_is_undone(server, tmp_path):
    server.plan = ["encoded"]
    fetch(server, tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_bytes() == b"a,b\n" * 1000


@pytest.mark.parametrize("fault", ["labelled", "encoded"])
def test_a_gzip_file_stays_one(server, tmp_path, fault):
    server.plan = [fault]
    fetch(server, tmp_path / "labels.gz")
    assert (tmp_path / "labels.gz").read_bytes() == server.files["/labels.gz"]


def test_the_digest_tells_what_an_encoding_means(server, tmp_path):
    server.plan = ["labelled"]
    packed = server.files["/labels.gz"]
    fetch(server, tmp_path / "labels", url=f"{server.address}/labels.gz", sha256=hashlib.sha256(packed).hexdigest())
    assert (tmp_path / "labels").read_bytes() == packed


def test_an_encoding_that_is_not_known_or_broken_is_refused(server, tmp_path):
    server.plan = [lambda answer: answer.send(DATA, Content_Encoding="br")]
    with pytest.raises(Problem, match="the encoding 'br', which was not asked for"):
        fetch(server, tmp_path / "data.bin")
    server.plan = [lambda answer: answer.send(gzip.compress(DATA)[:-90], Content_Encoding="gzip")]
    with pytest.raises(Problem, match="gzip encoding that it came in is damaged"):
        fetch(server, tmp_path / "data.bin")
    server.plan = [lambda answer: answer.send(gzip.compress(bytes(1 << 20)), Content_Encoding="gzip")]
    with pytest.raises(Problem, match="500 are declared"):
        fetch(server, tmp_path / "data.bin", bytes=500)
    assert left(tmp_path) == []


def test_chunks_come_whole_or_again(server, tmp_path):
    server.plan = ["chunked_cut", "chunked"]
    fetch(server, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert len(server.requests) >= 2


def test_a_file_without_an_announced_length_is_said_to_be_unchecked(server, tmp_path, caplog):
    server.plan = [lambda answer: answer.send(DATA, length=False)]
    fetch(server, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert "does not say how long it is" in caplog.text


@pytest.mark.parametrize("fault", [lambda answer: answer.send(DATA), "endless"])
def test_no_more_is_fetched_than_declared(server, tmp_path, fault):
    server.plan = [fault]
    with pytest.raises(Problem, match=r"data\.bin: has at least [\d,]+ bytes, but 5,000 are declared.*`bytes`"):
        fetch(server, tmp_path / "data.bin", bytes=5000)
    assert left(tmp_path) == []
    assert getattr(server, "sent", 0) < 100 * len(DATA)
    (tmp_path / "source").write_bytes(DATA)
    with pytest.raises(Problem, match="5,000 are declared"):
        fetch(server, tmp_path / "data.bin", url="file:source", bytes=5000)


@pytest.mark.parametrize(
    ("text", "waited"),
    [
        ("7", 7.0),
        ("0", 1.0),
        ("100000", web.PATIENCE),
        ("soon", 1.0),
        ("-5", 1.0),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 1.0),
    ],
)
def test_retry_after_is_followed_within_bounds(server, tmp_path, text, waited):
    server.plan = [lambda answer: answer.send(b"", 429, Retry_After=text)]
    waits = []
    fetch(server, tmp_path / "data.bin", waits)
    assert waits == [waited]


def test_retry_after_may_be_a_date(server, tmp_path):
    date = email.utils.formatdate(time.time() + 100, usegmt=True)
    server.plan = [lambda answer: answer.send(b"", 503, Retry_After=date)]
    waits = []
    fetch(server, tmp_path / "data.bin", waits)
    assert 50 < waits[0] <= 100


@pytest.mark.parametrize("fault", ["trickle", "silent"])
def test_a_stalled_transfer_is_said_and_tried_again(server, tmp_path, fault, monkeypatch, caplog):
    monkeypatch.setattr(web, "WINDOW", 0.2)
    monkeypatch.setattr(web_answers, "TIMEOUT", (15, 0.5))
    server.plan = [fault]
    with caplog.at_level(logging.WARNING, "apr"):
        fetch(server, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert ("stalled: " if fault == "trickle" else "timed out") in caplog.text


def test_a_line_that_always_starves_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(web, "WINDOW", 0.1)
    server.plan = ["trickle"] * 50
    with pytest.raises(Problem, match="5 attempts failed, the last with: the transfer stalled"):
        fetch(server, tmp_path / "data.bin")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 501, 204])
def test_what_cannot_pass_is_not_asked_for_twice(server, tmp_path, status):
    server.plan = [lambda answer: answer.send(b"", status)] * 9
    waits = []
    with pytest.raises(Problem, match=f"HTTP status {status}"):
        fetch(server, tmp_path / "data.bin", waits)
    assert (len(server.requests), waits) == (1, [])


@pytest.mark.parametrize("url", ["http://", "http://[::1", "http://a b.example/x", "https://exa mple/\x00"])
def test_a_wrong_address_is_named(server, tmp_path, url):
    with pytest.raises(Problem, match=r"data\.bin: "):
        fetch(server, tmp_path / "data.bin", url=url)
    assert left(tmp_path) == []


def test_a_server_that_does_not_prove_who_it_is_is_not_asked_twice(server, tmp_path):
    waits = []
    with pytest.raises(Problem, match=r"check the address, its certificate and this machine's clock"):
        fetch(server, tmp_path / "data.bin", waits, url=server.address.replace("http:", "https:") + "/data.bin")
    assert waits == []


def test_an_unknown_host_is_asked_for_a_few_times(server, tmp_path, monkeypatch):
    def unknown(*args, **more):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    waits = []
    with pytest.raises(Problem, match="5 attempts failed"):
        fetch(server, tmp_path / "data.bin", waits, url="https://nowhere.example/data.bin")
    assert len(waits) == 4


def test_a_page_behind_a_redirect_is_set_aside(server, tmp_path):
    server.files["/login"] = b"<!-- welcome -->\n<html>log in</html>"
    server.plan = [lambda answer: answer.send(b"", 302, Location="/login")]
    with pytest.raises(Problem, match="HTML page"):
        fetch(server, tmp_path / "data.bin")
    assert left(tmp_path) == ["data.bin.rejected"]


def test_redirects_without_end_or_to_other_schemes_are_refused(server, tmp_path):
    server.plan = [lambda answer: answer.send(b"", 302, Location="/data.bin")] * 99
    with pytest.raises(Problem, match="redirects"):
        fetch(server, tmp_path / "data.bin")
    server.plan = [lambda answer: answer.send(b"", 302, Location="file:///etc/passwd")]
    with pytest.raises(Problem, match=r"data\.bin: could not be fetched"):
        fetch(server, tmp_path / "data.bin")
    assert left(tmp_path) == []


def test_a_server_that_cannot_resume_leaves_nothing(server, tmp_path):
    server.etag = None
    server.plan = ["cut", 404]
    with pytest.raises(Problem, match="404"):
        fetch(server, tmp_path / "data.bin")
    assert left(tmp_path) == []
