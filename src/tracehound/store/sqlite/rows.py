"""A trace as a row of the table, and back."""

from __future__ import annotations

from collections.abc import Sequence

from tracehound.model.assessment import Assessment
from tracehound.model.buckets import bucket_of
from tracehound.model.record import from_json, to_json
from tracehound.model.span import Span
from tracehound.model.trace import TraceInfo, TraceState
from tracehound.query.fields import NUMBERS_IN_METADATA
from tracehound.query.numbers import number_at
from tracehound.query.span_terms import durations_of_spans


def to_row(info: TraceInfo, spans: Sequence[Span]) -> tuple[str | float | None, ...]:
    """Return the columns of `trace` behind `seq`, in their order."""
    duration, metadata = info.execution_duration, info.trace_metadata
    return (
        info.trace_id,
        int(info.experiment_id),
        info.request_time,
        duration,
        None if duration is None else bucket_of(duration),
        info.state.value,
        info.name,
        info.request_preview,
        info.response_preview,
        info.client_request_id,
        to_json(metadata).decode(),
        to_json(info.tags).decode(),
        to_json([each.to_dict() for each in info.assessments]).decode() if info.assessments else None,
        to_json(durations_of_spans(spans)).decode(),
        *[number_at(metadata, key, name) if key in metadata else None for key, name in NUMBERS_IN_METADATA.values()],
    )


def to_info(row: Sequence) -> TraceInfo:  # type: ignore[type-arg] # the columns of query.sqlite.ROW
    """Return what the columns of `ROW` say."""
    trace_id, experiment, start_ms, duration_ms, state, name, request, response, client_request_id, *texts = row
    metadata, tags, assessments = texts
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
        trace_metadata=from_json(metadata),
        tags=from_json(tags),
        assessments=[] if assessments is None else [Assessment.from_dict(each) for each in from_json(assessments)],
    )
