"""Span processors: functions that change a span before it is kept, as MLflow's do.

They get the span as a live one, whose methods they know, when it is handed over; also when it is only shown while it
runs, so that what they take out is never on disk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from tracehound.capture.live_span import LiveSpan
from tracehound.context.draft import TraceDraft
from tracehound.model.record import replace
from tracehound.model.span import Span
from tracehound.runtime import current
from tracehound.screening.screen import place_of

SpanProcessor: TypeAlias = Callable[[LiveSpan], object]

_logger = logging.getLogger("tracehound.capture")


def to_rework(processors: Sequence[SpanProcessor]) -> Callable[[Span], Span] | None:
    """Return what has processors change a span, one after the other; None where there are none."""
    if not processors:
        return None

    def rework(span: Span) -> Span:
        shown = _ShownSpan(span)
        for each in processors:
            _process(each, shown)
        return shown.to_changed(span)

    return rework


def _process(processor: SpanProcessor, span: LiveSpan) -> None:
    try:
        processor(span)
    except Exception as fault:  # noqa: BLE001 - whatever a user's function does
        place = place_of(fault)
        _logger.warning("the span processor %r failed, and the span is kept without it: %s", processor, place)


class _ShownSpan(LiveSpan):
    """A span that has ended, or runs still, which can be changed once more."""

    def __init__(self, span: Span) -> None:
        runtime = current()
        parent_number = None if span.parent_id is None else int(span.parent_id, 16)
        draft = TraceDraft(int(span.trace_id[-32:], 16), runtime.settings.experiment)
        super().__init__(
            runtime, span.name, span.span_type or "", dict(span.attributes_json), None, draft, parent_number
        )
        self._number = int(span.span_id, 16)
        self._kind = span.kind
        self._start_ns = span.start_time_ns
        self._ended_ns = span.end_time_ns
        self._status = span.status
        self._inputs, self._outputs = span.inputs_json, span.outputs_json
        self._events, self._links = list(span.event_records), list(span.link_records)
        self._owns_texts = True

    @property
    def end_time_ns(self) -> int | None:
        """When the step ended, in nanoseconds since the epoch; None while it runs."""
        return self._ended_ns

    def close(self, end_ns: int, now_ns: int, result: object = None) -> None:
        """Do nothing: it has ended."""

    def set_status(self, status: object, description: str | None = None) -> None:
        """Say how the step ended, whatever was said before."""
        self._status = type(self._status)()
        super().set_status(status, description)

    def to_changed(self, span: Span) -> Span:
        """Return the span with what was changed."""
        changed: dict[str, Any] = {
            "name": self._name, "status": self._status, "span_type": self._span_type or span.span_type,
            "inputs_json": self._inputs, "outputs_json": self._outputs, "attributes_json": self._texts,
            "event_records": tuple(self._events), "link_records": tuple(self._links),
        }  # fmt: skip
        return replace(span, **changed)
