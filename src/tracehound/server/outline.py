"""Routes for looking at one trace: the outline of its spans, one span with its values, and where a text stands.

A trace may have tens of thousands of spans, and a span values of megabytes. An outline has of each span what a tree
and a waterfall show; what one span holds is asked for when somebody looks at it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.garbage import no_collection
from tracehound.model.record import Record
from tracehound.model.span import Span
from tracehound.model.values import clean_text
from tracehound.server.rows import Asked
from tracehound.server.served import Served
from tracehound.server.shapes import SpanShape, TraceShape, shape_of_trace, shapes_of_spans
from tracehound.server.traces import TraceRequest, read_trace
from tracehound.wire.outline import SpanOutline, find_span, outline_of


class OutlinedSpan(Record, frozen=True, kw_only=True):
    """A span without its values; `start_ms` counts from the first start of the trace, what runs has no duration."""

    span_id: str
    parent_id: str | None
    name: str
    type: str | None
    status: str
    start_ms: float
    duration_ms: float | None
    model: str | None
    tokens: float | None
    cost: float | None


class Outline(Record, frozen=True, kw_only=True):
    """A trace and what its tree shows: roots first, then in the order of their starts."""

    trace: TraceShape
    start_time_ns: str
    spans: list[OutlinedSpan]


class SpanRequest(Asked, frozen=True, kw_only=True):
    """A span by its id and that of its trace."""

    trace_id: str
    span_id: str


class MatchRequest(Asked, frozen=True, kw_only=True):
    """A text that is looked for in the spans of a trace, in any case."""

    trace_id: str
    text: str


class Matches(Record, frozen=True, kw_only=True):
    """The spans that hold a text, in the order of the outline."""

    span_ids: list[str]


def get_outline(served: Served, asked: TraceRequest) -> Outline:
    """Return a trace with what a tree of its spans shows."""
    with no_collection():
        trace = read_trace(served, asked.trace_id)
        spans = outline_of(trace.data)
        first_ns = min((span.start_time_ns for span in spans), default=trace.info.request_time * 1_000_000)
        return Outline(
            trace=shape_of_trace(trace.info),
            start_time_ns=str(first_ns),
            spans=[_shape_of_outline(span, first_ns) for span in spans],
        )


def get_span(served: Served, asked: SpanRequest) -> SpanShape:
    """Return one span of a trace, with its values."""
    with no_collection():
        span = find_span(read_trace(served, asked.trace_id).data, asked.span_id)
    if span is None:
        raise NotFoundError(f"the trace {clean_text(asked.trace_id)} has no span {clean_text(asked.span_id)}")
    return shapes_of_spans([span])[0]


def find_in_trace(served: Served, asked: MatchRequest) -> Matches:
    """Return which spans of a trace hold a text: in their names, inputs, outputs, attributes, events or status."""
    if not asked.text:
        raise ArgumentError("text is what to look for, and it is empty")
    # Values are JSON texts: what is looked for is looked for as it is written there, too.
    needles = {asked.text.lower(), json.dumps(asked.text, ensure_ascii=False)[1:-1].lower()}
    with no_collection():
        spans = read_trace(served, asked.trace_id).data.spans
    return Matches(
        span_ids=[
            span.span_id for span in spans if any(needle in text.lower() for text in _texts(span) for needle in needles)
        ]
    )


def _shape_of_outline(span: SpanOutline, first_ns: int) -> OutlinedSpan:
    return OutlinedSpan(
        span_id=span.span_id,
        parent_id=span.parent_id,
        name=span.name,
        type=span.span_type,
        status=span.status,
        start_ms=(span.start_time_ns - first_ns) / 1e6,
        duration_ms=None if span.end_time_ns is None else (span.end_time_ns - span.start_time_ns) / 1e6,
        model=span.model,
        tokens=span.tokens,
        cost=span.cost,
    )


def _texts(span: Span) -> Iterator[str]:
    yield span.name
    yield span.status.description
    yield span.inputs_json or ""
    yield span.outputs_json or ""
    yield from span.attributes_json.values()
    for event in span.event_records:
        yield event.name
        yield from event.attributes_json.values()
