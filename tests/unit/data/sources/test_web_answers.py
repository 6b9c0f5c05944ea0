"""What an answer says, by hand: which refusals may pass, and which parts fit."""

import email.utils
import io
import ssl
import time
from types import SimpleNamespace

import pytest
import requests
import urllib3
from data_helpers import refused_as

from apr.basics.problems import Problem
from apr.data.sources import download, web_answers, web_pace
from apr.data.sources.web_answers import Interrupted, State, Unavailable, is_complete, misfit, number, refuse_failure
from apr.data.sources.web_pace import Pace, PacedSession

PASSING = {202, 408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524}
FROM_5 = "it sent the bytes bytes {} where those from 5 on were asked for"


def answer(status=206, **headers):
    made = requests.Response()
    made.status_code = status
    made.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return made


@pytest.mark.parametrize("status", [*range(200, 211), *range(400, 430), 451, *range(499, 530)])
def test_which_refusals_may_pass(status):
    if status in (200, 206):
        refuse_failure(answer(status))
        return
    with pytest.raises(Interrupted if status in PASSING else Unavailable, match=f"^HTTP status {status}( None)?$"):
        refuse_failure(answer(status))


def test_how_long_a_server_asks_to_wait():
    assert web_answers._retry_after(" 7 ") == 7
    assert web_answers._retry_after("soon") == web_answers._retry_after("") == 0
    later = web_answers._retry_after(email.utils.formatdate(time.time() + 10_000, usegmt=True))
    assert 0 < later <= 10_000
    assert web_answers._retry_after(email.utils.formatdate(0, usegmt=True)) == 0


@pytest.mark.parametrize(
    ("headers", "start", "before", "words"),
    [
        ({"Content_Range": "bytes 5-9/10", "ETag": "x"}, 5, State("", "x", 10), None),
        ({"Content_Range": "bytes 5-9/10", "ETag": "x", "Content_Length": "5"}, 5, State("", "x"), None),
        (
            {"Content_Range": "bytes 5-9/10", "ETag": "x", "Content_Length": "4"},
            5,
            State("", "x"),
            FROM_5.format("5-9/10"),
        ),
        ({"Content_Range": "bytes 5-5/6", "ETag": "x"}, 5, State("", "x"), None),
        ({"Content_Range": "bytes 4-9/10", "ETag": "x"}, 5, State("", "x"), FROM_5.format("4-9/10")),
        ({"Content_Range": "bytes 5-10/10", "ETag": "x"}, 5, State("", "x"), FROM_5.format("5-10/10")),
        ({"Content_Range": "bytes 5-4/10", "ETag": "x"}, 5, State("", "x"), FROM_5.format("5-4/10")),
        (
            {"Content_Range": "bytes 5-9/*", "ETag": "x"},
            5,
            State("", "x"),
            "it sent a part of the file whose range is not clear (bytes 5-9/*)",
        ),
        ({"Content_Range": "bytes 5-9/10", "ETag": "y"}, 5, State("", "x", 10), "its file has changed"),
        ({"Content_Range": "bytes 5-9/10", "ETag": "x"}, 5, State("", "x", 11), "its file has changed"),
        (
            {"Content_Range": "bytes 0-9/10"},
            0,
            State(),
            "it sent a part of the file (bytes 0-9/10) that was not asked for",
        ),
        ({}, 0, State(), "it sent a part of the file (without its range) that was not asked for"),
    ],
)
def test_a_part_has_to_be_the_one_that_was_asked_for(headers, start, before, words):
    assert misfit(answer(**headers), before, start, "") == words
    assert misfit(answer(**headers), before, start, "gzip") is not None


def test_all_is_there_where_nothing_follows():
    ends = answer(416, Content_Range="bytes */10", ETag="x")
    assert is_complete(ends, State("", "x", 10), 10)
    assert is_complete(ends, State("", "x", None), 10)
    assert not is_complete(ends, State("", "x", 11), 10)
    assert not is_complete(ends, State("", "y", 10), 10)
    assert not is_complete(ends, State("", "x", 9), 9)


def test_a_weak_tag_tells_no_versions_apart():
    assert web_answers.validator(answer(ETag=' "a" ', Last_Modified="b")) == '"a"'
    assert web_answers.validator(answer(ETag='W/"a"', Last_Modified=" b ")) == "b"
    assert web_answers.validator(answer(Last_Modified="b")) == "b"
    assert (number(" 12 "), number("1" * 18), number("1" * 19), number("x"), number(None)) == (
        *(12, int("1" * 18), None, None),
        None,
    )


def test_all_addresses_that_failed_are_named(tmp_path, monkeypatch, caplog):
    def fetch(address, *_):
        raise Problem("a: is HTML") if address == "first" else Unavailable("HTTP status 404")

    monkeypatch.setattr(download, "_fetch", fetch)
    caplog.set_level("INFO", "apr")
    failed = "x: could not be fetched. a: is HTML; second: HTTP status 404."
    with refused_as(f"{failed} Check the address and the network, or set `mirror`."):
        download._from_first(["first", "second"], {"name": "x"}, tmp_path / "x", tmp_path, time.sleep, None)
    assert caplog.messages == ["a: is HTML; trying the next address", "x: not at second (HTTP status 404)"]
    by_hand = f"x: has to be fetched by hand: Log in. Put the file at {tmp_path}/x, then run again."
    with refused_as(f"{failed} {by_hand}"):
        download._from_first(["first", "second"], {"name": "x"}, tmp_path / "x", tmp_path, time.sleep, " Log in. ")
    with pytest.raises(Problem, match=r"^a: is HTML$"):
        download._from_first(["second", "first"], {"name": "x"}, tmp_path / "x", tmp_path, time.sleep, None)


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, None),
        ({"Content_Length": "0"}, None),
        ({"Transfer_Encoding": "Chunked"}, None),
        ({"Transfer_Encoding": "gzip"}, "it comes in the transfer encoding 'gzip', which is not read here"),
        ({"Content_Length": "5x"}, "it says that it is '5x' bytes long"),
        (
            {"Content_Length": "5", "Transfer_Encoding": "chunked"},
            "it says that it is '5' bytes long, and comes in chunks",
        ),
    ],
)
def test_an_answer_whose_frame_is_not_known_is_refused_and_closed(monkeypatch, headers, why):
    closed = []
    monkeypatch.setattr(requests.Response, "close", lambda self: closed.append(self))
    made = answer(**headers)
    if why is None:
        web_answers._require_known_frame(made)
        assert closed == []
        return
    with pytest.raises(Unavailable) as found:
        web_answers._require_known_frame(made)
    assert (str(found.value), closed) == (why, [made])


