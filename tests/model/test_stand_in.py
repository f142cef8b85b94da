"""Traces that are told of before their spans are there, and after."""

from __future__ import annotations

import itertools

import pytest

from tests.traces import START_MS, part, span
from tracehound.model.merge import merge_parts
from tracehound.model.record import replace
from tracehound.model.span import SpanStatus, SpanStatusCode
from tracehound.model.stand_in import is_stand_in, real_spans, stand_in
from tracehound.model.trace import TracePart, TraceState

OK = SpanStatus(SpanStatusCode.OK)


def told(*, duration_ms: int | None = 7, **said: object) -> TracePart:
    start_ns = START_MS * 1_000_000
    end_ns = None if duration_ms is None else start_ns + duration_ms * 1_000_000
    whole = part(stand_in(span(1).trace_id, "answer", start_ns, end_ns, OK), written_ns=5, tags={"person": "Tom"})
    return replace(whole, **said)


def test_until_its_spans_are_there_a_trace_is_what_was_told_of_it() -> None:
    trace = merge_parts([told(request_preview="why?", metadata={"ver": "1"})])
    info = trace.info
    assert (info.name, info.state, info.request_time, info.execution_duration) == ("answer", "OK", START_MS, 7)
    assert (info.request_preview, info.tags["person"], info.trace_metadata) == ("why?", "Tom", {"ver": "1"})
    assert real_spans(trace.data.spans) == []


def test_what_stands_in_for_spans_is_gone_when_one_is_there() -> None:
    spans = [span(1, name="answer"), span(2, parent=1, start_ms=2)]
    trace = merge_parts([told(), part(*spans)])
    assert trace.data.spans == spans
    assert trace.info.execution_duration == 10  # the root's own
    assert trace.info.tags["person"] == "Tom"


def test_a_child_alone_says_less_than_what_is_told_of_the_whole() -> None:
    child = part(span(2, parent=1, start_ms=2, duration_ms=1, failed=True))
    trace = merge_parts([told(), child])
    assert (trace.info.name, trace.info.state, trace.info.execution_duration) == ("answer", TraceState.OK, 7)
    assert trace.info.request_time == START_MS
    assert trace.data.spans == child.spans


def test_what_is_told_of_the_whole_comes_before_what_the_part_with_the_root_says() -> None:
    of_spans = part(span(1), written_ns=9, tags={"person": "Ann", "service": "shop"}, metadata={"ver": "0"})
    info = merge_parts([told(metadata={"ver": "1"}, state=TraceState.ERROR), of_spans]).info
    assert (info.tags["person"], info.tags["service"], info.trace_metadata["ver"]) == ("Tom", "shop", "1")
    assert info.state is TraceState.ERROR


def test_a_trace_that_is_told_to_run_runs_until_it_is_told_to_have_ended() -> None:
    begun = told(duration_ms=None)
    assert merge_parts([begun]).info.state is TraceState.IN_PROGRESS
    ended = merge_parts([replace(told(duration_ms=9), written_ns=6), begun])
    assert (ended.info.state, ended.info.execution_duration) == (TraceState.OK, 9)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_the_order_of_what_is_told_and_what_was_done_does_not_matter(order: tuple[int, ...]) -> None:
    parts = [told(), part(span(1)), part(span(2, parent=1), written_ns=2)]
    assert merge_parts([parts[each] for each in order]) == merge_parts(parts)


def test_a_stand_in_is_told_from_spans_by_a_mark_and_has_an_id_of_its_own() -> None:
    (alone,) = told().spans
    assert is_stand_in(alone)
    assert not is_stand_in(span(1))
    assert len(alone.span_id) == 16
    assert alone.span_id.strip("0")
