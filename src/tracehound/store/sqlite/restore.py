"""A copy of a store, put in the place of a store that nobody uses.

A log that stays beside a database which another one has replaced would be moved into the new one. So the old database
has to let go of its log first, which SQLite allows to whoever has the file to himself: that is also how it is known
that nobody uses it. Until the new database takes the place, no other program can begin to.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tracehound.errors import ArgumentError, StoreBusyError, StoreError
from tracehound.store.sqlite.backup import Progress, copy_pages, partial_beside
from tracehound.store.sqlite.connection import FROZEN, READING, WRITING, connect
from tracehound.store.sqlite.faults import DAMAGED, store_errors
from tracehound.store.sqlite.files import INDEX, LOG
from tracehound.store.sqlite.inspection import check_pages, read_facts

_PATIENCE_MS: Final = 1_000
_DAMAGED: Final = ("not a database", "encrypted", "malformed", "disk I/O")  # in SQLite's words


def check_copy(path: Path) -> int:
    """Return how many traces a copy holds, about; raise where it is none of ours, damaged, or of a newer Tracehound."""
    facts = read_facts(path)
    if not facts.exists:
        raise ArgumentError(f"{path} does not exist, or is no file: name a file that `tracehound backup` has made")
    if facts.schema == 0 or DAMAGED.format(path=path) in facts.faults:
        raise StoreError(f"{path} is {'damaged' if facts.faults else 'empty'}, and is not restored: take an older copy")
    if facts.faults:
        raise StoreError(facts.faults[0])
    if facts.schema is None or facts.schema > facts.newest_schema:
        raise StoreError(f"{path} was written by a newer Tracehound (schema {facts.schema}); upgrade this one")
    found = check_pages(path, is_full=True)
    if found:
        raise StoreError(f"{path} is damaged, and is not restored: {found[0]}; take an older copy")
    return next((count.number for count in facts.counts if count.table == "trace"), 0)


def put_copy(path: Path, destination: Path, tell: Progress | None = None) -> int:
    """Put a copy of a store where another may be, which is gone then; return the length of the new one.

    What was there stays as it is until the copy is whole, and has been written to the disk. Raise `StoreBusyError`
    where somebody uses what is there, `StoreError` where the copy cannot be made.
    """
    log = Path(f"{path}{LOG}")
    access = READING if log.exists() and log.stat().st_size else FROZEN
    place = Path(os.path.realpath(destination))
    with partial_beside(place) as partial:
        length = copy_pages(path, access, partial, destination, tell)
        _write_to_disk(partial)
        with _alone(place):
            partial.replace(place)
    return length


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Have a database without a log, and nobody who could open it; one that cannot be read is nobody's."""
    if not path.exists():
        _remove_sides(path)
        yield
        return
    with store_errors(path), contextlib.closing(connect(path, WRITING)) as connection:
        try:
            connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise StoreBusyError(f"{path} is in use: end the programs that use it, a server too") from error
            if not any(word in str(error) for word in _DAMAGED):
                raise
        if os.name == "nt":  # where nothing can be put in the place of an open file
            connection.close()
        _remove_sides(path)
        yield


def _remove_sides(path: Path) -> None:
    for suffix in (LOG, INDEX):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _write_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
