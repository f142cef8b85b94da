"""What our REST gives: traces, spans, assessments, experiments, runs and models as records that become JSON.

Times of traces are whole milliseconds since the epoch. Those of spans are nanoseconds, as texts: JavaScript has no
numbers that large. Ids are hexadecimal, as everywhere but in MLflow's JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tracehound.model.assessment import Assessment, Expectation, Feedback
from tracehound.model.logged_model import LoggedModel
from tracehound.model.occurrence import decode_all
from tracehound.model.record import Record
from tracehound.model.run import Run
from tracehound.model.span import Span
from tracehound.model.trace import Experiment, Trace, TraceInfo


class SourceShape(Record, frozen=True, kw_only=True):
    """Who says something of a trace: HUMAN, LLM_JUDGE or CODE, and which one of them."""

    source_type: str
    source_id: str | None = "default"


class ErrorShape(Record, frozen=True, kw_only=True):
    """Why an assessment has no value."""

    error_code: str
    error_message: str | None = None
    stack_trace: str | None = None


class AssessmentShape(Record, frozen=True, kw_only=True):
    """What somebody says of a trace or of a span of it; the kind is feedback, expectation or issue."""

    assessment_id: str
    trace_id: str
    kind: str
    name: str
    value: Any
    error: ErrorShape | None
    source: SourceShape
    rationale: str | None
    metadata: dict[str, str]
    span_id: str | None
    run_id: str | None
    create_time_ms: int
    last_update_time_ms: int
    overrides: str | None
    valid: bool | None


class TraceShape(Record, frozen=True, kw_only=True):
    """A trace without its spans; `duration_ms` is null while it runs."""

    trace_id: str
    experiment_id: str
    name: str
    state: str
    request_time_ms: int
    duration_ms: int | None
    client_request_id: str | None
    request_preview: str | None
    response_preview: str | None
    metadata: dict[str, str]
    tags: dict[str, str]
    assessments: list[AssessmentShape]


class EventShape(Record, frozen=True, kw_only=True):
    """Something that happened during a span."""

    name: str
    time_ns: str
    attributes: dict[str, Any]


class LinkShape(Record, frozen=True, kw_only=True):
    """A span of another trace that this one refers to."""

    trace_id: str
    span_id: str
    attributes: dict[str, Any]


class SpanShape(Record, frozen=True, kw_only=True):
    """One step of a trace; `end_time_ns` is null while it runs, `parent_id` for a root."""

    span_id: str
    parent_id: str | None
    name: str
    type: str | None
    kind: str
    status: str
    status_message: str
    start_time_ns: str
    end_time_ns: str | None
    inputs: Any
    outputs: Any
    attributes: dict[str, Any]
    events: list[EventShape]
    links: list[LinkShape]


class WholeTraceShape(Record, frozen=True, kw_only=True):
    """A trace with its spans: roots first, then in the order of their starts."""

    trace: TraceShape
    spans: list[SpanShape]


class ExperimentShape(Record, frozen=True, kw_only=True):
    """A named set of traces; the id follows from the name."""

    experiment_id: str
    name: str
    tags: dict[str, str]
    creation_time_ms: int | None


class RunShape(Record, frozen=True, kw_only=True):
    """One execution of a program."""

    run_id: str
    name: str
    experiment_id: str
    status: str
    start_time_ms: int
    end_time_ms: int | None
    user_id: str
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]


class ModelShape(Record, frozen=True, kw_only=True):
    """A model, or a version of an application, that traces are of."""

    model_id: str
    name: str
    experiment_id: str
    creation_time_ms: int
    last_updated_ms: int
    status: str
    model_type: str | None
    source_run_id: str | None
    tags: dict[str, str]
    params: dict[str, str]


def shape_of_trace(info: TraceInfo) -> TraceShape:
    """Return what is known of a trace without its spans."""
    return TraceShape(
        trace_id=info.trace_id,
        experiment_id=info.experiment_id,
        name=info.name,
        state=info.state.value,
        request_time_ms=info.request_time,
        duration_ms=info.execution_duration,
        client_request_id=info.client_request_id,
        request_preview=info.request_preview,
        response_preview=info.response_preview,
        metadata=info.trace_metadata,
        tags=info.tags,
        assessments=[shape_of_assessment(each) for each in info.assessments],
    )


def shape_of_whole(trace: Trace) -> WholeTraceShape:
    """Return a trace with its spans."""
    return WholeTraceShape(trace=shape_of_trace(trace.info), spans=shapes_of_spans(trace.data.spans))


def shapes_of_spans(spans: Sequence[Span]) -> list[SpanShape]:
    """Return spans."""
    return [_shape_of_span(span) for span in spans]


def shape_of_assessment(said: Assessment) -> AssessmentShape:
    """Return an assessment; the value of an issue is its name."""
    kind, value, error = "issue", getattr(said, "issue_name", None), None
    if isinstance(said, Expectation):
        kind, value = "expectation", said.value
    elif isinstance(said, Feedback):
        kind, value = "feedback", said.value
        error = None if said.error is None else ErrorShape(**said.error.to_dict())
    return AssessmentShape(
        assessment_id=said.assessment_id or "",
        trace_id=said.trace_id or "",
        kind=kind,
        name=said.name,
        value=value,
        error=error,
        source=SourceShape(source_type=said.source.source_type, source_id=said.source.source_id),
        rationale=said.rationale,
        metadata=said.metadata or {},
        span_id=said.span_id,
        run_id=said.run_id,
        create_time_ms=said.create_time_ms,
        last_update_time_ms=said.last_update_time_ms,
        overrides=said.overrides,
        valid=said.valid,
    )


def shape_of_experiment(experiment: Experiment) -> ExperimentShape:
    """Return an experiment."""
    return ExperimentShape(
        experiment_id=experiment.experiment_id,
        name=experiment.name,
        tags=experiment.tags,
        creation_time_ms=experiment.creation_time,
    )


def shape_of_run(run: Run) -> RunShape:
    """Return a run."""
    info = run.info
    return RunShape(
        run_id=info.run_id,
        name=info.run_name,
        experiment_id=info.experiment_id,
        status=info.status.value,
        start_time_ms=info.start_time,
        end_time_ms=info.end_time,
        user_id=info.user_id,
        tags=run.data.tags,
        params=run.data.params,
        metrics=run.data.metrics,
    )


def shape_of_model(model: LoggedModel) -> ModelShape:
    """Return a model."""
    return ModelShape(
        model_id=model.model_id,
        name=model.name,
        experiment_id=model.experiment_id,
        creation_time_ms=model.creation_timestamp,
        last_updated_ms=model.last_updated_timestamp,
        status=model.status,
        model_type=model.model_type,
        source_run_id=model.source_run_id,
        tags=model.tags,
        params=model.params,
    )


def _shape_of_span(span: Span) -> SpanShape:
    return SpanShape(
        span_id=span.span_id,
        parent_id=span.parent_id,
        name=span.name,
        type=span.span_type,
        kind=span.kind,
        status=span.status.status_code.value,
        status_message=span.status.description,
        start_time_ns=str(span.start_time_ns),
        end_time_ns=None if span.end_time_ns is None else str(span.end_time_ns),
        inputs=span.inputs,
        outputs=span.outputs,
        attributes=decode_all(span.attributes_json),
        events=[
            EventShape(name=each.name, time_ns=str(each.timestamp_ns), attributes=decode_all(each.attributes_json))
            for each in span.event_records
        ],
        links=[
            LinkShape(trace_id=each.trace_id, span_id=each.span_id, attributes=decode_all(each.attributes_json))
            for each in span.link_records
        ],
    )
