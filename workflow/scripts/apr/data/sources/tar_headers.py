"""What the headers of a tar may cost: their bytes, one by one and in all, and the time that tarfile takes for them."""

import re
import tarfile
from typing import IO

HEADER_BYTES = 2 << 20  # that the headers of one tar member take; the longest real ones hold 64 KiB of attributes
SHARED_BYTES = 1 << 16  # that the headers take which a tar gives to all of its members: each gets a copy
LONGEST_NUMBER = 256  # digits in a tar's header; tarfile takes the square of their number in time


class BoundedHeaders:
    """A stream that gives tarfile no more bytes than the headers of a member have, until it seeks or is renewed."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.left, self.within, self.total = stream, HEADER_BYTES, True, 0
        self.tell = stream.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go somewhere else, to read as much again."""
        self.left = HEADER_BYTES
        return self.stream.seek(offset, whence)

    def renew(self, within: bool = True) -> None:
        """Call after each member (one that is empty makes tarfile seek nowhere), and when its header has been read.

        Args:
            within: whether what is read next is a header, whose further blocks count in `total`.
        """
        self.left, self.within = HEADER_BYTES, within

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes.

        Raises:
            tarfile.ReadError: no header is that long, or holds such a number.
        """
        self.left -= size
        if size < 0 or self.left < 0:
            raise tarfile.ReadError(f"a header of more than {HEADER_BYTES:,} bytes")
        data = self.stream.read(size)
        if self.within and size > tarfile.BLOCKSIZE:
            self.total += len(data)
            if max(map(len, re.findall(rb"[0-9]+", data)), default=0) > LONGEST_NUMBER:
                raise tarfile.ReadError(f"a header with a number of more than {LONGEST_NUMBER} digits")
        return data
