"""Fetching over HTTP without a server, by hand: what is asked for, what an answer leads to, and when it is given up."""

import gzip
import json
from types import SimpleNamespace

import pytest
import requests
from data_helpers import refused_as

from apr.data.sources import web
from apr.data.sources.web_answers import Interrupted, State, Unavailable

ADDRESS = "http://there/data.bin"
PLAIN = {"Accept-Encoding": "identity", "User-Agent": "aprbench"}


@pytest.fixture
def kept(tmp_path):
    return web._Partial(tmp_path / "data.bin.partial")


def holding(kept, data, address=ADDRESS, validator='"one"', total=None):
    kept.path.write_bytes(data)
    kept.set_state(State(address, validator, total))


def answer(body=b"", status=200, **headers):
    made = requests.Response()
    made.status_code, made.reason = status, "so"
    made.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    pieces = [body] if body else []
    made.raw = SimpleNamespace(read1=lambda size, decode_content: pieces.pop(0) if pieces else b"", close=lambda: None)
    return made


def attempt(monkeypatch, kept, *answers, declared=None):
    """What an attempt returns, and the headers of each question."""
    asked, waiting = [], list(answers)

    def ask(address, headers, pace):
        assert address == ADDRESS
        asked.append(dict(headers))
        return waiting.pop(0)

    monkeypatch.setattr(web, "ask", ask)
    return web._attempt(ADDRESS, kept, "data.bin", declared), asked


def test_a_new_file_is_asked_for_whole(monkeypatch, kept):
    kept.set_state(State(ADDRESS, '"one"', 5))
    found = attempt(monkeypatch, kept, answer(b"12345", Content_Length="5", ETag='"one"'))
    assert found == ("", [PLAIN])  # also where a note was left without its part
    assert kept.path.read_bytes() == b"12345"
    assert json.loads(kept.note.read_text()) == {"address": ADDRESS, "validator": '"one"', "total": 5}


@pytest.mark.parametrize(
    ("state", "resumed"), [({}, True), ({"validator": ""}, False), ({"address": "http://other"}, False)]
)
def test_what_is_there_is_gone_on_from_where_its_file_is_known(monkeypatch, kept, state, resumed):
    holding(kept, b"123", **state)
    rest = answer(b"45", 206, Content_Range="bytes 3-4/5", ETag='"one"')
    _, asked = attempt(monkeypatch, kept, rest if resumed else answer(b"12345", Content_Length="5"))
    assert asked == [PLAIN | ({"Range": "bytes=3-", "If-Range": '"one"'} if resumed else {})]
    assert kept.path.read_bytes() == b"12345"


@pytest.mark.parametrize(("status", "again"), [(399, 0), (400, 1), (403, 1), (404, 0), (410, 0), (416, 0), (503, 0)])
def test_where_the_range_may_be_refused_all_is_asked_for(monkeypatch, kept, caplog, status, again):
    holding(kept, b"123")
    answers = [answer(status=status), answer(b"12345", Content_Length="5")]
    if again:
        assert attempt(monkeypatch, kept, *answers)[1][1:] == [PLAIN]
        assert (kept.path.read_bytes(), caplog.messages) == (b"12345", [])
        return
    words = {503: "HTTP status 503", 416: "the part that is there does not fit the server's file; starting again"}
    with pytest.raises((Interrupted, Unavailable)) as caught:
        attempt(monkeypatch, kept, *answers)
    assert str(caught.value) == words.get(status, f"HTTP status {status} so")


def test_a_part_that_is_all_is_taken(monkeypatch, kept):
    holding(kept, b"123", total=3)
    ends = answer(status=416, Content_Range="bytes */3", ETag='"one"', Content_Encoding="br")
    assert attempt(monkeypatch, kept, ends)[0] == ""
    assert kept.path.read_bytes() == b"123"


def test_a_server_that_begins_anew_is_said(monkeypatch, kept, caplog):
    holding(kept, b"123")
    attempt(monkeypatch, kept, answer(b"abc"))
    assert kept.path.read_bytes() == b"abc"
    assert caplog.messages == [
        "data.bin: the server does not continue where it stopped, or has a new file; from the start",
        "data.bin: the server does not say how long it is; nothing tells whether it is whole",
    ]
    assert attempt(monkeypatch, kept, answer())[0] == ""  # of an unknown length, and empty
    caplog.clear()
    attempt(monkeypatch, kept, answer(b"abc"), declared=3)
    attempt(monkeypatch, kept, answer(b"abc", Transfer_Encoding="chunked"))
    attempt(monkeypatch, kept, answer(b"abc", Content_Length="3", Content_Encoding="Identity "))
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("made", "declared", "error", "words"),
    [
        (answer(b"123", Content_Length="5"), None, Interrupted, "3 of 5 bytes came"),
        (
            answer(b"12345", Content_Length="3"),
            None,
            Interrupted,
            "5 bytes came where 3 were announced; starting again",
        ),
        (answer(b"123"), 5, Interrupted, "3 of 5 bytes came, and the server did not say that this is all"),
        (
            answer(b"1", Content_Encoding="br"),
            None,
            Unavailable,
            "it comes in the encoding 'br', which was not asked for",
        ),
        (answer(status=404), None, Unavailable, "HTTP status 404 so"),
        (
            answer(b"1", 206, Content_Range="x"),
            None,
            Interrupted,
            "it sent a part of the file (x) that was not asked for; starting again",
        ),
    ],
)
def test_answers_that_bring_less_or_more_than_the_file(monkeypatch, kept, made, declared, error, words):
    with pytest.raises(error) as caught:
        attempt(monkeypatch, kept, made, declared=declared)
    assert str(caught.value) == words
    assert kept.path.exists() == ("of 5" in words)


