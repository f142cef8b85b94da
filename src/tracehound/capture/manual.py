"""Spans that user code begins itself: `start_span` for a block, `start_span_no_context` for two distant calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from tracehound.capture.begin import begin_child, begin_span
from tracehound.capture.current import say, to_tags, to_texts
from tracehound.capture.live_span import LiveSpan
from tracehound.capture.no_op_span import NoOpSpan
from tracehound.capture.shield import report_fault
from tracehound.model.occurrence import Link
from tracehound.model.span import UNKNOWN
from tracehound.model.values import clean_text


def start_span(
    name: str = "span",
    span_type: str = UNKNOWN,
    attributes: Mapping[str, object] | None = None,
    links: Sequence[Link] | None = None,
) -> AbstractContextManager[LiveSpan]:
    """Capture a block as a span under the current one, or as the first span of a new trace.

    Inputs and outputs are what the block sets. An exception that leaves the block is recorded and goes on.

    >>> import tracehound
    >>> with tracehound.start_span("rank", span_type="RERANKER") as span:
    ...     span.set_inputs({"candidates": 3})
    ...     span.set_outputs(["b", "a", "c"])
    >>> tracehound.get_trace(span.trace_id).data.spans[0].outputs
    ['b', 'a', 'c']
    """
    return _SpanScope(name, span_type, attributes, links)


def start_span_no_context(
    name: str,
    span_type: str = UNKNOWN,
    parent_span: LiveSpan | None = None,
    inputs: object = None,
    attributes: Mapping[str, object] | None = None,
    tags: Mapping[str, object] | None = None,
    metadata: Mapping[str, object] | None = None,
    start_time_ns: int | None = None,
    links: Sequence[Link] | None = None,
) -> LiveSpan:
    """Begin a span that is not made current, and that the caller ends with `end`.

    It stands below `parent_span`, else below the current span, else it begins a trace. `start_time_ns` is a time in
    nanoseconds since the epoch; tags and metadata are the trace's. For callbacks, whose begin and end are two calls.

    >>> import tracehound
    >>> span = tracehound.start_span_no_context("request", inputs={"path": "/"}, tags={"route": "home"})
    >>> tracehound.get_current_active_span() is None
    True
    >>> span.end(outputs={"status": 200})
    >>> tracehound.get_trace(span.trace_id).info.tags["route"]
    'home'
    """
    said = None if tags is None and metadata is None else (to_tags(tags), to_texts("metadata", metadata))
    try:
        clean = clean_text(str(name)), clean_text(str(span_type))
        span = begin_span(*clean) if parent_span is None else begin_child(parent_span, *clean)
    except Exception as fault:  # noqa: BLE001 - the shield
        report_fault("start_span", fault)
        return NoOpSpan(name)
    if span.is_recording():
        if said is not None:
            say(span.draft, *said)
        if inputs is not None or attributes or links:
            _fill(span, inputs, attributes, links)
        span.start(start_time_ns)
    return span


def _fill(
    span: LiveSpan, inputs: object, attributes: Mapping[str, object] | None, links: Sequence[Link] | None
) -> None:
    """Record what is known of a span when it begins; it goes on without what makes no sense."""
    try:
        if inputs is not None:
            span.set_inputs(inputs)
        if attributes:
            span.set_attributes(attributes)
        for link in links or ():
            span.add_link(link)
    except Exception as fault:  # noqa: BLE001 - the shield
        report_fault("start_span", fault)


class _SpanScope(AbstractContextManager[LiveSpan]):
    """A span for the length of a block; each entry is a span of its own."""

    def __init__(
        self, name: str, span_type: str, attributes: Mapping[str, object] | None, links: Sequence[Link] | None
    ) -> None:
        self._name = name
        self._span_type = span_type
        self._attributes = attributes
        self._links = links
        self._open: list[tuple[LiveSpan, Any]] = []

    def __enter__(self) -> LiveSpan:
        try:
            span = begin_span(clean_text(str(self._name)), clean_text(str(self._span_type)))
        except Exception as fault:  # noqa: BLE001 - the shield
            report_fault("start_span", fault)
            span = NoOpSpan(self._name)
        if span.is_recording():
            _fill(span, None, self._attributes, self._links)
        self._open.append((span, span.enter()))
        return span

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, stack: TracebackType | None
    ) -> None:
        span, token = self._open.pop()
        span.leave(token, exception)
