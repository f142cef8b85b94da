"""Append-only segments between the traced call and the store.

A frame is written before the call returns, so it outlives the process. How far a segment has been applied is a row of
the store, so any process may drain it and nothing is applied twice. Segments belong to one process and one fork, their
owner, which holds the lock of that name from before its first segment until its end; only that lock says that it
lives. It writes to its last segment only:

    00001735689600000000-4711-1f2e3d4c.lock
    00001735689600000000-4711-1f2e3d4c.000001.seg      full, or torn: not written any more
    00001735689600000000-4711-1f2e3d4c.000002.seg

The writer is used by one thread at a time, but a signal handler or a finalizer may come in between.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tracehound.spool.descriptor import write
from tracehound.spool.lock import FileLock, is_same_file, take_lock

SUFFIX: Final = ".seg"
LOCK_SUFFIX: Final = ".lock"
_FLAGS: Final = (
    os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)


def owner_of(name: str) -> str:
    """Return the owner of a file of the spool.

    >>> owner_of("00001735689600000000-4711-1f2e3d4c.000002.seg")
    '00001735689600000000-4711-1f2e3d4c'
    """
    return name.partition(".")[0]


def is_ours(name: str) -> bool:
    """Whether a file of the folder was made by a writer: its name begins with a time."""
    return name[:20].isdecimal() and name[20:21] == "-"


def lock_path(directory: Path, owner: str) -> Path:
    """Return the path of the lock that an owner holds."""
    return directory / f"{owner}{LOCK_SUFFIX}"


def age_s(name: str) -> float:
    """Return how long ago the owner of a file or the file's owner was begun, in seconds."""
    return time.time() - int(name[:20]) / 1e9


@dataclass
class _Segment:
    """A segment that is being written."""

    path: Path
    descriptor: int
    size: int = 0

    def write(self, frame: bytes) -> None:
        """Append the frame; raise `OSError` where it cannot be whole, with nothing of it left."""
        try:
            if write(self.descriptor, frame) == len(frame):
                self.size += len(frame)
                return
            error = OSError("the disk took only a part of the frame")
        except OSError as fault:
            error = fault
        os.ftruncate(self.descriptor, self.size)
        raise error

    def is_in_place(self) -> bool:
        """Whether the file still stands where it was made."""
        return is_same_file(self.path, self.descriptor)

    def read_from(self, position: int) -> bytes:
        """Return what was written from a position on, though the file may have been removed."""
        os.lseek(self.descriptor, position, os.SEEK_SET)
        chunks = []
        while chunk := os.read(self.descriptor, 1 << 20):
            chunks.append(chunk)
        return b"".join(chunks)


class SegmentWriter:
    """Appends frames to segments of its own: a new one when the present one is full or takes no more."""

    def __init__(self, directory: Path, max_segment_bytes: int) -> None:
        self._directory = directory
        self._max_segment_bytes = max_segment_bytes
        self._lock: FileLock | None = None
        self._owner = ""
        self.owners: set[str] = set()  # all that this writer has been
        self._count = 0
        self._segment: _Segment | None = None
        self._is_writing = False

    def owner(self) -> str:
        """Return the name under which this process owns segments, with its lock held; raise `OSError` without."""
        if self._lock is None:
            self._directory.mkdir(parents=True, exist_ok=True)
            owner = f"{time.time_ns():020d}-{os.getpid()}-{os.urandom(4).hex()}"
            self._lock = take_lock(lock_path(self._directory, owner))
            self._owner = owner
            self.owners.add(owner)
            self._count = 0
        return self._owner

    def append(self, frame: bytes) -> None:
        """Write the frame whole; raise `OSError` where that cannot be done, with nothing of it left to be read."""
        segment = self._segment
        if self._is_writing and segment is not None:
            segment.write(frame)  # inside of another append, which goes on with this segment
            return
        self._is_writing = True
        try:
            if segment is None or segment.size >= self._max_segment_bytes:
                segment = self._begin()
            try:
                segment.write(frame)
            except OSError:
                if segment.size == 0:
                    raise
                self._begin().write(frame)  # there may be a limit on a single file
        finally:
            self._is_writing = False

    def close(self) -> None:
        """End the present segment and give the lock back. In a forked child both stay with the parent."""
        self._close_segment()
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.abandon()

    def is_in_place(self) -> bool:
        """Whether the lock and the segment still stand where they were made; true where there are none."""
        return (self._lock is None or self._lock.is_in_place()) and (
            self._segment is None or self._segment.is_in_place()
        )

    def name(self) -> str | None:
        """Return the name of the present segment."""
        return None if self._segment is None else self._segment.path.name

    def begin_anew(self, position: int) -> None:
        """Go on under a new name, because somebody removed files. What the store had of the segment ends at the
        position; the rest is written again if the segment is gone.
        """
        segment = self._segment
        rest = b"" if segment is None or segment.is_in_place() else segment.read_from(position)
        self.close()
        if rest:
            self.append(rest)

    def _begin(self) -> _Segment:
        self._close_segment()
        owner = self.owner()
        path = self._directory / f"{owner}.{self._count + 1:06d}{SUFFIX}"
        self._segment = _Segment(path, os.open(path, _FLAGS, 0o600))
        self._count += 1
        return self._segment

    def _close_segment(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            os.close(segment.descriptor)