def test_a_part_of_a_longer_file_is_not_all(monkeypatch, kept):
    holding(kept, b"123", total=9)
    with pytest.raises(Interrupted, match=r"^5 of 9 bytes came$"):
        attempt(monkeypatch, kept, answer(b"45", 206, Content_Range="bytes 3-4/9", ETag='"one"'))
    assert kept.path.read_bytes() == b"12345"


TOO_LONG = "are declared, so that it was not fetched further; correct the address, or `bytes` in the file's entry"


def test_no_more_comes_than_is_declared_or_gzip_may_add(monkeypatch, kept):
    attempt(monkeypatch, kept, answer(bytes(5), Content_Length="5"), declared=5)
    for made in (answer(Content_Length="6"), answer(bytes(6))):
        with refused_as(f"data.bin: has at least 6 bytes, but 5 {TOO_LONG}"):
            attempt(monkeypatch, kept, made, declared=5)
    most = 512 + 2 + 65_536
    for encoding in ("gzip", "x-gzip"):
        found = attempt(monkeypatch, kept, answer(bytes(most), Content_Encoding=encoding, ETag="x"), declared=512)
        assert found[0] == encoding
        assert kept.state() == State(ADDRESS, "", None)
    with refused_as(f"data.bin: has at least 66,051 bytes, but 512 {TOO_LONG}"):
        attempt(monkeypatch, kept, answer(bytes(most + 1), Content_Encoding="gzip"), declared=512)
    assert not kept.path.exists()


def test_room_is_needed_for_what_is_still_to_come(monkeypatch, kept):
    monkeypatch.setattr(web.shutil, "disk_usage", lambda place: SimpleNamespace(free=2))
    holding(kept, b"123")
    attempt(monkeypatch, kept, answer(b"45", 206, Content_Range="bytes 3-4/5", ETag='"one"'))
    with refused_as(f"{kept.path}: needs 3 bytes, 2 are free: free some space, or point --directory elsewhere"):
        attempt(monkeypatch, kept, answer(b"123", Content_Length="3"))


def fetch(monkeypatch, kept, tmp_path, attempts):
    """The waits of a fetch whose attempts grow the part to such sizes and end with such errors."""
    waits, left = [], list(attempts)

    def act(*_):
        size, error = left.pop(0)
        kept.path.write_bytes(bytes(size))
        if error:
            raise error
        return ""

    monkeypatch.setattr(web, "_attempt", act)
    web.fetch_web(ADDRESS, kept.path, tmp_path / "part", name="data.bin", sleep=waits.append)
    return waits


def test_an_attempt_that_brought_a_minute_of_the_slowest_does_not_count(monkeypatch, kept, tmp_path, caplog):
    minute = 1024 * 60
    sizes = [0, minute - 1, 2 * minute - 1, 2 * minute, 2 * minute, 0]
    attempts = [
        (size, Interrupted(f"cut {size}", wait)) for size, wait in zip(sizes, (0, 0, 0, 9, 301, 300), strict=True)
    ]
    assert fetch(monkeypatch, kept, tmp_path, [*attempts[:5], (7, None)]) == [1, 2, 1, 9, 300]
    assert (tmp_path / "part").stat().st_size == 7
    assert caplog.messages[:2] == [
        "data.bin: interrupted (cut 0); attempt 2 of 5 follows in 1 s",
        "data.bin: interrupted (cut 61439); attempt 3 of 5 follows in 2 s",
    ]
    with pytest.raises(Unavailable, match=r"^5 attempts failed, the last with: cut 0$"):
        fetch(monkeypatch, kept, tmp_path, [attempts[0]] * 5)
    assert not kept.path.exists()


@pytest.mark.parametrize(("validator", "stays"), [('"one"', True), ("", False)])
def test_what_came_stays_where_its_file_can_be_told_later(monkeypatch, kept, tmp_path, validator, stays):
    kept.set_state(State(ADDRESS, validator))
    with pytest.raises(Unavailable):
        fetch(monkeypatch, kept, tmp_path, [(3, Unavailable("gone"))])
    assert (kept.path.exists(), kept.note.exists()) == (stays, stays)


