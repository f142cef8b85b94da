"""A lock on a file that the operating system gives back when its holder ends, however it ends.

Only this lock says that the owner of a segment is alive: process ids are used again, and clocks of containers differ.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _most_descriptors() -> int:
        return 8_192
else:
    import fcntl
    import resource

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _most_descriptors() -> int:
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


class FileLock:
    """A held lock. A forked child inherits the file but not the ownership: it calls `abandon`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._identity = identity_of(descriptor)

    def release(self) -> None:
        """Give the lock back and remove its file, which Windows allows only behind the close."""
        if sys.platform == "win32":
            self.abandon()
            with contextlib.suppress(PermissionError):  # somebody else holds the file for a moment
                self._path.unlink(missing_ok=True)
        else:
            self._path.unlink(missing_ok=True)
            self.abandon()

    def abandon(self) -> None:
        """Close this process's copy of the file; the lock stays with the process that took it."""
        if identity_of(self._descriptor) == self._identity:
            os.close(self._descriptor)

    def is_in_place(self) -> bool:
        """Whether the file still stands at its path: a lock on a file that nobody finds locks out nobody."""
        return identity_at(self._path) == self._identity == identity_of(self._descriptor)


def take_lock(path: Path) -> FileLock:
    """Make the file and lock it; raise `OSError` where that cannot be done, or the file exists."""
    lock = _lock(path, os.O_CREAT | os.O_EXCL)
    if lock is None:
        path.unlink(missing_ok=True)  # or a file system without locks gets a file for every call
        raise OSError(f"this file system gives no lock on {path}")
    return lock


def try_lock(path: Path) -> FileLock | None:
    """Return the lock on an existing file; None while somebody holds it. Raise `FileNotFoundError` without a file."""
    return _lock(path, 0)


def spare_descriptors() -> int:
    """Return how many locks may be held at once for a moment: the program wants descriptors too, and may have few."""
    most = _most_descriptors()
    return sys.maxsize if most < 0 else max(1, most // 10)  # less than none: no limit


def identity_at(path: Path) -> tuple[int, int] | None:
    """Return what tells the file at a path from all others; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def identity_of(descriptor: int) -> tuple[int, int] | None:
    """Return what tells an open file from all others; None where the descriptor is closed."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _lock(path: Path, flags: int) -> FileLock | None:
    descriptor = os.open(path, os.O_RDWR | flags | getattr(os, "O_CLOEXEC", 0), 0o600)
    # Another process may have removed the file between the opening and the locking.
    if _try_lock(descriptor) and identity_at(path) == identity_of(descriptor):
        return FileLock(path, descriptor)
    os.close(descriptor)
    return None
