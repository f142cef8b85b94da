"""SQLite's faults told as ours: which file, what is wrong with it, what to do. No SQL and no name of a Python type."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tracehound.errors import StoreBusyError, StoreError, StoreFullError, StoreReadOnlyError
from tracehound.model.record import DecodeError
from tracehound.wire.payload import DamagedPayloadError

DAMAGED: Final = (
    "{path} is damaged: `tracehound doctor` says where. Move it away and a new one is made; what is not in it yet"
    " waits in the spool"
)
DISK_FAULT: Final = "disk I/O error"
# SQLite's own texts, which have been the same for as long as it has error codes; Python 3.10 does not tell the code.
_MESSAGES: Final = {
    "file is not a database": "{path} is not a database of Tracehound; name another file",
    "file is encrypted": "{path} is not a database of Tracehound; name another file",
    "malformed": DAMAGED,
    "no such table": DAMAGED,
    "no such column": DAMAGED,
    "no such index": DAMAGED,
    "has no column named": DAMAGED,
    "orphan index": DAMAGED,
    "Could not decode": DAMAGED,
    # Ours take any text that we wrote. Where Ctrl-C comes just before one of them, SQLite does not tell it from damage.
    "user-defined": "{path}: this was interrupted, or what was read is damaged: `tracehound doctor` tells",
    DISK_FAULT: (
        "{path} cannot be read or written: the disk has a fault, or {path}-wal or {path}-shm was removed or replaced"
        " while a program used it. End the programs that use it and try again; `tracehound doctor` says more"
    ),
    "locking protocol": "{path} cannot be locked: its file system lacks what SQLite needs; keep it on a local disk",
    "closed database": "the store {path} was closed",
    "out of memory": "there is not enough memory to read {path}",
    "too many SQL variables": "the filter asks for more at once than this SQLite can do: ask for less at a time",
    "interrupted": "the work on {path} was interrupted",
}


_INDEX_BYTES: Final = 32_768  # of SQLite's, at the least

_swallowed: Final = threading.local()


def noting_faults(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as SQLite is to call it, which swallows whatever is raised in it: Ctrl-C, too."""

    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except BaseException as fault:
            _swallowed.fault = fault
            raise

    return call


def _raise_swallowed(error: sqlite3.Error | sqlite3.Warning) -> None:
    """Raise what interrupted a function that SQLite called; faults are for the caller to tell."""
    fault = getattr(_swallowed, "fault", None)
    _swallowed.fault = None
    if fault is not None and not isinstance(fault, Exception):
        raise fault from error


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Tell SQLite's errors as `StoreError`s that name the file; those about single rows are for the caller."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.DataError):
        raise
    except (sqlite3.Error, sqlite3.Warning) as error:
        if "user-defined" in str(error):
            _raise_swallowed(error)
        raise _told(str(error), path) from error


@contextmanager
def damaged_rows(path: Path) -> Iterator[None]:
    """Tell what cannot be made of the columns of a row: SQLite notices damage of its own structures only."""
    try:
        yield
    except (DamagedPayloadError, DecodeError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"a trace in {path} is damaged and cannot be read: `tracehound doctor` says which") from error


@contextmanager
def damaged_structures() -> Iterator[None]:
    """Tell what cannot be read of our own index as SQLite tells damage of its own."""
    try:
        yield
    except (DecodeError, LookupError, TypeError, ValueError) as error:
        raise sqlite3.DatabaseError("an index is malformed") from error


def _told(text: str, path: Path) -> StoreError:
    if "database is locked" in text:
        return StoreBusyError(f"another process keeps {path} locked")
    if "database or disk is full" in text or (DISK_FAULT in text and _is_disk_full(path)):
        return StoreFullError(f"the disk is full: {path} cannot grow")
    if "readonly" in text:
        return StoreReadOnlyError(f"{path} is read-only: it can be searched where all of it is in the file itself")
    if "unable to open" in text:
        return StoreError(_why_it_cannot_be_opened(path))
    general = "SQLite cannot work with {path}; `tracehound doctor` says what is wrong with it"
    return StoreError(next((message for part, message in _MESSAGES.items() if part in text), general).format(path=path))


def _is_disk_full(path: Path) -> bool:
    """Whether there is no room for the index of the log, which SQLite makes to read, and tells of as a fault."""
    try:
        return shutil.disk_usage(path.parent).free < _INDEX_BYTES
    except OSError:
        return False


def _why_it_cannot_be_opened(path: Path) -> str:
    # Not by methods of the path, which raise where a folder above may not be looked into.
    if os.path.isdir(path):  # noqa: PTH112
        return f"{path} is a folder; name a file"
    if not os.path.isdir(path.parent):  # noqa: PTH112
        return f"{path} cannot be opened: there is no folder {path.parent}, or this user may not look into it"
    if os.path.exists(path) and not os.access(path, os.R_OK):  # noqa: PTH110
        return f"{path} cannot be opened: this user may not read it"
    return f"{path} cannot be opened: the folder is missing or not writable"
