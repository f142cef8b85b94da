"""Files that are packed: what they hold, as their first bytes tell; and a file that packs what is written to it."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final, cast

import zstandard

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_STEP_BYTES: Final = 65_536
_LEVEL: Final = 3


def peekable(file: IO[bytes]) -> io.BufferedReader:
    """Return a file whose next bytes can be looked at."""
    return file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", file))


def unpacked(file: IO[bytes]) -> IO[bytes]:
    """Return what a file holds, as a file: as it is, or unpacked where it is gzip or zstd.

    Reading raises `OSError` or `EOFError` where it is damaged or cut off.
    """
    buffered = peekable(file)
    head = buffered.peek(len(_ZSTD))
    if head.startswith(_GZIP):
        return cast("IO[bytes]", gzip.open(buffered))
    if head.startswith(_ZSTD):
        return io.BufferedReader(_ZstdFile(buffered), _STEP_BYTES)
    return buffered


@contextmanager
def packing(plain: IO[bytes], name: str) -> Iterator[IO[bytes]]:
    """Yield what to write to for a file of that name: `.gz` and `.zst` are packed, the same bytes at any time."""
    if name.endswith(".gz"):
        with gzip.GzipFile(filename="", fileobj=plain, mode="wb", mtime=0) as packed:
            yield cast("IO[bytes]", packed)
    elif name.endswith(".zst"):
        with zstandard.ZstdCompressor(level=_LEVEL).stream_writer(plain, closefd=False) as packed:
            yield cast("IO[bytes]", packed)
    else:
        yield plain


class _ZstdFile(io.RawIOBase):
    """The frames of a file of zstd. The library's own reader takes a file that is cut off for its end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._is_inside = False  # of a frame
        self._packed = b""
        self._found = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; 0 at the end."""
        while not self._found:
            self._packed = self._packed or self._file.read(_STEP_BYTES)
            if not self._packed:
                if self._is_inside:
                    raise EOFError("it is cut off")
                return 0
            if not self._is_inside:
                self._frame, self._is_inside = zstandard.ZstdDecompressor().decompressobj(), True
            try:
                self._found = self._frame.decompress(self._packed)
            except zstandard.ZstdError as error:
                raise OSError(f"it is no zstd: {error}") from error
            self._is_inside = not self._frame.eof
            self._packed = self._frame.unused_data if self._frame.eof else b""
        taken = self._found[: len(buffer)]
        self._found = self._found[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)
