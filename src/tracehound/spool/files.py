"""What a drainer does with the files of a spool folder, any of which another process may remove at any moment."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from tracehound.spool.lock import FileLock, try_lock
from tracehound.spool.segment import lock_path


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