def watched(monkeypatch, sizes, clock, done=0, total=None):
    """Chunks of such sizes that come while a clock shows such times."""
    chunks, renewed = [bytes(size) for size in sizes], []
    monkeypatch.setattr(web, "time", SimpleNamespace(monotonic=iter(clock).__next__))
    raw = SimpleNamespace(read1=lambda size, decode_content: chunks.pop(0) if chunks and not decode_content else b"")
    pace = SimpleNamespace(renew=lambda: renewed.append(1))
    found = [len(chunk) for chunk in web._watched(SimpleNamespace(raw=raw), pace, "data.bin", done, total)]
    assert len(renewed) == len(sizes) + 1
    return found


def test_progress_is_said_each_ten_seconds(monkeypatch, caplog):
    caplog.set_level("INFO", "apr")
    sizes, clock = [2_000_000] * 5, [100, 109, 110, 119, 120, 121]
    assert watched(monkeypatch, sizes, clock, done=6_000_000, total=1_234_500_000) == sizes
    watched(monkeypatch, [4_000_000], [0, 16])
    assert caplog.messages == [
        "data.bin: 10 of 1,234 MB, 0.4 MB/s",
        "data.bin: 14 of 1,234 MB, 0.4 MB/s",
        "data.bin: 4 MB, 0.2 MB/s",
    ]


def test_a_transfer_below_a_kilobyte_a_second_for_a_minute_is_stalled(monkeypatch):
    least = 1024 * 60
    assert watched(monkeypatch, [least, 1, least - 1, 5], [0, 60, 119, 120, 179], done=7) == [least, 1, least - 1, 5]
    with pytest.raises(Interrupted, match=r"^the transfer stalled: 61,439 bytes in 60 s$"):
        watched(monkeypatch, [least, least - 1], [0, 60, 120])


def test_a_line_that_breaks_may_be_tried_again(monkeypatch):
    def broken(size, decode_content):
        raise ConnectionResetError("cut")

    pace, read = SimpleNamespace(renew=lambda: None), SimpleNamespace(raw=SimpleNamespace(read1=broken))
    with pytest.raises(Interrupted, match=r"^cut$"):
        next(web._watched(read, pace, "data.bin", 0, None))


PACKED = gzip.compress(b"plain", mtime=0)


@pytest.mark.parametrize(
    ("data", "encoding", "name", "declared", "right", "becomes"),
    [
        (PACKED, "gzip", "a.csv", None, None, b"plain"),
        (PACKED, "gzip", "a.csv", 5, None, b"plain"),
        (PACKED, "gzip", "a.csv", len(PACKED), None, PACKED),
        (PACKED, "gzip", "a.csv", None, True, PACKED),
        (PACKED, "gzip", "a.csv", None, False, b"plain"),
        (PACKED, "gzip", "A.CSV.GZ", None, None, PACKED),
        (gzip.compress(PACKED, mtime=0), "gzip", "a.tgz", None, None, PACKED),
        (PACKED[:-9], "gzip", "a.gzip", None, None, PACKED[:-9]),
        (PACKED, "", "a.csv", None, None, PACKED),
    ],
)
def test_an_encoding_is_undone_unless_the_file_is_meant(kept, tmp_path, data, encoding, name, declared, right, becomes):
    kept.path.write_bytes(data)
    kept.set_state(State())
    is_right = None if right is None else lambda path: right
    web._finish(kept, tmp_path / "part", encoding, name, declared, is_right)
    assert (tmp_path / "part").read_bytes() == becomes
    assert not kept.path.exists()
    assert not kept.note.exists()


def test_an_encoding_that_is_damaged_or_too_long_is_refused(kept, tmp_path, monkeypatch):
    kept.path.write_bytes(PACKED[:-4])
    with pytest.raises(Unavailable, match=r"^the gzip encoding that it came in is damaged \(.*\)$"):
        web._finish(kept, tmp_path / "part", "gzip", "a.csv", None, None)
    kept.path.write_bytes(PACKED)
    with refused_as(f"a.csv: has at least 5 bytes, but 4 {TOO_LONG}"):
        web._finish(kept, tmp_path / "part", "gzip", "a.csv", 4, None)
    with refused_as(f"a.csv: has at least {len(PACKED)} bytes, but 4 {TOO_LONG}"):
        web._finish(kept, tmp_path / "part", "", "a.csv", 4, None)
    monkeypatch.setattr(web, "allowed_bytes", lambda size: 4 if size == len(PACKED) else 9)
    with refused_as(f"a.csv: has at least 5 bytes, but 4 {TOO_LONG}"):
        web._finish(kept, tmp_path / "part", "gzip", "a.csv", None, None)
