"""Snapshots of traces that run, so that other processes see them, and a crash shows the span it happened in.

The first is due when a trace has run for a second, the next ones after 2, 4, 8 … 60 s more. Each holds the spans that
ended since the last one and all that run. Making them takes at most a fiftieth of the time of a core: a round that
took long is followed by a long pause.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from tracehound.context.draft import TraceDraft
from tracehound.model.span import Span
from tracehound.model.trace import TracePart

TICK_S: Final = 0.25
LONGEST_INTERVAL_S: Final = 60.0
_SHARE_OF_A_CORE: Final = 0.02

_logger = logging.getLogger("tracehound.context")


class OpenSpan(Protocol):
    """A span that runs."""

    @property
    def draft(self) -> TraceDraft:
        """The trace that it is a part of."""
        ...

    def to_record(self) -> Span:
        """Return the span as it is now."""
        ...


# Open spans by the number of their id. They are held weakly: a span that its program has forgotten cannot end any more.
OpenSpans: TypeAlias = dict[int, Callable[[], OpenSpan | None]]


def find_drafts(open_spans: OpenSpans, trace_id: str) -> list[TraceDraft]:
    """Return what a process puts together of a trace at present, until it has been handed over and kept."""
    drafts: dict[int, TraceDraft] = {}
    for number, reference in list(open_spans.items()):
        span = reference()
        if span is None:  # a span that nobody ended
            open_spans.pop(number, None)
        elif span.draft.trace_id == trace_id:
            drafts[id(span.draft)] = span.draft
    return list(drafts.values())


class RunningTraces:
    """Watches the open spans of a process, in a thread of its own."""

    def __init__(
        self,
        open_spans: OpenSpans,
        keep: Callable[[TracePart], bool],
        clock_ns: Callable[[], int],
        first_after_s: float,
    ) -> None:
        self._open_spans = open_spans
        self._keep = keep
        self._clock_ns = clock_ns
        self._first_after_s = first_after_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tracehound-running", daemon=True)

    def start(self) -> None:
        """Begin to watch, unless the interpreter is going down."""
        with contextlib.suppress(RuntimeError):
            self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def take_due(self, now_s: float) -> None:
        """Keep a snapshot of every trace that is due at this time, in seconds of any clock."""
        for draft, spans in self._by_trace():
            if draft.snapshot_due_s is None:
                draft.snapshot_due_s, draft.snapshot_interval_s = now_s + self._first_after_s, self._first_after_s
            elif now_s >= draft.snapshot_due_s:
                self._take(draft, spans)
                draft.snapshot_interval_s = min(2 * draft.snapshot_interval_s, LONGEST_INTERVAL_S)
                draft.snapshot_due_s = now_s + draft.snapshot_interval_s

    def take_all(self) -> None:
        """Keep a snapshot of every trace that runs, when it is the last occasion."""
        for draft, spans in self._by_trace():
            self._take(draft, spans)

    def _by_trace(self) -> list[tuple[TraceDraft, list[OpenSpan]]]:
        """Return the traces that run, each with its open spans."""
        found: dict[int, tuple[TraceDraft, list[OpenSpan]]] = {}
        for number, reference in list(self._open_spans.items()):
            span = reference()
            if span is None:
                self._open_spans.pop(number, None)
            else:
                found.setdefault(id(span.draft), (span.draft, []))[1].append(span)
        return list(found.values())

    def _take(self, draft: TraceDraft, spans: list[OpenSpan]) -> None:
        records = [record for record in (span.to_record() for span in spans) if record.end_time_ns is None]
        if not records:
            return  # all of them have ended meanwhile
        # Whoever decides that a trace is not kept says so first and then looks whether it was shown; here it is the
        # other way round. So what was shown of it is taken away again, or nothing is shown.
        draft.is_shown = True
        if draft.choice == 0:
            return
        part, end = draft.snapshot(records, self._clock_ns())
        if self._keep(part):
            draft.confirm_snapshot(end)

    def _run(self) -> None:
        pause_s = TICK_S
        while not self._stop.wait(pause_s):
            begun_s = time.thread_time()
            try:
                self.take_due(time.monotonic())
            except Exception:
                _logger.exception("running traces were not shown; they are kept when they end")
            pause_s = max(TICK_S, (time.thread_time() - begun_s) / _SHARE_OF_A_CORE)
