"""Append-only segments between the traced call and the store.

A frame is written before the call returns, so it outlives the process. How far a segment has been applied is a row of
the store, so any process may drain it and nothing is applied twice. A segment belongs to one process and one fork:
its owner holds the lock beside it, taken before the segment exists. The writer is used by one thread at a time.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tracehound.spool.lock import FileLock, try_lock

SUFFIX: Final = ".seg"
_FLAGS: Final = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)


def lock_path(segment: Path) -> Path:
    """Return the path of the lock that the owner of a segment holds."""
    return segment.with_name(f"{segment.name}.lock")


def segment_age_s(name: str) -> float:
    """Return how long ago the segment with this name was begun, in seconds."""
    return time.time() - int(name.split("-", 1)[0]) / 1e9


@dataclass
class _Open:
    """A segment that is being written, and its lock."""

    descriptor: int
    lock: FileLock
    size: int = 0

    def write(self, frame: bytes) -> bool:
        """Append the frame in one call; False where the file took only a part of it."""
        written = os.write(self.descriptor, frame)
        self.size += written
        return written == len(frame)

    def close(self) -> None:
        """Close both files; what this process held of the lock is given back by that, not its file."""
        os.close(self.descriptor)
        self.lock.abandon()


class SegmentWriter:
    """Appends frames to segments of its own: a new one when the present one is full or a write fell short."""

    def __init__(self, directory: Path, max_segment_bytes: int) -> None:
        self._directory = directory
        self._max_segment_bytes = max_segment_bytes
        self._open: _Open | None = None

    def append(self, frame: bytes) -> None:
        """Write the frame whole; raise `OSError` where that cannot be done, with nothing of it left to be read."""
        segment = self._open
        if segment is None or segment.size >= self._max_segment_bytes:
            segment = self._begin()
        # A frame that was cut short ends its segment: what follows it there would be taken for its end.
        if not segment.write(frame) and not self._begin().write(frame):
            self.close()
            raise OSError("the disk took only a part of the frame")

    def close(self) -> None:
        """End the present segment. In a forked child this leaves it, and its lock, to the parent."""
        segment, self._open = self._open, None
        if segment is not None:
            segment.close()

    def _begin(self) -> _Open:
        self.close()
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{time.time_ns():020d}-{os.getpid()}-{os.urandom(4).hex()}{SUFFIX}"
        lock = try_lock(lock_path(path))
        if lock is None:
            raise OSError(f"another process holds the lock of the new segment {path}")
        try:
            self._open = _Open(os.open(path, _FLAGS, 0o600), lock)
        except OSError:
            lock.release()
            raise
        return self._open
