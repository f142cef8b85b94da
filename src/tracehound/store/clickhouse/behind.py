"""What the engine does behind a writer, who works out the next rows while it takes those before.

Steps are done one after the other, and behind one that has failed none is begun any more: what says that something is
there must not be there without it. What does not need one another goes side by side; it has a line of its own. The
writer is told of a failure when it waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any, Generic, TypeVar

from tracehound.store.clickhouse.engine import Engine
from tracehound.store.clickhouse.native import to_block
from tracehound.store.clickhouse.schema import Table

T = TypeVar("T")


class Behind:
    """The steps of one batch, in one line. Only the thread that made it may use it.

    Each has a thread, which waits for the one before. An executor is of no use: it takes nothing when the interpreter
    ends, and what was traced last is written then.
    """

    def __init__(self, engine: Engine, before: _Step[Any] | None = None, faults: list[BaseException] | None = None):
        self._engine = engine
        self._last = before
        self._faults: list[BaseException] = [] if faults is None else faults  # of all lines of a batch
        self._begun: list[_Step[Any]] = []
        self._lines: list[Behind] = []

    def insert(self, table: Table, rows: Sequence[Sequence[Any]], columns: Sequence[str] | None = None) -> None:
        """Have rows inserted when all that came before in this line is done; they have all columns, or those."""
        if not rows:
            return
        kinds = table.kinds if columns is None else {name: table.kinds[name] for name in columns}
        # Made here: two threads that both need the interpreter would each wait for the other, and the engine for them.
        block = to_block(kinds, rows)
        self._last = self._do(lambda: self._engine.insert_block(table.name, list(kinds), block))

    def ask(self, question: Callable[[], T]) -> Callable[[], T]:
        """Have the engine asked when all is inserted that came before; return what waits for the answer."""
        return self._do(question).result

    def beside(self) -> Behind:
        """Return a line that goes on beside this one, behind all that came before in it."""
        line = Behind(self._engine, self._last, self._faults)
        self._lines.append(line)
        return line

    def wait(self) -> None:
        """Return when all is done, in the lines beside too; raise what kept a step from it."""
        self.join()
        if self._faults:
            raise self._faults[0]

    def join(self) -> None:
        """Return when nothing is done any more."""
        for step in self._begun:
            step.join()
        for line in self._lines:
            line.join()

    def _do(self, work: Callable[[], T]) -> _Step[T]:
        step = _Step(work, self._last, self._faults)
        self._begun.append(step)
        return step


class _Step(Generic[T]):
    """Something that is done behind another step, in a thread of its own."""

    def __init__(self, work: Callable[[], T], before: _Step[Any] | None, faults: list[BaseException]) -> None:
        self._work: Callable[[], T] | None = work
        self._before = before
        self._faults = faults
        self._found: list[T] = []
        self._thread: Thread | None = None
        thread = Thread(target=self._run, name="tracehound-insert", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter ends, and from Python 3.12 on it starts no thread then
            self._run()
        else:
            self._thread = thread

    def join(self) -> None:
        """Return when it is done, or was left."""
        if self._thread is not None:
            self._thread.join()

    def result(self) -> T:
        """Return what came of it; raise what kept it from being done."""
        self.join()
        if not self._found:
            raise self._faults[0]
        return self._found[0]

    def _run(self) -> None:
        before, work = self._before, self._work
        self._before = self._work = None  # what it holds is not held longer than it is needed
        if before is not None:
            before.join()
        if work is not None and not self._faults:
            try:
                self._found.append(work())
            except BaseException as fault:  # noqa: BLE001 - whatever it is, it is raised to whoever waits
                self._faults.append(fault)


@contextmanager
def inserting_behind(engine: Engine) -> Iterator[Behind]:
    """Give what inserts behind the block; at its end all of it is there, or nothing is inserted any more."""
    behind = Behind(engine)
    try:
        yield behind
    finally:
        behind.join()
    behind.wait()
