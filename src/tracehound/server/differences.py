"""Routes for two traces side by side: which span stands for which, and where the values of two spans differ."""

from __future__ import annotations

from typing import Any

from tracehound.analysis.differences import SpanPair, ValueDifference, compare_spans, value_differences
from tracehound.errors import NotFoundError
from tracehound.model.garbage import no_collection
from tracehound.model.record import Record
from tracehound.model.span import Span
from tracehound.model.values import clean_text
from tracehound.server.rows import Asked
from tracehound.server.served import Served
from tracehound.server.shapes import SpanShape, TraceShape, shape_of_trace, shapes_of_spans
from tracehound.server.traces import read_trace
from tracehound.wire.outline import find_span

_MOST_VALUES = 100


class DiffRequest(Asked, frozen=True, kw_only=True):
    """Two traces by their ids."""

    trace_id: str
    other_id: str


class SpanDiffRequest(DiffRequest, frozen=True, kw_only=True):
    """A span of each of two traces; without the one or the other there is nothing to compare."""

    left: str | None = None
    right: str | None = None


class DiffedSpan(Record, frozen=True, kw_only=True):
    """A span on one side: `start_ms` counts from the first start of its trace."""

    span_id: str
    name: str
    type: str | None
    status: str
    start_ms: float
    duration_ms: float | None


class PairShape(Record, frozen=True, kw_only=True):
    """A span of either trace, or two that stand for each other; `place` says in which order pairs came to differ."""

    left: DiffedSpan | None
    right: DiffedSpan | None
    depth: int
    below: int
    differences: list[str]
    place: int | None
    is_slower: bool | None
    was_moved: bool


class DiffPage(Record, frozen=True, kw_only=True):
    """Two traces, and their spans as the pairs of one tree: those above first."""

    left: TraceShape
    right: TraceShape
    pairs: list[PairShape]


class DiffedValue(Record, frozen=True, kw_only=True):
    """A place at which two values differ; `in_left` and `in_right` say where it is at all."""

    path: str
    left: Any
    right: Any
    in_left: bool
    in_right: bool


class SpanDiff(Record, frozen=True, kw_only=True):
    """Two spans with their values, and the first hundred places at which their inputs and their outputs differ."""

    left: SpanShape | None
    right: SpanShape | None
    inputs: list[DiffedValue]
    outputs: list[DiffedValue]


def get_diff(served: Served, asked: DiffRequest) -> DiffPage:
    """Return two traces as one tree."""
    with no_collection():
        left, right = read_trace(served, asked.trace_id), read_trace(served, asked.other_id)
        some, other = left.data.spans, right.data.spans
        starts = [min((span.start_time_ns for span in spans), default=0) for spans in (some, other)]
        pairs = [_shape_of_pair(pair, *starts) for pair in compare_spans(some, other)]
    return DiffPage(left=shape_of_trace(left.info), right=shape_of_trace(right.info), pairs=pairs)


def get_span_diff(served: Served, asked: SpanDiffRequest) -> SpanDiff:
    """Return a span of each of two traces, or of one of them, and where their values differ."""
    left = _find(served, asked.trace_id, asked.left)
    right = _find(served, asked.other_id, asked.right)
    inputs: list[DiffedValue] = []
    outputs: list[DiffedValue] = []
    if left is not None and right is not None:
        inputs, outputs = _values(left.inputs, right.inputs), _values(left.outputs, right.outputs)
    return SpanDiff(left=_shape_or_none(left), right=_shape_or_none(right), inputs=inputs, outputs=outputs)


def _find(served: Served, trace_id: str, span_id: str | None) -> Span | None:
    if span_id is None:
        return None
    found = find_span(read_trace(served, trace_id).data, span_id)
    if found is None:
        raise NotFoundError(f"the trace {clean_text(trace_id)} has no span {clean_text(span_id)}")
    return found


def _shape_or_none(span: Span | None) -> SpanShape | None:
    return None if span is None else shapes_of_spans([span])[0]


def _values(left: Any, right: Any) -> list[DiffedValue]:
    return [_shape_of_value(each) for each in value_differences(left, right, _MOST_VALUES)]


def _shape_of_value(each: ValueDifference) -> DiffedValue:
    in_left, in_right = each.is_there
    return DiffedValue(path=each.path, left=each.left, right=each.right, in_left=in_left, in_right=in_right)


def _shape_of_pair(pair: SpanPair, left_ns: int, right_ns: int) -> PairShape:
    return PairShape(
        left=_shape_of_side(pair.left, left_ns),
        right=_shape_of_side(pair.right, right_ns),
        depth=pair.depth,
        below=pair.below,
        differences=list(pair.differences),
        place=pair.place,
        is_slower=pair.is_slower,
        was_moved=pair.was_moved,
    )


def _shape_of_side(span: Span | None, first_ns: int) -> DiffedSpan | None:
    if span is None:
        return None
    return DiffedSpan(
        span_id=span.span_id,
        name=span.name,
        type=span.span_type,
        status=span.status.status_code.value,
        start_ms=(span.start_time_ns - first_ns) / 1e6,
        duration_ms=None if span.duration_ns is None else span.duration_ns / 1e6,
    )
