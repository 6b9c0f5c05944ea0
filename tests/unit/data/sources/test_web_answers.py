"""What an answer says, by hand: which refusals may pass, and which parts fit."""

import email.utils
import time

import pytest
import requests

from apr.basics.problems import Problem
from apr.data.sources import download, web_answers
from apr.data.sources.web_answers import Interrupted, State, Unavailable, is_complete, misfit, number, refuse_failure

PASSING = {202, 408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524}


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
    with pytest.raises(Interrupted if status in PASSING else Unavailable, match=f"HTTP status {status}"):
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
        ({"Content_Range": "bytes 5-9/10", "ETag": "x", "Content_Length": "4"}, 5, State("", "x"), "from 5 on were"),
        ({"Content_Range": "bytes 5-5/6", "ETag": "x"}, 5, State("", "x"), None),
        ({"Content_Range": "bytes 4-9/10", "ETag": "x"}, 5, State("", "x"), "from 5 on were asked for"),
        ({"Content_Range": "bytes 5-10/10", "ETag": "x"}, 5, State("", "x"), "from 5 on were asked for"),
        ({"Content_Range": "bytes 5-4/10", "ETag": "x"}, 5, State("", "x"), "from 5 on were asked for"),
        ({"Content_Range": "bytes 5-9/*", "ETag": "x"}, 5, State("", "x"), "whose range is not clear"),
        ({"Content_Range": "bytes 5-9/10", "ETag": "y"}, 5, State("", "x", 10), "its file has changed"),
        ({"Content_Range": "bytes 5-9/10", "ETag": "x"}, 5, State("", "x", 11), "its file has changed"),
        ({"Content_Range": "bytes 0-9/10"}, 0, State(), r"part of the file \(bytes 0-9/10\) that was not asked for"),
        ({}, 0, State(), "without its range"),
    ],
)
def test_a_part_has_to_be_the_one_that_was_asked_for(headers, start, before, words):
    found = misfit(answer(**headers), before, start, "")
    if words is None:
        assert found is None
    else:
        with pytest.raises(ValueError, match=words):
            raise ValueError(found)
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


def test_all_addresses_that_failed_are_named(tmp_path, monkeypatch):
    def fetch(address, *_):
        raise Problem("a: is HTML") if address == "first" else Unavailable("HTTP status 404")

    monkeypatch.setattr(download, "_fetch", fetch)
    words = r"x: could not be fetched\. a: is HTML; second: HTTP status 404\. Check the address"
    with pytest.raises(Problem, match=words):
        download._from_first(["first", "second"], {"name": "x"}, tmp_path / "x", tmp_path, time.sleep, None)
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
