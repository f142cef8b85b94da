"""Which files stand at the path of a store: the database, its log and the index of the log.

They are looked at by name only: opening and closing the database in this process would drop SQLite's locks.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

LOG: Final = "-wal"
INDEX: Final = "-shm"

# As SQLite does it where it can: the times of a file need not reach the disk, only what is in it.
_sync_data: Final[Callable[[int], None]] = getattr(os, "fdatasync", os.fsync)

Identity: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Files:
    """What tells each of the three files from all others; None for one that is not there. Equal if all are the same."""

    database: Identity | None
    log: Identity | None
    index: Identity | None
    log_bytes: int = field(compare=False)


def look_at(given: Path, path: Path, *, is_frozen: bool) -> Files:
    """Return the files of the database at the given path, which is or leads to `path`, beside which its log lies.

    Of a frozen one, which is read without locks, any change counts.
    """
    database, log, index = _stat(given), _stat(f"{path}{LOG}"), _stat(f"{path}{INDEX}")
    log_bytes = 0 if log is None else log.st_size
    if not is_frozen:
        return Files(_identity(database), _identity(log), _identity(index), log_bytes)
    changes = None if database is None else (*(_identity(database) or ()), database.st_size, database.st_mtime_ns)
    return Files(changes, _identity(log) if log_bytes else None, None, log_bytes)


def remove(path: Path, suffix: str, wanted: Identity | None) -> None:
    """Remove a file beside the database, if it still is the one that is meant."""
    side = Path(f"{path}{suffix}")
    if wanted is not None and _identity(_stat(side)) == wanted:
        with contextlib.suppress(OSError):
            side.unlink()


def sync(path: Path, suffix: str) -> None:
    """Return when the disk has what a file beside the database holds, on which SQLite has no locks.

    One that is not there has nothing. Raise `OSError` where it cannot be done.
    """
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(f"{path}{suffix}", os.O_RDWR)
        try:
            _sync_data(descriptor)
        finally:
            os.close(descriptor)


def _stat(path: Path | str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - texts cost less than paths, and this is asked before every batch
    except OSError:
        return None


def _identity(found: os.stat_result | None) -> Identity | None:
    return None if found is None else (found.st_dev, found.st_ino)