def asked(monkeypatch, *answers):
    """What an address that answers so leads to, and the addresses that were asked in turn."""
    places, waiting = [], list(answers)

    def get(self, address, headers, stream, timeout):
        assert (headers, stream, timeout) == ({"A": "b"}, True, (15, 60))
        places.append(address)
        one = waiting.pop(0)
        if isinstance(one, Exception):
            raise one
        one.url, one.raw = address, io.BytesIO()
        return one

    monkeypatch.setattr(web_answers.PacedSession, "get", get)
    try:
        return web_answers.ask("http://a/x", {"A": "b"}, Pace()), places
    except (Interrupted, Unavailable) as error:
        return f"{type(error).__name__}: {error}", places


def test_redirects_are_followed_twenty_times_less_one(monkeypatch):
    def on(place):
        return answer(302, Location=place)

    last = answer(200)
    found, places = asked(monkeypatch, on("/y z"), on("http://b/"), *[on("/x")] * 17, last)
    assert found is last
    assert places[:4] == ["http://a/x", "http://a/y%20z", "http://b/", "http://b/x"]
    found, places = asked(monkeypatch, *[on("/x")] * 20)
    assert (found, len(places)) == ("Unavailable: more than 20 redirects", 20)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (requests.exceptions.SSLError(ssl.SSLEOFError("cut")), "Interrupted: ('cut',)"),
        (
            requests.exceptions.SSLError("bad"),
            "Unavailable: bad; check the address, its certificate and this machine's clock",
        ),
        (requests.ConnectionError("down"), "Interrupted: down"),
        (requests.Timeout("slow"), "Interrupted: slow"),
        (requests.exceptions.InvalidURL("odd"), "Unavailable: odd"),
        (urllib3.exceptions.LocationParseError("odd"), "Unavailable: Failed to parse: odd"),
        (ValueError("odd"), "Unavailable: odd"),
    ],
)
def test_why_there_is_no_answer(monkeypatch, error, said):
    found, places = asked(monkeypatch, error)
    assert (found, places) == (said, ["http://a/x"])


def test_messages_of_servers_are_shortened():
    assert len(str(Unavailable("x" * 600))) == len(str(Interrupted("x" * 600))) == 600
    assert len(str(Unavailable("x" * 602))) == len(str(Interrupted("x" * 602))) == 601
    assert (Interrupted("x").wait, Interrupted("x", 3).wait) == (0, 3)
    with pytest.raises(Interrupted) as found:
        refuse_failure(answer(503, Retry_After="7"))
    assert found.value.wait == 7


def test_a_step_has_so_much_time_and_so_many_bytes(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(web_pace, "time", SimpleNamespace(monotonic=lambda: now[0]))
    pace = Pace()
    now[0] = 159.5
    assert pace.seconds() == 0.5
    now[0] = 160.0
    with pytest.raises(TimeoutError, match=r"^timed out: no end of the answer's head or of its next part in 60 s$"):
        pace.seconds()
    pace.take(4 << 20)
    with pytest.raises(
        ConnectionError, match=r"^4,194,304 bytes came, and neither an answer nor a part of one was among them$"
    ):
        pace.take(1)
    pace.renew()
    pace.take(1)
    assert (pace.seconds(), pace.left) == (60.0, (4 << 20) - 1)


@pytest.mark.parametrize(("patience", "waits"), [(None, 60.0), (15, 15), (90, 60.0)])
def test_a_read_waits_no_longer_than_the_step_has_left(monkeypatch, patience, waits):
    monkeypatch.setattr(web_pace, "time", SimpleNamespace(monotonic=lambda: 5.0))
    timeouts, pace = [], Pace()
    socket = SimpleNamespace(gettimeout=lambda: patience, settimeout=timeouts.append)
    raw = io.BytesIO(b"abc")
    raw.fileno = lambda: 17
    stream = web_pace._Stream(raw, socket, pace)
    buffer = bytearray(9)
    assert (stream.readinto(buffer), bytes(buffer[:4]), timeouts) == (3, b"abc\0", [waits])
    assert (pace.left, stream.readable(), stream.fileno()) == ((4 << 20) - 3, True, 17)
    stream.close()
    assert raw.closed
    assert stream.closed


def test_pools_of_addresses_and_of_proxies_are_paced():
    adapter = PacedSession(Pace()).get_adapter("https://a/x")
    names = {"http": "PacedHTTPConnectionPool", "https": "PacedHTTPSConnectionPool"}
    for manager in (adapter.poolmanager, adapter.proxy_manager_for("http://proxy:1")):
        assert {scheme: pool.__name__ for scheme, pool in manager.pool_classes_by_scheme.items()} == names
    assert adapter._pools["http"].ConnectionCls.__name__ == "PacedHTTPConnection"
