"""Inserts that go on behind their writer: it works out the next rows while the engine takes those before.

They are done in their order by one thread. Behind one that has failed none is done any more, for what says that
something is there must not be there without it; the writer is told when it waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from tracehound.store.clickhouse.engine import Engine
from tracehound.store.clickhouse.schema import Table


class Behind:
    """The inserts of one batch. Only the thread that made it may use it."""

    def __init__(self, engine: Engine, thread: ThreadPoolExecutor) -> None:
        self._engine = engine
        self._thread = thread
        self._last: Future[None] | None = None

    def insert(self, table: Table, rows: Sequence[Sequence[Any]], columns: Sequence[str] | None = None) -> None:
        """Have rows inserted, in the order of the table, when all that came before are there."""
        if rows:
            self._last = self._thread.submit(self._insert, self._last, table, rows, columns or table.names)

    def wait(self) -> None:
        """Return when all rows are there; raise what kept one from it."""
        if self._last is not None:
            self._last.result()

    def _insert(
        self, before: Future[None] | None, table: Table, rows: Sequence[Sequence[Any]], columns: Sequence[str]
    ) -> None:
        if before is not None:
            before.result()  # it has ended: there is one thread
        self._engine.insert(table.name, columns, rows)


@contextmanager
def inserting_behind(engine: Engine) -> Iterator[Behind]:
    """Give what inserts behind the block, and wait for it at the end of that."""
    with ThreadPoolExecutor(1, "tracehound-inserts") as thread:
        behind = Behind(engine, thread)
        yield behind
        behind.wait()
