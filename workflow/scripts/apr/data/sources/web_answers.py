"""What a server's answer says of a file: whether it has it, which part of which version comes, and when to ask again.

The rules are RFC 9110's: a part (206) counts if it is the one that was asked for, of a file of the same validator and
length.
"""

import email.utils
import re
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urljoin

import requests
import urllib3

from apr.basics.causes import printable
from apr.data.sources.web_pace import Pace, PacedSession

REDIRECTS = 20
SHOWN = 600  # characters of a message, which a server may have written
TIMEOUT = (15, 60)  # seconds to connect, and without any byte
TRANSIENT = {202, 408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524}
RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


class Unavailable(Exception):
    """This address does not have the file, and asking again does not help."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text, SHOWN))


class Interrupted(Exception):
    """Another attempt may bring the file; `wait` is what the server asks for, in seconds."""

    def __init__(self, text: str, wait: float = 0.0) -> None:
        super().__init__(printable(text, SHOWN))
        self.wait = wait


@dataclass
class State:
    """What the server said of the file that is partly there; without a validator it is not resumed."""

    address: str = ""
    validator: str = ""
    total: int | None = None


def ask(address: str, headers: dict[str, str], pace: Pace) -> requests.Response:
    """The beginning of an answer; its body is still to be read. Bodies of redirects are not.

    Raises:
        Interrupted: there was none.
        Unavailable: there will be none: a wrong address, a server that does not prove who it is, redirects without end,
            or a body that is framed in a way which is not undone.
    """
    try:
        with PacedSession(pace) as session:
            for _ in range(REDIRECTS):
                answer = session.get(address, headers=headers, stream=True, timeout=TIMEOUT)
                target = session.location(answer)
                if not target:
                    _require_known_frame(answer)
                    return answer
                answer.close()
                address = requests.utils.requote_uri(urljoin(answer.url, target))
        raise Unavailable(f"more than {REDIRECTS} redirects")
    except requests.exceptions.SSLError as error:
        if _is_cut_handshake(error):
            raise Interrupted(str(error)) from error
        raise Unavailable(f"{error}; check the address, its certificate and this machine's clock") from error
    except (requests.ConnectionError, requests.Timeout) as error:
        raise Interrupted(str(error)) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
        raise Unavailable(str(error)) from error


def _require_known_frame(answer: requests.Response) -> None:
    """Refuse what http.client takes for a plain body, or for another length than the header says."""
    frame, length = answer.headers.get("Transfer-Encoding"), answer.headers.get("Content-Length")
    why = None
    if frame is not None and frame.lower() != "chunked":
        why = f"it comes in the transfer encoding {frame!r}, which is not read here"
    elif length is not None and (number(length) is None or frame is not None):
        why = f"it says that it is {length!r} bytes long" + (", and comes in chunks" if frame is not None else "")
    if why:
        answer.close()
        raise Unavailable(why)


def _is_cut_handshake(error: BaseException | None) -> bool:
    """Whether a connection broke while it was made safe, which may pass, as a wrong certificate does not."""
    seen = []
    while error is not None and error not in seen:
        seen.append(error)
        reason = getattr(error, "reason", None)
        inner = [one for one in (*error.args, reason) if isinstance(one, BaseException)]
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return True
        error = inner[0] if inner else error.__cause__
    return False


def refuse_failure(answer: requests.Response) -> None:
    """Go on only where the answer brings a file or a part of it.

    Raises:
        Interrupted: it may bring it later.
        Unavailable: it will not.
    """
    status = answer.status_code
    if status in TRANSIENT:
        raise Interrupted(f"HTTP status {status}", _retry_after(answer.headers.get("Retry-After", "")))
    if status not in (200, 206):
        raise Unavailable(f"HTTP status {status} {answer.reason}")


def _retry_after(text: str) -> float:
    """Seconds, of a number or a date; 0 if it is neither."""
    if text.strip().isdecimal():
        return float(text)
    with suppress(ValueError, TypeError, OverflowError):
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    return 0.0


def misfit(answer: requests.Response, before: State, start: int, encoding: str) -> str | None:
    """What is wrong with an answer that gives a part of the file."""
    text = answer.headers.get("Content-Range", "")
    if not start:
        return f"it sent a part of the file ({text or 'without its range'}) that was not asked for"
    found = RANGE.fullmatch(text)
    if not found or encoding:
        return f"it sent a part of the file whose range is not clear ({text})"
    first, last, total = map(int, found.groups())
    length = number(answer.headers.get("Content-Length"))
    if first != start or not first <= last < total or length not in (None, last + 1 - first):
        return f"it sent the bytes {text} where those from {start} on were asked for"
    if before.total not in (None, total) or validator(answer) != before.validator:
        return "its file has changed"
    return None


def is_complete(answer: requests.Response, before: State, start: int) -> bool:
    """Whether there is no more to be had, since all is there (a process was killed right before it was done)."""
    ends = answer.headers.get("Content-Range", "") == f"bytes */{start}" and before.total in (None, start)
    return ends and validator(answer) == before.validator


def validator(answer: requests.Response) -> str:
    """What tells two versions of a file apart; a weak ETag does not."""
    tag = answer.headers.get("ETag", "").strip()
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "").strip()


def number(text: str | None) -> int | None:
    """The number that a header holds, if it holds one."""
    return int(text) if text and re.fullmatch(r"\s*[0-9]{1,18}\s*", text) else None
