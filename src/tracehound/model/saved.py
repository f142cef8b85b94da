"""A trace as it lies in a page of the viewer: one line of JSON for the whole and one for its spans, and back exactly.

The lines are for JavaScript as much as for us: times in nanoseconds are texts, for it has no numbers that large, and
the values of spans stay the JSON texts that capture made of them, which are decoded when somebody looks at them.
`ui/src/viewer/saved.ts` reads the same names. Pages are kept for years: a change of these names is a new `FORM`.
"""

from __future__ import annotations

from typing import Any, Final

from tracehound.model.assessment import Assessment
from tracehound.model.location import TraceLocation
from tracehound.model.occurrence import RecordedEvent, RecordedLink
from tracehound.model.record import Record, read_json_text, to_json_text, to_plain, to_record
from tracehound.model.span import Span, SpanStatus, SpanStatusCode
from tracehound.model.trace import Trace, TraceData, TraceInfo, TraceState

FORM: Final = 1


class SavedInfo(Record, frozen=True, kw_only=True):
    """What is known of a trace; assessments and a location outside of experiments are in MLflow's form."""

    trace_id: str
    experiment_id: str
    name: str
    state: TraceState
    request_time_ms: int
    duration_ms: int | None
    client_request_id: str | None
    request_preview: str | None
    response_preview: str | None
    metadata: dict[str, str]
    tags: dict[str, str]
    assessments: list[dict[str, Any]]
    location: dict[str, Any] | None


class SavedTrace(Record, frozen=True, kw_only=True):
    """A trace without its spans: of an experiment, and with them in a line of a block, both counted from 0."""

    trace: SavedInfo
    experiment: str
    block: int
    line: int


class SavedEvent(Record, frozen=True, kw_only=True):
    """Something that happened during a span."""

    name: str
    time_ns: str
    attributes: dict[str, str]


class SavedLink(Record, frozen=True, kw_only=True):
    """A span of another trace that a span refers to."""

    trace_id: str
    span_id: str
    attributes: dict[str, str]


class SavedSpan(Record, frozen=True, kw_only=True):
    """A span; `trace_id` is there where it is not that of the trace, `otel_trace_id` where MLflow's files have one."""

    span_id: str
    parent_id: str | None
    name: str
    type: str | None
    kind: str
    status: SpanStatusCode
    status_message: str
    start_time_ns: str
    end_time_ns: str | None
    inputs: str | None
    outputs: str | None
    attributes: dict[str, str]
    events: list[SavedEvent]
    links: list[SavedLink]
    trace_id: str | None = None
    otel_trace_id: str | None = None


def to_line(value: object) -> bytes:
    """Return records as a line of JSON; `read_line` and `read_spans` are the inverses."""
    return to_json_text(to_plain(value)).encode() + b"\n"


def read_line(line: bytes) -> SavedTrace:
    """Return what a line says of a trace; raise `ValueError` for what is no JSON, `DecodeError` for any other line."""
    return to_record(read_json_text(line), SavedTrace)


def read_spans(line: bytes) -> list[SavedSpan]:
    """Return the spans of a line; raises as `read_line` does."""
    return to_record(read_json_text(line), list[SavedSpan])


def to_saved(info: TraceInfo) -> SavedInfo:
    """Return what is known of a trace as it is saved."""
    return SavedInfo(
        trace_id=info.trace_id,
        experiment_id=info.experiment_id,
        name=info.name,
        state=info.state,
        request_time_ms=info.request_time,
        duration_ms=info.execution_duration,
        client_request_id=info.client_request_id,
        request_preview=info.request_preview,
        response_preview=info.response_preview,
        metadata=info.trace_metadata,
        tags=info.tags,
        assessments=[each.to_dict() for each in info.assessments],
        location=None if info.other_location is None else info.other_location.to_dict(),
    )


def from_saved(saved: SavedInfo, spans: list[SavedSpan]) -> Trace:
    """Return the trace that `to_saved` and `to_saved_span` were given; raise `ArgumentError` for what is none."""
    info = TraceInfo(
        trace_id=saved.trace_id,
        experiment_id=saved.experiment_id,
        name=saved.name,
        state=saved.state,
        request_time=saved.request_time_ms,
        execution_duration=saved.duration_ms,
        client_request_id=saved.client_request_id,
        request_preview=saved.request_preview,
        response_preview=saved.response_preview,
        trace_metadata=saved.metadata,
        tags=saved.tags,
        assessments=[Assessment.from_dict(each) for each in saved.assessments],
        other_location=None if saved.location is None else TraceLocation.from_dict(saved.location),
    )
    return Trace(info, TraceData([_from_saved_span(span, saved.trace_id) for span in spans]))


def to_saved_span(span: Span, trace_id: str) -> SavedSpan:
    """Return a span of a trace as it is saved."""
    return SavedSpan(
        span_id=span.span_id,
        parent_id=span.parent_id,
        name=span.name,
        type=span.span_type,
        kind=span.kind,
        status=span.status.status_code,
        status_message=span.status.description,
        start_time_ns=str(span.start_time_ns),
        end_time_ns=None if span.end_time_ns is None else str(span.end_time_ns),
        inputs=span.inputs_json,
        outputs=span.outputs_json,
        attributes=span.attributes_json,
        events=[
            SavedEvent(name=each.name, time_ns=str(each.timestamp_ns), attributes=each.attributes_json)
            for each in span.event_records
        ],
        links=[
            SavedLink(trace_id=each.trace_id, span_id=each.span_id, attributes=each.attributes_json)
            for each in span.link_records
        ],
        trace_id=None if span.trace_id == trace_id else span.trace_id,
        otel_trace_id=span.otel_trace_id,
    )


def _from_saved_span(saved: SavedSpan, trace_id: str) -> Span:
    return Span(
        trace_id=saved.trace_id or trace_id,
        span_id=saved.span_id,
        parent_id=saved.parent_id,
        name=saved.name,
        start_time_ns=int(saved.start_time_ns),
        end_time_ns=None if saved.end_time_ns is None else int(saved.end_time_ns),
        status=SpanStatus(saved.status, saved.status_message),
        span_type=saved.type,
        inputs_json=saved.inputs,
        outputs_json=saved.outputs,
        attributes_json=saved.attributes,
        event_records=tuple(RecordedEvent(each.name, int(each.time_ns), each.attributes) for each in saved.events),
        link_records=tuple(RecordedLink(each.trace_id, each.span_id, each.attributes) for each in saved.links),
        kind=saved.kind,
        otel_trace_id=saved.otel_trace_id,
    )
