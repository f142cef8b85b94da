"""Several parts of one trace become one trace, the same in whatever order they arrived.

A trace comes in parts when children outlive the root, when services share a traceparent, and when OTLP sends spans as
it likes. The rules: spans are told apart by their id, a finished one beats a running one, else the later part wins;
what is said about the whole comes from the part with the root, over what the other parts say; the start is the least
one seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from tracehound.model.ids import experiment_id
from tracehound.model.record import to_msgpack
from tracehound.model.span import Span, SpanStatusCode
from tracehound.model.trace import Trace, TraceData, TraceInfo, TracePart, TraceState

TRACE_NAME: Final = "mlflow.traceName"
MAX_PREVIEW: Final = 1000

T = TypeVar("T")


def merge_parts(parts: Sequence[TracePart]) -> Trace:
    """Return the trace that the parts make; they all have its id, and at least one of them has a span."""
    ordered = parts if len(parts) == 1 else sorted(parts, key=lambda part: (part.written_ns, to_msgpack(part)))
    spans = _merge_spans(ordered)
    root = spans[0]
    start_ns = min(span.start_time_ns for span in spans)
    main = next(part for part in reversed(ordered) if any(span.span_id == root.span_id for span in part.spans))
    by_weight = [part for part in ordered if part is not main] + [main]
    tags = {TRACE_NAME: root.name}
    metadata: dict[str, str] = {}
    for part in by_weight:
        tags.update(part.tags)
        metadata.update(part.metadata)
    info = TraceInfo(
        trace_id=main.trace_id,
        experiment_id=experiment_id(main.experiment),
        request_time=start_ns // 1_000_000,
        execution_duration=None if root.end_time_ns is None else max(0, root.end_time_ns - start_ns) // 1_000_000,
        state=_last([part.state for part in by_weight]) or _state_of(root),
        name=tags[TRACE_NAME],
        request_preview=_last([part.request_preview for part in by_weight]) or preview(root.inputs_json),
        response_preview=_last([part.response_preview for part in by_weight]) or preview(root.outputs_json),
        client_request_id=_last([part.client_request_id for part in by_weight]),
        trace_metadata=metadata,
        tags=tags,
    )
    return Trace(info, TraceData(spans))


def order_spans(spans: list[Span]) -> list[Span]:
    """Return the spans as results show them: those without a parent here first, then by start time.

    A span whose parent is in another process is a root of what is known here.
    """
    known = {span.span_id for span in spans}

    def rank(span: Span) -> tuple[bool, bool, int, str]:
        return (span.parent_id is not None, span.parent_id in known, span.start_time_ns, span.span_id)

    return sorted(spans, key=rank)


def preview(text: str | None) -> str | None:
    """Return the beginning of a JSON text, at most `MAX_PREVIEW` characters with the dots that mark a cut."""
    if text is None or len(text) <= MAX_PREVIEW:
        return text
    return f"{text[: MAX_PREVIEW - 3]}..."


def _merge_spans(ordered: Sequence[TracePart]) -> list[Span]:
    """Return one span for each id, in the order of results."""
    spans: dict[str, Span] = {}
    for part in ordered:
        for span in part.spans:
            known = spans.get(span.span_id)
            if known is None or known.end_time_ns is None or span.end_time_ns is not None:
                spans[span.span_id] = span
    return order_spans(list(spans.values()))


def _state_of(root: Span) -> TraceState:
    """Return the state that the root span gives its trace."""
    if root.end_time_ns is None:
        return TraceState.IN_PROGRESS
    return TraceState.ERROR if root.status.status_code is SpanStatusCode.ERROR else TraceState.OK


def _last(values: Sequence[T | None]) -> T | None:
    """Return the last value that is there."""
    return next((value for value in reversed(values) if value is not None), None)
