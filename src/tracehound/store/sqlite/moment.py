"""Several connections that see the same moment, so that what reads for long can use more than one processor.

SQLite lets go of the interpreter lock while it works. That two connections see the same is known from the second one's
count of the commits of others: where it is the same before the first has begun to see its moment and after the second
has, nothing was committed in between.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from tracehound.store.sqlite.connection import open_connection

MOST: Final = 4  # connections, together with the first
# Of fewer traces statistics are sooner read than another connection is opened.
MANY_TRACES: Final = 50_000


Prepare: TypeAlias = Callable[[sqlite3.Connection], None]


class Helpers:
    """Connections beside another one; `seeing_the_same` lends those that see what that one sees."""

    def __init__(self, opened: list[tuple[sqlite3.Connection, int]]) -> None:
        self._opened = opened

    @contextmanager
    def seeing_the_same(self) -> Iterator[list[sqlite3.Connection]]:
        """Lend them for one moment; the other connection sees it already, since after these were opened."""
        lent = []
        for connection, commits in self._opened:
            connection.execute("BEGIN")
            connection.execute("SELECT 1 FROM trace LIMIT 1").fetchone()
            if _commits(connection) == commits:
                lent.append(connection)
        try:
            yield lent
        finally:
            for connection, _ in self._opened:
                connection.execute("COMMIT")


@contextmanager
def helpers(path: Path, access: str, *, is_large: bool, prepare: Prepare | None = None) -> Iterator[Helpers]:
    """Open connections, as many as there are processors, where the store is large; else none. Each is prepared."""
    count = min(MOST, os.cpu_count() or 1) - 1 if is_large else 0
    with ExitStack() as stack:
        opened = [stack.enter_context(closing(open_connection(path, access))) for _ in range(count)]
        if prepare is not None:
            for each in opened:
                prepare(each)
        yield Helpers([(each, _commits(each)) for each in opened])


def _commits(connection: sqlite3.Connection) -> int:
    """Return a number that changes when another connection has committed something that this one sees."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])
