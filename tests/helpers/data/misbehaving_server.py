"""A publisher's HTTP server that misbehaves on demand, on this machine alone."""

import gzip
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class MisbehavingServer:
    """Serves `files` (path -> bytes). `plan` holds what goes wrong, one entry a request; None goes well.

    An entry is a status, the name of a method of `Answer`, or a function that takes an `Answer`.
    """

    def __init__(self, files):
        self.files, self.plan, self.requests = dict(files), [], []
        self.ranges, self.etag, self.modified = True, '"one"', None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append((self.path, dict(self.headers)))
                fault = outer.plan.pop(0) if outer.plan else None
                data = outer.files.get(self.path)
                if isinstance(fault, int) or (data is None and not callable(fault)):
                    self.send_error(fault or 404)
                    return
                answer = Answer(self, outer, data)
                act = getattr(Answer, fault) if isinstance(fault, str) else fault or Answer.well
                with suppress(BrokenPipeError, ConnectionResetError):
                    act(answer)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()
        self.address = f"http://127.0.0.1:{self.http.server_port}"

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class Answer:
    """One answer: what was asked for, and ways to give something else."""

    def __init__(self, handler, server, data):
        self.handler, self.server, self.data = handler, server, data
        asked = handler.headers.get("Range")
        same = handler.headers.get("If-Range") in (server.etag, server.modified)
        self.start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and server.ranges and same else 0

    def send(self, body, status=200, length=None, **headers):
        """Send status, headers (underscores for dashes) and body; `length` is announced, False for none."""
        self.handler.send_response(status)
        if length is not False:
            self.handler.send_header("Content-Length", str(len(body) if length is None else length))
        own = {"ETag": self.server.etag, "Last-Modified": self.server.modified}
        for name, value in (own | {key.replace("_", "-"): value for key, value in headers.items()}).items():
            if value is not None:
                self.handler.send_header(name, str(value))
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def part(self, start=None, end=None, total=None, **more):
        """A 206 whose header may say anything."""
        start, size = self.start if start is None else start, len(self.data)
        says = more.pop("says", f"bytes {start}-{(end or size) - 1}/{total or size}")
        body = more.pop("body", self.data[start : end or size])
        self.send(body, 206, Content_Range=says, **more)

    def well(self):
        """As it should be."""
        self.part() if self.start else self.send(self.data)

    def cut(self):
        """Half of what is announced."""
        left = self.data[self.start :]
        if self.start:
            self.part(body=left[: len(self.data) // 2], length=len(left))
        else:
            self.send(left[: len(left) // 2], length=len(left))

    def unasked_part(self):
        """All but the last five bytes, as a part."""
        self.part(0, len(self.data) - 5)

    def encoded(self):
        """Compressed by the server, though nobody asked."""
        self.send(gzip.compress(self.data), Content_Encoding="gzip")

    def labelled(self):
        """A .gz file whose own kind the server calls an encoding."""
        self.send(self.data, Content_Encoding="x-gzip")

    def chunked(self):
        """In chunks, without a length."""
        self.handler.protocol_version = "HTTP/1.1"
        body = b"".join(
            f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
            for piece in (self.data[at : at + 70000] for at in range(0, len(self.data), 70000))
        )
        self.send(body + b"0\r\n\r\n", length=False, Transfer_Encoding="chunked", Connection="close")

    def chunked_cut(self):
        """In chunks, of which the last are missing."""
        self.handler.protocol_version = "HTTP/1.1"
        body = b"186a0\r\n" + self.data[:100000] + b"\r\n"
        self.send(body, length=False, Transfer_Encoding="chunked", Connection="close")

    def endless(self):
        """Never stops; counts what it could send."""
        self.send(b"", length=False)
        self.server.sent = 0
        while self.server.sent < 1 << 30:
            self.handler.wfile.write(self.data)
            self.server.sent += len(self.data)

    def trickle(self):
        """A byte now and then."""
        self.send(b"", length=len(self.data))
        for at in range(len(self.data)):
            self.handler.wfile.write(self.data[at : at + 1])
            self.handler.wfile.flush()
            time.sleep(0.02)

    def silent(self):
        """A beginning, and then nothing."""
        self.send(self.data[:10], length=len(self.data))
        time.sleep(3)
