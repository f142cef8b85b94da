"""A lock on a file that the operating system gives back when its holder ends, however it ends.

Only this lock says that the owner of a segment is alive: process ids are used again, and clocks of containers differ.
"""

from __future__ import annotations

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
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


class FileLock:
    """A held lock. A forked child inherits the file but not the ownership: it calls `abandon`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back and remove its file, which Windows allows only behind the close."""
        if sys.platform == "win32":
            os.close(self._descriptor)
            self._path.unlink(missing_ok=True)
        else:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)

    def abandon(self) -> None:
        """Close this process's copy of the file; the lock stays with the process that took it."""
        os.close(self._descriptor)


def try_lock(path: Path) -> FileLock | None:
    """Return the lock on the file, which is made where it is missing; None while somebody holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    if _try_lock(descriptor):
        return FileLock(path, descriptor)
    os.close(descriptor)
    return None
