"""What the routes work with, as whoever asks may see it: the same server over a narrowed store.

Traces that come in are written for all at once, by a writer that knows nothing of rights; so they are checked before
they get there.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from tracehound.runtime import Runtime
from tracehound.server.guard.guards import Guard
from tracehound.server.guard.narrowed import NarrowedStore
from tracehound.server.guard.rights import Rights
from tracehound.server.limits import ServerLimits
from tracehound.server.served import Served
from tracehound.server.writer import Writer
from tracehound.store.api import Writable

_MOST_VIEWS: Final = 200
_CHECKERS: Final = 2


class Views:
    """The views of one server, each made when it is first asked for."""

    def __init__(self, served: Served, drain: Callable[[], None] | None) -> None:
        self._served = served
        self._drain = drain
        self._lock = threading.Lock()
        self._views: dict[Rights, Served] = {}
        self._checkers = ThreadPoolExecutor(_CHECKERS, "tracehound-checker")

    @property
    def guard(self) -> Guard:
        """Who says what somebody may do."""
        return self._served.guard

    @property
    def limits(self) -> ServerLimits:
        """What the server takes on."""
        return self._served.limits

    def of(self, rights: Rights) -> Served:
        """Return what somebody with these rights works with."""
        known = self._views.get(rights)
        if known is not None:
            return known
        with self._lock:
            if len(self._views) >= _MOST_VIEWS:
                self._views.clear()
            return self._views.setdefault(rights, self._make(rights))

    def close(self) -> None:
        """Release the threads."""
        self._checkers.shutdown()

    def _make(self, rights: Rights) -> Served:
        base = self._served
        store = NarrowedStore(base.store, rights)
        runtime = Runtime(base.runtime.settings, store=store, drain=self._drain, origin=dict)
        writer = _CheckedWriter(base.writer, store, None if rights.experiment_ids is None else self._checkers)
        return dataclasses.replace(
            base, store=store, runtime=runtime, writer=writer, experiment_names={}, rights=rights
        )  # fmt: skip


class _CheckedWriter:
    """A writer that asks the narrowed store before it writes, in a thread where that has to look something up."""

    def __init__(self, writer: Writer, store: NarrowedStore, checkers: ThreadPoolExecutor | None) -> None:
        self._writer = writer
        self._store = store
        self._checkers = checkers

    def submit(self, changes: Sequence[Writable], size_bytes: int) -> Future[None]:
        """Have changes written; the future is done when they are safe, or refused."""
        if self._checkers is None:
            self._store.check(changes)
            return self._writer.submit(changes, size_bytes)
        written: Future[None] = Future()
        written.set_running_or_notify_cancel()  # who waits may leave; it is written all the same

        def tell(done: Future[None]) -> None:
            error = done.exception()
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)

        def check() -> None:
            self._store.check(changes)
            self._writer.submit(changes, size_bytes).add_done_callback(tell)

        def tell_refusal(checked: Future[None]) -> None:
            error = checked.exception()
            if error is not None:
                written.set_exception(error)

        self._checkers.submit(check).add_done_callback(tell_refusal)
        return written
