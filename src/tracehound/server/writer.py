"""Writing what arrives: requests that come together go into one transaction of the store.

A transaction is safe when the disk says so, which takes as long for one trace as for a thousand. So one thread takes
all that has queued and writes it; what comes meanwhile is the next batch. Where the store can be asked to sync what it
has written, another thread does that and tells everyone who waits, while the next batch is written already. Nobody is
told before what he waits for is safe.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Final, Protocol

from tracehound.errors import StoreBusyError, StoreError
from tracehound.server.problems import BacklogFullError, StoppingError, UnstorableError
from tracehound.store.api import PreparingStore, Store, Writable

_BATCH_BYTES: Final = 8_000_000

_logger = logging.getLogger("tracehound.server")


class Backlog:
    """How many bytes are under way: read, decoded or waiting to be written."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._waiting_bytes = 0

    def take(self, count: int) -> None:
        """Make room for so many bytes more; raise `BacklogFullError` where there is none."""
        with self._lock:
            if self._waiting_bytes + count > self._max_bytes:
                raise BacklogFullError(
                    f"more than {self._max_bytes:,} bytes wait to be written: send this again in a second"
                )
            self._waiting_bytes += count

    def size_bytes(self) -> int:
        """Return how many bytes are under way."""
        return self._waiting_bytes

    def give_back(self, count: int) -> None:
        """Say that so many bytes are under way no more."""
        with self._lock:
            self._waiting_bytes -= count


class Share:
    """What one request takes of the backlog, given back when it is answered."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        self._taken = 0

    def take(self, count: int) -> None:
        """Take so many bytes more; raise `BacklogFullError` where there is no room."""
        self._backlog.take(count)
        self._taken += count

    def __enter__(self) -> Share:
        return self

    def __exit__(self, *_: object) -> None:
        self._backlog.give_back(self._taken)


@dataclass(frozen=True)
class _Entry:
    """What one request wants written, and who waits for that."""

    changes: Sequence[Writable]
    size_bytes: int
    written: Future[None] = field(default_factory=Future)


class Writer(Protocol):
    """Where what arrives is handed over to be written."""

    def submit(self, changes: Sequence[Writable], size_bytes: int) -> Future[None]:
        """Have changes written; the future is done when they are as safe as the store makes anything, or refused."""
        ...


class GroupWriter:
    """Writes to a store for many at a time. Its thread starts with the first of them."""

    def __init__(self, store: Store, patience_s: float) -> None:
        self._syncer = _Syncer(store) if isinstance(store, PreparingStore) else None
        # What was prepared comes only where the store says how that is done.
        self._apply: Callable[[Sequence[Any]], int] = (
            store.write_prepared if isinstance(store, PreparingStore) else store.write
        )
        self._patience_s = patience_s
        self._queue: SimpleQueue[_Entry | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self.batches = 0

    def submit(self, changes: Sequence[Writable], size_bytes: int) -> Future[None]:
        """Have changes written; the future is done when they are as safe as the store makes anything, or refused."""
        entry = _Entry(changes, size_bytes)
        entry.written.set_running_or_notify_cancel()  # who waits may leave; it is written all the same
        with self._lock:
            if self._is_closed:
                raise StoppingError("the server is about to stop")
            if self._thread is None:
                self._thread = self._start()
            self._queue.put(entry)
        return entry.written

    def _start(self) -> threading.Thread:
        """Start the threads, the other one first: who has written needs it; raise where the system gives none."""
        thread = threading.Thread(target=self._run, name="tracehound-writer", daemon=True)
        try:
            if self._syncer is not None:
                self._syncer.start()
            thread.start()
        except RuntimeError as error:
            raise BacklogFullError("there is no room for another thread: send this again in a second") from error
        return thread

    def close(self) -> None:
        """Write what has been submitted, and end."""
        with self._lock:
            self._is_closed = True
            thread = self._thread
            self._queue.put(None)
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        is_over = False
        while not is_over:
            entries, is_over = self._take()
            if entries:
                self._write(entries)
                self.batches += 1
        if self._syncer is not None:
            self._syncer.close()

    def _take(self) -> tuple[list[_Entry], bool]:
        """Wait for something, and return all that has queued, up to what a batch may hold; and whether that is all."""
        entries: list[_Entry] = []
        size_bytes = 0
        entry = self._queue.get()
        with suppress(Empty):
            while entry is not None:
                entries.append(entry)
                size_bytes += entry.size_bytes
                if size_bytes >= _BATCH_BYTES:
                    return entries, False
                entry = self._queue.get_nowait()
            return entries, True
        return entries, False

    def _write(self, entries: Sequence[_Entry]) -> None:
        """Write a batch and tell who waits. Where it cannot be written as a whole, each is written alone."""
        try:
            said = self._write_patiently([change for entry in entries for change in entry.changes])
        except (StoreError, MemoryError) as error:
            _refuse(entries, error)
        except Exception as error:  # noqa: BLE001 - one that no store can hold must not take the others with it
            if len(entries) > 1:
                for entry in entries:
                    self._write([entry])
                return
            _logger.warning("a request was refused, the store cannot hold what it brings: %s", error)
            _refuse(entries, UnstorableError("the store cannot hold what this request brings"))
        else:
            if self._syncer is None:
                _accept(entries)
            else:
                self._syncer.submit(entries, said)

    def _write_patiently(self, changes: Sequence[Writable]) -> int:
        """Write, and wait where others keep the store locked: an attempt takes about a second."""
        begun_s = time.monotonic()
        while True:
            try:
                return self._apply(changes)
            except StoreBusyError:  # noqa: PERF203 - an attempt takes a second
                if time.monotonic() - begun_s >= self._patience_s:
                    raise


class _Syncer:
    """Has a store sync what was written, all batches that wait at once, and tells who waits for them."""

    def __init__(self, store: PreparingStore) -> None:
        self._store = store
        self._queue: SimpleQueue[tuple[Sequence[_Entry], int] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="tracehound-syncer", daemon=True)

    def start(self) -> None:
        """Begin; once is enough."""
        if not self._thread.is_alive():
            self._thread.start()

    def submit(self, entries: Sequence[_Entry], incarnation: int) -> None:
        """Have a batch synced, and who waits for it told."""
        self._queue.put((entries, incarnation))

    def close(self) -> None:
        """Sync what was submitted, and end."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        is_over = False
        while not is_over:
            waiting = [self._queue.get()]
            with suppress(Empty):
                while True:
                    waiting.append(self._queue.get_nowait())
            is_over = waiting[-1] is None
            by_incarnation: defaultdict[int, list[_Entry]] = defaultdict(list)  # nearly always one
            for entries, incarnation in filter(None, waiting):
                by_incarnation[incarnation] += entries
            for incarnation, entries in by_incarnation.items():
                self._sync(incarnation, entries)

    def _sync(self, incarnation: int, entries: Sequence[_Entry]) -> None:
        try:
            self._store.sync(incarnation)
        except Exception as error:  # noqa: BLE001 - who waits is told, whatever it is
            _refuse(entries, error)
        else:
            _accept(entries)


def _accept(entries: Sequence[_Entry]) -> None:
    for entry in entries:
        entry.written.set_result(None)


def _refuse(entries: Sequence[_Entry], error: BaseException) -> None:
    for entry in entries:
        entry.written.set_exception(error)
