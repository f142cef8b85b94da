"""For tests of programs that are traced with Tracehound: capture into memory, with ids and a clock that repeat.

with recorded_traces() as traces:
    answer("why?")
assert traces.as_dicts() == [{"name": "answer", "state": "OK", "spans": [{"name": "answer", "status": "OK"}]}]
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tracehound import runtime
from tracehound.client.pages import read_pages
from tracehound.model.span import Span
from tracehound.model.trace import Trace
from tracehound.query.search import parse_search
from tracehound.runtime import Runtime
from tracehound.settings import Settings


class TickingClock:
    """A clock that moves one millisecond forward whenever it is read, from 2025-01-01 on.

    >>> clock = TickingClock()
    >>> clock(), clock()
    (1735689600000000000, 1735689600001000000)
    """

    def __init__(self, start_ns: int = 1_735_689_600_000_000_000, step_ns: int = 1_000_000) -> None:
        self._ticks = itertools.count(start_ns, step_ns)

    def __call__(self) -> int:
        """Return the time in nanoseconds since the epoch."""
        return next(self._ticks)


class CountingIds:
    """Ids that count from 1.

    >>> import tracehound
    >>> with recorded_traces(), tracehound.start_span("greet") as span:
    ...     pass
    >>> span.trace_id, span.span_id
    ('tr-00000000000000000000000000000001', '0000000000000001')
    """

    def __init__(self) -> None:
        self._traces = itertools.count(1)
        self._spans = itertools.count(1)

    def trace_id(self) -> int:
        """Return the next trace id."""
        return next(self._traces)

    def span_id(self) -> int:
        """Return the next span id."""
        return next(self._spans)


class RecordedTraces:
    """The traces that finished inside `recorded_traces`, oldest first; readable behind the block too.

    >>> import tracehound
    >>> with recorded_traces() as recorded, tracehound.start_span("greet") as span:
    ...     span.set_inputs({"name": "Tom"})
    >>> [trace.data.spans[0].inputs for trace in recorded.traces()]
    [{'name': 'Tom'}]
    """

    def __init__(self, recording: Runtime) -> None:
        self._recording = recording

    def traces(self) -> list[Trace]:
        """Return the traces, of all experiments."""
        store = self._recording.drained_store()
        search = parse_search([each.experiment_id for each in store.experiments()], order_by=["timestamp_ms ASC"])
        return [trace for page in read_pages(store, search) for trace in page]

    def as_dicts(self) -> list[dict[str, Any]]:
        """Return of each trace its name, its state, and the names and states of its spans, children inside."""
        return [
            {"name": trace.info.name, "state": str(trace.info.state), "spans": _as_trees(trace.data.spans)}
            for trace in self.traces()
        ]


@contextmanager
def recorded_traces() -> Iterator[RecordedTraces]:
    """Capture into memory inside the block, with counting ids and a ticking clock; faults of capture are raised.

    >>> import tracehound
    >>> with recorded_traces() as traces:
    ...     with tracehound.start_span("greet"):
    ...         pass
    ...     traces.as_dicts()
    [{'name': 'greet', 'state': 'OK', 'spans': [{'name': 'greet', 'status': 'OK'}]}]
    """
    settings = dataclasses.replace(Settings(), tracking_uri="memory://", snapshot_after_s=0.0, raise_faults=True)
    recording = Runtime(settings, CountingIds(), TickingClock(), origin=dict)
    before = runtime.replace(recording)
    try:
        yield RecordedTraces(recording)
    finally:
        runtime.replace(before)


def _as_trees(spans: list[Span]) -> list[dict[str, Any]]:
    """Return the spans whose parent is not among them, with the others inside."""
    known = {span.span_id for span in spans}
    return [_as_tree(span, spans) for span in spans if span.parent_id not in known]


def _as_tree(top: Span, spans: list[Span]) -> dict[str, Any]:
    told: dict[str, Any] = {"name": top.name, "status": str(top.status.status_code)}
    below = [_as_tree(span, spans) for span in spans if span.parent_id == top.span_id]
    return {**told, "spans": below} if below else told
