"""Append-only segments between the traced call and the store.

A frame is written before the call returns, so it outlives the process. How far a segment has been applied is a row of
the store, so any process may drain it and nothing is applied twice. Segments belong to one process and one fork, their
owner, which holds the lock of that name from before its first segment until its end; only that lock says that it
lives. It writes to its last segment only. The first frame of each says where its parts come from:

    00001735689600000000-4711-1f2e3d4c.lock
    00001735689600000000-4711-1f2e3d4c.000001.seg      full, or torn: not written any more
    00001735689600000000-4711-1f2e3d4c.000002.seg

The writer is used by one thread at a time, and never from inside of itself; the spool sees to both.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tracehound.errors import TracehoundError
from tracehound.spool.descriptor import LARGE_BYTES, write_held, write_large
from tracehound.spool.lock import FileLock, identity_at, identity_of, take_lock, try_lock

SUFFIX: Final = ".seg"
LOCK_SUFFIX: Final = ".lock"
REFUSED_SUFFIX: Final = ".refused"  # `spool.refused`
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


def begun_ns(name: str) -> int:
    """Return when the owner of a file began, in nanoseconds since the epoch: names begin with it."""
    return int(name[:20])


def age_s(name: str) -> float:
    """Return how long ago the owner of a file began, in seconds."""
    return (time.time_ns() - begun_ns(name)) / 1e9


class SpoolFullError(TracehoundError):
    """More waits for the store than may wait."""


class RemovedError(TracehoundError):
    """Somebody removed files of the spool that are in use; `SegmentWriter.end_removed` saves what they held."""


class SegmentWriter:
    """Appends frames to segments of its own: a new one when the present one is full or takes no more."""

    def __init__(self, directory: Path, max_segment_bytes: int, first_frame: Callable[[], bytes] = bytes) -> None:
        self._directory = directory
        self._max_segment_bytes = max_segment_bytes
        self._first_frame = first_frame
        self._lock: FileLock | None = None
        self._owner = ""
        self.owners: set[str] = set()  # all that this writer has been
        self.written_bytes = 0  # in all segments
        self._limit_bytes = sys.maxsize  # to how much that may grow
        self._count = 0
        self._path: Path | None = None
        self._descriptor = -1
        self._identity: tuple[int, int] | None = None  # of the file behind the descriptor
        self._begin_bytes = 0  # what had been written when the present segment was begun
        self._full_bytes = 0  # what will have been when it is full; 0 without one
        self._near_bytes = 0  # the lesser of the two: up to there a frame is written without a further look
        self._refused_bytes = sys.maxsize  # the length of a frame that an empty segment did not take

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

    def limit(self, limit_bytes: int) -> None:
        """Let so much be written in all segments together, and no more."""
        self._limit_bytes = limit_bytes
        self._near_bytes = min(self._full_bytes, limit_bytes)

    def append(self, frame: bytes) -> None:
        """Write the frame whole, with nothing of it left to be read where that cannot be done.

        Raise `OSError` where the disk does not take it, `SpoolFullError` where more than the limit would have been
        written, `RemovedError` where a new segment is due and the present one has been removed.
        """
        length = len(frame)
        written_bytes = self.written_bytes + length
        if written_bytes > self._near_bytes:
            self._look_for_room(written_bytes)
        write = write_held if length <= LARGE_BYTES else write_large
        written = write(self._descriptor, frame, length)
        if written != length:
            self._write_again(frame, max(written, 0))
        self.written_bytes = written_bytes

    def close(self) -> None:
        """End the present segment and give the lock back. In a forked child both stay with the parent."""
        self._close_segment()
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.abandon()

    def is_in_place(self) -> bool:
        """Whether the lock and the segment still stand where they were made; true where there are none."""
        return (self._lock is None or self._lock.is_in_place()) and (
            self._path is None or (identity_at(self._path) == self._identity and self._is_ours())
        )

    def name(self) -> str | None:
        """Return the name of the present segment."""
        return None if self._path is None else self._path.name

    def end_removed(self, position: int) -> bytes:
        """End what somebody removed files of; return what is to be written again, under another name.

        That is what the open file holds behind the position, up to which the store has it: even a file that is still
        there may be removed by a drainer that finds no lock, and has not seen the last frames.
        """
        rest = _read_from(self._descriptor, position) if self._is_ours() else b""
        self.close()
        return rest

    def _look_for_room(self, written_bytes: int) -> None:
        """See to a segment to write to, until so much will have been written."""
        if written_bytes > self._limit_bytes:
            raise SpoolFullError("too much waits for the store")
        if self.written_bytes >= self._full_bytes:
            self._begin()

    def _begin(self) -> None:
        if not self.is_in_place():
            raise RemovedError("files of the spool were removed")
        self._close_segment()
        owner = self.owner()
        self._count += 1  # first: whatever interrupts this, the name is not asked for again
        path = self._directory / f"{owner}.{self._count:06d}{SUFFIX}"
        self._descriptor = os.open(path, _FLAGS, 0o600)
        self._identity = identity_of(self._descriptor)
        self._path = path
        self._write_first()
        self._begin_bytes = self.written_bytes
        self._full_bytes = self.written_bytes + self._max_segment_bytes
        self._near_bytes = min(self._full_bytes, self._limit_bytes)

    def _write_first(self) -> None:
        """Write the first frame, which is no part of what the limits count; traces can do without it."""
        frame = self._first_frame()
        with contextlib.suppress(OSError):
            written = os.write(self._descriptor, frame)
            if written != len(frame):
                os.ftruncate(self._descriptor, 0)

    def _write_again(self, frame: bytes, written: int) -> None:
        """Cut off what was written of the frame, and write it once more.

        That is done in a new segment, for a single file may have a limit; but a frame that an empty one has refused is
        not tried in another empty one, or every such frame would leave a file behind.
        """
        length, size = len(frame), self.written_bytes - self._begin_bytes
        if not self._is_ours():
            raise RemovedError("a file of the spool was closed by the program")
        self._cut_off(written)
        is_refused_when_empty = size < self._refused_bytes <= length
        if size > 0 and not is_refused_when_empty:
            self._begin()
            size = 0
        if size == 0:
            self._refused_bytes = length
        written = os.write(self._descriptor, frame)  # which says what is wrong
        if written != length:
            self._cut_off(written)
            raise OSError("the disk takes only a part of the frame")
        self._refused_bytes = sys.maxsize

    def _cut_off(self, count: int) -> None:
        """Take so many bytes from the end of the segment."""
        if count:
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - count)

    def _is_ours(self) -> bool:
        """Whether the descriptor is that of the segment: a program may close what it did not open."""
        return self._path is not None and identity_of(self._descriptor) == self._identity

    def _close_segment(self) -> None:
        if self._is_ours():
            os.close(self._descriptor)
        self._path = None
        self._full_bytes = self._near_bytes = 0


def _read_from(descriptor: int, position: int) -> bytes:
    """Return what an open file holds from a position on, though the file may have been removed."""
    os.lseek(descriptor, position, os.SEEK_SET)
    chunks = []
    while chunk := os.read(descriptor, 1 << 20):
        chunks.append(chunk)
    return b"".join(chunks)


# What a drainer does with the files of others, any of which may be removed at any moment.


class NoLock:
    """Stands for a lock whose file is gone."""

    def release(self) -> None:
        """Do nothing."""

    def abandon(self) -> None:
        """Do nothing."""


def lock_of_ended(directory: Path, owner: str) -> FileLock | NoLock | None:
    """Return the lock of an owner that has ended; None for one that lives, as far as can be known."""
    try:
        return try_lock(lock_path(directory, owner))
    except FileNotFoundError:
        return NoLock()  # somebody has removed it: its holder, if it lives, will notice
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return None  # whoever may write here will see to it
        raise


def remove_orphan(lock_file: Path) -> None:
    """Remove a lock that nobody holds; the segments of its owner are gone or need it no more."""
    with contextlib.suppress(OSError):
        lock = try_lock(lock_file)
        if lock is not None:
            lock.release()


def names_in(directory: Path) -> list[str]:
    """Return the names of the files in a folder; none where there is no folder that can be read."""
    try:
        return os.listdir(directory)  # noqa: PTH208 - half of the time of a glob, at each search
    except OSError:
        return []


def read_bytes(segment: Path, position: int, length: int | None) -> bytes:
    """Return bytes of a segment from a position on; none where another process has removed it."""
    try:
        with segment.open("rb") as file:
            file.seek(position)
            return file.read(-1 if length is None else length)
    except FileNotFoundError:
        return b""


def remove(segment: Path) -> bool:
    """Remove the file; False where somebody reads it, which on Windows keeps it in place."""
    try:
        segment.unlink(missing_ok=True)
    except PermissionError:
        return False
    return True


def size_of(segment: Path) -> int:
    """Return how many bytes a segment has; none where another process has removed it."""
    try:
        return segment.stat().st_size
    except FileNotFoundError:
        return 0
