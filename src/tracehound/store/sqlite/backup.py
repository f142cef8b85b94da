"""A copy of a store that is in use, as one whole file.

SQLite's own backup, page by page, begins anew whenever somebody writes; under a busy writer it never ends. The copy is
therefore read inside of one read transaction, and shows one moment. The log grows meanwhile, and is shortened later.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tracehound.errors import ArgumentError, StoreError
from tracehound.store.sqlite.connection import open_connection
from tracehound.store.sqlite.faults import store_errors
from tracehound.store.sqlite.files import INDEX, LOG
from tracehound.store.sqlite.opened import OpenedFile

_PAGES_A_STEP: Final = 500

# Called with how many pages are copied, and how many there are.
Progress = Callable[[int, int], None]


def back_up(path: Path, destination: Path, tell: Progress | None = None) -> int:
    """Copy the store at a path while others use it; return the length of the copy in bytes.

    The destination appears when it is whole, with nothing beside it; where anything goes wrong nothing is left. Raise
    `ArgumentError` for one that exists, `StoreError` where the copy cannot be made.
    """
    _refuse_existing(destination)
    with contextlib.closing(OpenedFile(path)) as opened:
        access = opened.access()  # it may be where nothing can be written
    with partial_beside(destination) as partial:
        length = copy_pages(path, access, partial, destination, tell)
        _put_in_place(partial, destination)
    return length


def copy_pages(path: Path, access: str, partial: Path, destination: Path, tell: Progress | None) -> int:
    """Copy the store at a path, as it is at one moment, to where nothing is; return the length of the copy.

    The destination is what the copy is for: faults are told of it.
    """
    with (
        store_errors(path),
        contextlib.closing(open_connection(path, access)) as source,
        _writing_errors(destination),
        contextlib.closing(sqlite3.connect(partial, isolation_level=None)) as target,
    ):
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the moment that the copy shows
        source.backup(
            target,
            pages=_PAGES_A_STEP,
            progress=None if tell is None else lambda _status, left, total: tell(total - left, total),
            sleep=0,
        )
    return partial.stat().st_size


@contextmanager
def partial_beside(destination: Path) -> Iterator[Path]:
    """Lend the path of a file beside the destination, of which nothing stays."""
    path = destination.with_name(f".{destination.name}.{os.getpid()}.partial")
    try:
        yield path
    finally:
        for suffix in ("", "-journal", LOG, INDEX):
            with contextlib.suppress(OSError):  # where nothing can be written, nothing has been
                Path(f"{path}{suffix}").unlink(missing_ok=True)


@contextmanager
def _writing_errors(destination: Path) -> Iterator[None]:
    """Tell faults of the copy as faults of the destination, where SQLite does not say whose they are."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "disk is full" in str(error) or "unable to open" in str(error) or "readonly" in str(error):
            raise StoreError(
                f"{destination} cannot be written: the disk is full, or the folder is missing or not writable"
            ) from error
        raise


def _put_in_place(partial: Path, destination: Path) -> None:
    """Give the copy its name, unless somebody has taken it meanwhile."""
    try:
        try:
            os.link(partial, destination)  # unlike a rename it replaces nothing
        except FileExistsError:
            raise
        except OSError:  # no links on this file system
            _refuse_existing(destination)
            partial.rename(destination)
    except FileExistsError:
        _refuse_existing(destination)
    except OSError as error:
        raise StoreError(f"{destination} cannot be written: {error.strerror}") from error


def _refuse_existing(destination: Path) -> None:
    if os.path.lexists(destination):
        raise ArgumentError(f"{destination} exists, and is not overwritten: name another file")
