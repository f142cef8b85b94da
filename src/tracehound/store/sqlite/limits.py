"""A search within its time limit: SQLite asks now and then whether it is to go on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from tracehound.query.access import InOrder, Path
from tracehound.query.limit import NARROW_FILTER, SearchLimit
from tracehound.query.printer import print_filter
from tracehound.query.sqlite import COUNTED

STEPS: Final = 10_000  # of SQLite's machine between two questions: about a millisecond


@contextmanager
def within(
    connection: sqlite3.Connection,
    limit: SearchLimit | None,
    narrow: str = NARROW_FILTER,
    wait: Callable[[], None] | None = None,
) -> Iterator[Progress]:
    """Run the block within a limit; what it has looked at until then is in the error.

    `wait` is called now and then, and returns when the block may go on.
    """
    progress = Progress()
    if limit is None:
        with _watched(connection, limit, wait):
            yield progress
        return
    with limit.running(), _watched(connection, limit, wait):
        try:
            yield progress
        except sqlite3.OperationalError:
            limit.check(progress.told(), narrow)
            raise
        limit.check(progress.told(), narrow)


@contextmanager
def _watched(
    connection: sqlite3.Connection, limit: SearchLimit | None, wait: Callable[[], None] | None
) -> Iterator[None]:
    watch(connection, limit, wait)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def watch(connection: sqlite3.Connection, limit: SearchLimit | None, wait: Callable[[], None] | None) -> None:
    """Have a connection ask now and then whether it is to go on, and wait until it may."""
    if wait is None:
        connection.set_progress_handler(None if limit is None else limit.is_over, STEPS)
        return

    def is_over() -> bool:
        wait()
        return limit is not None and limit.is_over()

    connection.set_progress_handler(is_over, STEPS // 5)  # a search waits for no longer than this


class Progress:
    """What a search has looked at so far, where somebody counts it."""

    def __init__(self) -> None:
        self.rows_read = 0
        self.path: Path | None = None

    def count_rows(self, connection: sqlite3.Connection, path: Path) -> None:
        """Count the rows that the next statement looks at, which was made to be counted."""
        self.path = path
        connection.create_function(COUNTED, 0, self._count)

    def _count(self) -> int:
        self.rows_read += 1
        return 1

    def told(self) -> str:
        """Return what has been looked at, for a message."""
        if self.path is None:
            return ""
        which = "in the order of the search, for no index leads to what is wanted"
        if not isinstance(self.path, InOrder):
            which = f"those with {print_filter(self.path.condition)}"
        return f"it has looked at {self.rows_read:,} traces, {which}"
