"""Traces as any MLflow since 2.14 writes them into JSON, checked and read."""

from __future__ import annotations

import re
from typing import Final

from tracehound.model.assessment_form import read_assessment
from tracehound.model.form import Form
from tracehound.model.location import TraceLocation, read_location
from tracehound.model.span_form import read_span
from tracehound.model.trace import TRACE_NAME, Trace, TraceData, TraceInfo, TraceState

_STATES: Final = {str(state): state for state in TraceState}
_STATUSES: Final = {**_STATES, "TRACE_STATUS_UNSPECIFIED": TraceState.STATE_UNSPECIFIED}
_DURATION: Final = re.compile(r"(-?)(\d+)(?:\.(\d{1,9}))?s")


def read_trace(data: object) -> Trace:
    """Return the trace that an object holds."""
    form = Form(data, "")
    trace = Trace(read_info(form.form("info")), read_data(form.form("data")))
    form.end()
    return trace


def read_data(form: Form) -> TraceData:
    """Return the spans that an object holds; what MLflow 2 wrote beside them says nothing that they do not say."""
    for key in ("request", "response"):
        form.take(key, None)
    spans = [read_span(each) for each in form.forms("spans")]
    form.end()
    return TraceData(spans)


def read_info(form: Form) -> TraceInfo:
    """Return what an object says of a trace, under the names of MLflow 3 or, with a `request_id`, of MLflow 2."""
    info = _read_v2(form) if "request_id" in form else _read_v3(form)
    form.end()
    return info


def _read_v3(form: Form) -> TraceInfo:
    location = read_location(form.form("trace_location"))
    tags = form.texts("tags")
    return TraceInfo(
        trace_id=form.text("trace_id"),
        experiment_id=_experiment_of(location),
        request_time=form.time_ms("request_time"),
        execution_duration=_read_duration(form),
        state=form.one_of("state", _STATES),
        name=tags.get(TRACE_NAME, ""),
        request_preview=form.text_or_none("request_preview"),
        response_preview=form.text_or_none("response_preview"),
        client_request_id=form.text_or_none("client_request_id"),
        trace_metadata=form.texts("trace_metadata"),
        tags=tags,
        assessments=[read_assessment(each) for each in form.forms("assessments")],
        other_location=None if location.mlflow_experiment else location,
    )


def _read_v2(form: Form) -> TraceInfo:
    tags = form.texts("tags")
    return TraceInfo(
        trace_id=form.text("request_id"),
        experiment_id=form.text("experiment_id"),
        request_time=form.integer("timestamp_ms"),
        execution_duration=form.integer_or_none("execution_time_ms"),
        state=form.one_of("status", _STATUSES),
        name=tags.get(TRACE_NAME, ""),
        trace_metadata=form.texts("request_metadata"),
        tags=tags,
        assessments=[read_assessment(each) for each in form.forms("assessments")],
    )


def _experiment_of(location: TraceLocation) -> str:
    return "" if location.mlflow_experiment is None else location.mlflow_experiment.experiment_id


def _read_duration(form: Form) -> int | None:
    """Return how many milliseconds a trace took: a number, or protobuf's text, which the REST API has (`0.151s`)."""
    if form.has("execution_duration"):
        return form.parsed("execution_duration", _parse_duration, "a duration such as 0.151s")
    return form.integer_or_none("execution_duration_ms")


def _parse_duration(text: str) -> int:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    sign, seconds, fraction = found.groups()
    return int(f"{sign}{int(seconds) * 1000 + int((fraction or '0').ljust(9, '0')) // 1_000_000}")
