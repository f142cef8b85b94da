"""A trace as a row of the wide table, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from tracehound.model.assessment import Assessment
from tracehound.model.buckets import bucket_of
from tracehound.model.record import from_json, to_json
from tracehound.model.reserved import SPAN_MODEL
from tracehound.model.span import Span
from tracehound.model.trace import Trace, TraceInfo, TraceState
from tracehound.query.span_keys import terms_and_keys_of
from tracehound.query.span_terms import durations_of_spans
from tracehound.query.wide import NO_WORDS
from tracehound.query.words import words_by_place
from tracehound.store.wide_rows import (
    numbers_in,
    numbers_of,
    numbers_of_spans,
    said_of,
    split_metadata,
)


class PartKey(NamedTuple):
    """What tells one part of a trace from the others, and whether its process is gone."""

    written_ns: int
    digest: int
    has_ended: bool = False


class Version(NamedTuple):
    """One version of a trace: its number, when the trace was first heard of, what it is made of, what runs in it."""

    number: int
    arrived: int
    parts: Sequence[PartKey]
    running: Sequence[str]


def to_row(trace: Trace, version: Version) -> tuple[Any, ...]:
    """Return the columns of `schema.TRACE`, in their order.

    Arrays are tuples: thousands of rows wait to be inserted, and Python looks for garbage in each list again and again.
    """
    info, spans = trace.info, trace.data.spans
    searched, apart = split_metadata(info.trace_metadata)
    duration = info.execution_duration
    durations_ms = durations_of_spans(spans)
    terms, keys = terms_and_keys_of(spans, durations_ms)
    said = [
        (*each[:-1], None if each.boolean is None else int(each.boolean))
        for each in (said_of(info) if info.assessments else [])
    ]
    return (
        int(info.experiment_id),
        info.request_time,
        info.trace_id,
        version.number,
        0,
        version.arrived,
        duration,
        None if duration is None else bucket_of(duration),
        info.state.value,
        info.name,
        info.request_preview,
        info.response_preview,
        info.client_request_id,
        info.tags,
        numbers_in(info.tags),
        searched,
        numbers_in(info.trace_metadata),
        apart,
        *numbers_of(info),
        to_json([each.to_dict() for each in info.assessments]).decode() if info.assessments else "",
        *(zip(*said, strict=True) if said else ((), (), (), (), ())),
        tuple([span.name for span in spans]),
        tuple([span.span_type for span in spans]),
        tuple([span.status.status_code.value for span in spans]),
        tuple([span.status.description or None for span in spans]),
        tuple(durations_ms),
        tuple([span.model_name if SPAN_MODEL in span.attributes_json else None for span in spans]),
        *map(tuple, numbers_of_spans(spans)),
        tuple(terms),
        tuple(keys),
        _words(spans),
        tuple([part.written_ns for part in version.parts]),
        tuple([part.digest for part in version.parts]),
        tuple([int(part.has_ended) for part in version.parts]),
        tuple(version.running),
    )


def to_info(row: Sequence[Any]) -> TraceInfo:
    """Return what the columns of `query.clickhouse.ROW` say."""
    (
        trace_id, _, experiment, start_ms, duration_ms, _, _, _, state, name, request, response, client_request_id,
        metadata, apart, tags, assessments, *_
    ) = row  # fmt: skip
    return TraceInfo(
        trace_id=trace_id,
        experiment_id=str(experiment),
        request_time=start_ms,
        execution_duration=duration_ms,
        state=TraceState(state),
        name=name,
        request_preview=request,
        response_preview=response,
        client_request_id=client_request_id,
        trace_metadata={**metadata, **apart},
        tags=tags,
        assessments=[Assessment.from_dict(each) for each in from_json(assessments)] if assessments else [],
    )


def to_brief_info(row: Sequence[Any]) -> TraceInfo:
    """Return what the columns of `query.clickhouse.BRIEF` say of when and for how long: enough for `can_be_brief`."""
    trace_id, _, experiment, start_ms, duration_ms, *_ = row
    return TraceInfo(
        trace_id=trace_id,
        experiment_id=str(experiment),
        request_time=start_ms,
        execution_duration=duration_ms,
        state=TraceState.STATE_UNSPECIFIED,
    )


def parts_of(row: Sequence[Any]) -> list[PartKey]:
    """Return what a row of `query.clickhouse.ROW` is made of."""
    times, digests, ended = row[5:8]
    return [PartKey(*each) for each in zip(times, digests, map(bool, ended), strict=True)]


def _words(spans: Sequence[Span]) -> bytes:
    found = words_by_place(spans)
    return NO_WORDS.encode() if found is None else found
