"""Several parts of one trace become one trace, the same in whatever order they arrived.

A trace comes in parts when children outlive the root, when services share a traceparent, when OTLP sends spans as it
likes, and as snapshots while it runs. The rules: spans are told apart by their id, a finished one beats a running one,
else the later part wins, and any part wins over a snapshot; what is said about the whole comes from the part with the
root, over what the other parts say, and that over where a part comes from and over what follows from the spans
(`model.derive`); the start is the least one seen. A part that says only what is known of the whole, in which a span
stands in for the others (`model.stand_in`), comes before the part with the root. A span that was running when its
process ended is an error, which ended when it was last seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from tracehound.model.derive import (
    derive_metadata,
    derive_name,
    derive_tags,
    request_preview,
    response_preview,
    sayings_of,
)
from tracehound.model.ids import experiment_id
from tracehound.model.record import replace, to_msgpack
from tracehound.model.reserved import ARTIFACT_LOCATION
from tracehound.model.span import Span, SpanStatus, SpanStatusCode
from tracehound.model.stand_in import is_stand_in
from tracehound.model.trace import TRACE_NAME, Trace, TraceData, TraceInfo, TracePart, TraceState
from tracehound.model.weight import WEIGHT, merge_weights

PROCESS_ENDED: Final = SpanStatus(SpanStatusCode.ERROR, "the process ended while this ran")

T = TypeVar("T")


def merge_parts(parts: Sequence[TracePart]) -> Trace:
    """Return the trace that the parts make; they all have its id, and at least one of them has a span."""
    ordered = effective_parts(parts)
    chosen = _choose_spans(ordered)
    told = _take_stand_in(chosen)
    spans = _in_order(chosen)
    root = spans[0]
    root_span, main = chosen[root.span_id]
    if told is not None:
        main = told[1]
        if root.parent_id is not None:  # what is known of the whole says more than a child
            root_span, root = told[0], _settle(*told)
    start_ns = min([root.start_time_ns, *[span.start_time_ns for span in spans]])
    by_weight = ordered if len(ordered) == 1 else [part for part in ordered if part is not main] + [main]
    experiment = experiment_id(main.experiment)
    sayings = sayings_of(spans)
    tags = derive_tags(spans[0], sayings)
    name = derive_name(root, sayings if told is None else sayings_of([root, *spans]))
    tags |= {TRACE_NAME: name, ARTIFACT_LOCATION: f"tracehound:/{experiment}/traces/{main.trace_id}"}
    metadata = {} if told is not None and is_stand_in(spans[0]) else derive_metadata(spans, sayings)
    for part in by_weight:
        metadata.update(part.origin)
    for part in by_weight:
        tags.update(part.tags)
        metadata.update(part.metadata)
    if WEIGHT in metadata:
        merge_weights(metadata, ordered)
    said_state = None if root_span.end_time_ns is None else _last([part.state for part in by_weight])
    info = TraceInfo(
        trace_id=main.trace_id,
        experiment_id=experiment,
        request_time=start_ns // 1_000_000,
        execution_duration=None if root.end_time_ns is None else max(0, root.end_time_ns - start_ns) // 1_000_000,
        state=said_state or _state_of(root),
        name=tags[TRACE_NAME],
        request_preview=_last([part.request_preview for part in by_weight]) or request_preview(root),
        response_preview=_last([part.response_preview for part in by_weight]) or response_preview(root),
        client_request_id=_last([part.client_request_id for part in by_weight]),
        trace_metadata=metadata,
        tags=tags,
    )
    return Trace(info, TraceData(spans))


def merge_spans(parts: Sequence[TracePart]) -> list[Span]:
    """Return the spans of the trace that the parts make: a third of the work, where nothing else is asked for."""
    chosen = _choose_spans(effective_parts(parts))
    _take_stand_in(chosen)
    return _in_order(chosen)


def effective_parts(parts: Sequence[TracePart]) -> list[TracePart]:
    """Return the parts that the trace is made of: later ones win, and snapshots come before all others.

    A snapshot is left out when others say all that it says, and better; a store may forget it then, since whatever
    arrives later cannot bring it back.
    """
    if len(parts) == 1:
        return list(parts)
    kept: list[TracePart] = []
    finished: set[str] = set()
    known: set[str] = set()
    for part in sorted(parts, key=_rank, reverse=True):
        ended = {span.span_id for span in part.spans if span.end_time_ns is not None}
        running = {span.span_id for span in part.spans} - ended
        if part.owner is None or not (ended <= finished and running <= known):
            kept.append(part)
        finished |= ended
        known |= ended | running
    return kept[::-1]


def as_written(part: TracePart) -> TracePart:
    """Return a part as its process wrote it, whatever has become of the process since."""
    return replace(part, has_ended=False) if part.has_ended else part


def order_spans(spans: list[Span]) -> list[Span]:
    """Return the spans as results show them: those without a parent here first, then by start time.

    A span whose parent is in another process is a root of what is known here.
    """
    if len(spans) == 1:
        return spans
    by_id = {span.span_id: span for span in spans}
    ranks = [(span.parent_id is not None, span.parent_id in by_id, span.start_time_ns, span.span_id) for span in spans]
    ranks.sort()
    return [by_id[rank[3]] for rank in ranks]


def _in_order(chosen: dict[str, tuple[Span, TracePart]]) -> list[Span]:
    return order_spans(
        [span if span.end_time_ns is not None else _settle(span, part) for span, part in chosen.values()]
    )


def _rank(part: TracePart) -> tuple[bool, int, bytes]:
    return (part.owner is None, part.written_ns, to_msgpack(part))


def _choose_spans(ordered: Sequence[TracePart]) -> dict[str, tuple[Span, TracePart]]:
    """Return for each id the span that counts, and the part that it comes from."""
    if len(ordered) == 1:
        only = ordered[0]
        single = {span.span_id: (span, only) for span in only.spans}
        if len(single) == len(only.spans):  # as nearly always
            return single
    chosen: dict[str, tuple[Span, TracePart]] = {}
    for part in ordered:
        for span in part.spans:
            known = chosen.get(span.span_id)
            if known is None or known[0].end_time_ns is None or span.end_time_ns is not None:
                chosen[span.span_id] = (span, part)
    return chosen


def _take_stand_in(chosen: dict[str, tuple[Span, TracePart]]) -> tuple[Span, TracePart] | None:
    """Return the span that stands in for others, and its part; take it away where there are others."""
    for span_id, (span, part) in chosen.items():
        if is_stand_in(span):
            if len(chosen) > 1:
                del chosen[span_id]
            return span, part
    return None


def _settle(span: Span, part: TracePart) -> Span:
    """Return a span as it is to be seen: ended with its process, if that is gone."""
    if span.end_time_ns is not None or not part.has_ended:
        return span
    return replace(span, end_time_ns=max(part.written_ns, span.start_time_ns), status=PROCESS_ENDED)


def _state_of(root: Span) -> TraceState:
    """Return the state that the root span gives its trace."""
    if root.end_time_ns is None:
        return TraceState.IN_PROGRESS
    return TraceState.ERROR if root.status.status_code is SpanStatusCode.ERROR else TraceState.OK


def _last(values: Sequence[T | None]) -> T | None:
    """Return the last value that is there."""
    for value in reversed(values):
        if value is not None:
            return value
    return None
