"""Inserts that go on behind their writer: it works out the next rows while the engine takes those before.

They are done one after the other. Behind one that has failed none is done any more, for what says that something is
there must not be there without it; the writer is told when it waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any

from tracehound.store.clickhouse.engine import Engine
from tracehound.store.clickhouse.schema import Table


class Behind:
    """The inserts of one batch. Only the thread that made it may use it.

    Each has a thread, which waits for the one before. An executor is of no use: it takes nothing when the interpreter
    ends, and what was traced last is written then.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._last: Thread | None = None
        self._fault: BaseException | None = None

    def insert(self, table: Table, rows: Sequence[Sequence[Any]], columns: Sequence[str] | None = None) -> None:
        """Have rows inserted when all that came before are there; they have all columns, or those."""
        if not rows:
            return
        what = (self._last, table.name, columns or table.names, rows)
        thread = Thread(target=self._insert, args=what, name="tracehound-insert", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter ends, and from Python 3.12 on it starts no thread then
            self._insert(*what)
        else:
            self._last = thread

    def wait(self) -> None:
        """Return when all rows are there; raise what kept one from it."""
        self.join()
        if self._fault is not None:
            raise self._fault

    def join(self) -> None:
        """Return when nothing is inserted any more."""
        if self._last is not None:
            self._last.join()

    def _insert(self, before: Thread | None, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        if before is not None:
            before.join()
        if self._fault is None:
            try:
                self._engine.insert(table, columns, rows)
            except BaseException as fault:  # noqa: BLE001 - whatever it is, it is raised to whoever waits
                self._fault = fault


@contextmanager
def inserting_behind(engine: Engine) -> Iterator[Behind]:
    """Give what inserts behind the block; at its end all of it is there, or nothing is inserted any more."""
    behind = Behind(engine)
    try:
        yield behind
    finally:
        behind.join()
    behind.wait()
