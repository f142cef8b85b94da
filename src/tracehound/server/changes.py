"""What is new or changed in a store since the last look, whoever wrote it.

The store tells cheaply whether anything was written (`Store.version`). New traces stand behind the number of the last
one that was seen. Of the others, those that ran when they were seen last are looked at again, and those that this
server has changed itself; that another process has changed anything else is told without saying what.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tracehound.model.trace import TraceInfo, TraceState
from tracehound.runtime import Runtime
from tracehound.store.api import Arrival, Store

_MOST: Final = 500


@dataclass(frozen=True)
class Look:
    """What has happened: new traces, changed ones; whether there may be more that nobody can name."""

    new: tuple[Arrival, ...] = ()
    changed: tuple[TraceInfo, ...] = ()
    has_more: bool = False


class Changes:
    """What has happened to a store. One thread at a time looks; any may note what it has changed."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._version: tuple[int, ...] | None = None
        self._last = 0
        self._running: dict[str, TraceInfo] = {}
        self._lock = threading.Lock()
        self._noted: set[str] = set()

    def note(self, trace_ids: Iterable[str]) -> None:
        """Say that this server has written something of traces."""
        with self._lock:
            if len(self._noted) < _MOST:
                self._noted.update(trace_ids)

    def begin(self) -> None:
        """Take what there is for known."""
        with self._lock:
            self._noted.clear()
        store = self._runtime.drained_store()
        self._version = store.version()
        newest = store.arrivals(None, 1)
        self._last = newest[-1].number if newest else 0
        self._running.clear()

    def since(self, number: int) -> Look:
        """Return the traces behind a number, which whoever listens again has heard of last."""
        arrivals = self._runtime.drained_store().arrivals(number, _MOST + 1)
        return Look(tuple(arrivals[:_MOST]), (), len(arrivals) > _MOST)

    def look(self) -> Look | None:
        """Return what has happened since the last look; None for nothing.

        What was written is noted a moment later. Where a look comes in between, the next one tells of it.
        """
        store = self._runtime.drained_store()
        with self._lock:  # before the version is read: what has been noted by then is part of it
            noted, self._noted = self._noted, set()
        version = store.version()
        is_written = version != self._version
        if not is_written and not noted:
            return None
        self._version = version
        arrivals = store.arrivals(self._last, _MOST + 1)
        new = {arrival.info.trace_id for arrival in arrivals}
        known = self._read(store, [each for each in {**dict.fromkeys(noted), **self._running} if each not in new])
        changed = [info for info in known if info != self._running.get(info.trace_id)]
        if len(arrivals) > _MOST:  # more than anybody wants to be told: go on with what comes now
            self._last = store.arrivals(None, 1)[-1].number
        elif arrivals:
            self._last = arrivals[-1].number
        self._remember([*known, *(arrival.info for arrival in arrivals)])
        # Where nothing of it can be named, something else was changed: a tag, say, by another process.
        has_more = len(arrivals) > _MOST or (is_written and not (arrivals or changed))
        return Look(tuple(arrivals[:_MOST]), tuple(changed), has_more)

    def _read(self, store: Store, trace_ids: Sequence[str]) -> list[TraceInfo]:
        return [trace.info for trace in store.read_traces(trace_ids[:_MOST]).values()] if trace_ids else []

    def _remember(self, infos: Iterable[TraceInfo]) -> None:
        """Keep in mind what runs, to look at it again."""
        for info in infos:
            self._running.pop(info.trace_id, None)
            if info.state is TraceState.IN_PROGRESS:
                self._running[info.trace_id] = info
        for trace_id in list(self._running)[:-_MOST]:
            del self._running[trace_id]
