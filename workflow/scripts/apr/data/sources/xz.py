"""LZMA within bounds: a header says how much memory unpacking takes, up to 4 GiB, and the decoder takes it at once."""

import io
import lzma
import struct
from pathlib import Path
from typing import Any
from zipfile import ZipInfo

MEMORY = 256 << 20  # bytes; the strongest of xz's own levels takes 65 MiB
CHUNK = 1 << 16
MAGIC = b"\xfd7zXZ\x00"


def open_xz(path: Path, mode: str = "rb") -> io.BufferedReader:
    """Open an xz file for reading bytes, as `lzma.open` does; it may be sought in, which goes back to the start.

    Raises:
        lzma.LZMAError: when it is read: it is damaged, or takes more than `MEMORY`.
    """
    return io.BufferedReader(_XzStream(path))


def require_little_memory(path: Path, member: ZipInfo) -> None:
    """Look at the header of a zip's member that is compressed by LZMA; see PKWARE's APPNOTE.TXT, 5.8.

    Raises:
        lzma.LZMAError: it takes more than `MEMORY`.
        struct.error: it is cut off.
    """
    with open(path, "rb") as file:
        file.seek(member.header_offset + 26)
        file.seek(sum(struct.unpack("<HH", file.read(4))), io.SEEK_CUR)
        _, _, _, dictionary = struct.unpack("<HHBI", file.read(9))
    if dictionary > MEMORY:
        raise lzma.LZMAError(_too_much(f"{dictionary:,}"))


class _XzStream(io.RawIOBase):
    def __init__(self, path: Path) -> None:
        self._file = io.FileIO(path)
        self._begin()

    def _begin(self) -> None:
        self._file.seek(0)
        self._decoder, self._place = self._new(), 0

    def _new(self) -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, by reading up to it."""
        if whence == io.SEEK_END:
            while self.read(CHUNK):
                pass
        goal = offset + (0 if whence == io.SEEK_SET else self._place)
        if goal < self._place:
            self._begin()
        while self._place < goal and self.read(min(CHUNK, goal - self._place)):
            pass
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Unpack into a buffer.

        Raises:
            EOFError: the file is cut off.
            lzma.LZMAError: it is damaged, or takes too much memory.
        """
        data, size = b"", len(buffer)
        while size and not data:
            packed = b""
            if self._decoder.eof:
                packed = self._following()
                if not packed.startswith(MAGIC):  # bytes behind the end
                    return 0
                self._decoder = self._new()
            elif self._decoder.needs_input and not (packed := self._file.read(CHUNK)):
                raise EOFError("it ends in the middle of the compressed data")
            try:
                data = self._decoder.decompress(packed, size)
            except lzma.LZMAError as error:
                text = str(error)
                raise lzma.LZMAError(_too_much(f"{MEMORY:,}") if "limit" in text else text) from error
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)

    def _following(self) -> bytes:
        """What comes behind the end of a stream and zeros: another one begins, or nothing."""
        rest = self._decoder.unused_data.lstrip(b"\0")
        while len(rest) < len(MAGIC) and (more := self._file.read(CHUNK)):
            rest = (rest + more).lstrip(b"\0")
        return rest

    def close(self) -> None:
        self._file.close()
        super().close()


def _too_much(amount: str) -> str:
    return f"its header asks for {amount} bytes of memory or more, where {MEMORY:,} are given; unpack it by hand"
