"""Connections on which no step takes for ever: an answer's head and each read of its body have bounds.

A socket's own timeout is renewed by every byte, so that a server could send a head one byte at a time, say "100
Continue" again and again, or never end the lines behind its last chunk.
"""

import http.client
import io
import socket
import time
from functools import partial
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

LONGEST = 60.0  # seconds that one step takes
STEP_BYTES = 4 << 20  # that one step takes off the line; a chunk of 1 MiB and what frames it are far fewer


class Pace:
    """What is left of a step."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Call before each step."""
        self.until, self.left = time.monotonic() + LONGEST, STEP_BYTES

    def seconds(self) -> float:
        """What is left, in seconds.

        Raises:
            TimeoutError: nothing.
        """
        seconds = self.until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError(f"timed out: no end of the answer's head or of its next part in {LONGEST:.0f} s")
        return seconds

    def take(self, size: int) -> None:
        """Count bytes.

        Raises:
            ConnectionError: there are too many.
        """
        self.left -= size
        if self.left < 0:
            raise ConnectionError(f"{STEP_BYTES:,} bytes came, and neither an answer nor a part of one was among them")


class PacedSession(requests.Session):
    """Follows no redirect, for which requests would read the whole body of the answer first; see `location`."""

    def __init__(self, pace: Pace) -> None:
        super().__init__()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(pace))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Say that there is none."""

    def location(self, answer: requests.Response) -> str | None:
        """Where an answer sends one on."""
        return super().get_redirect_target(answer)


class _Adapter(HTTPAdapter):
    def __init__(self, pace: Pace) -> None:
        self._pools = {
            scheme: type(f"Paced{pool.__name__}", (pool,), {"ConnectionCls": _paced(pool.ConnectionCls, pace)})
            for scheme, pool in (("http", HTTPConnectionPool), ("https", HTTPSConnectionPool))
        }
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **more)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = self._pools
        return manager


def _paced(connection: type, pace: Pace) -> type:
    return type(f"Paced{connection.__name__}", (connection,), {"response_class": staticmethod(partial(_Answer, pace))})


class _Answer(http.client.HTTPResponse):
    def __init__(self, pace: Pace, sock: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        pace.renew()
        self.fp = io.BufferedReader(_Stream(self.fp.detach(), sock, pace))


class _Stream(io.RawIOBase):
    """What comes over a socket, within what is left of the step."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, pace: Pace) -> None:
        self.raw, self.sock, self.pace, self.patience = raw, sock, pace, sock.gettimeout()

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.raw.fileno()

    def readinto(self, buffer: Any) -> int:
        left = self.pace.seconds()
        self.sock.settimeout(left if self.patience is None else min(left, self.patience))
        found = self.raw.readinto(buffer)
        self.pace.take(found)
        return found

    def close(self) -> None:
        self.raw.close()
        super().close()
