"""Traces in the JSON of MLflow's REST API, and what its clients tell of them as changes of a store.

What is told of a whole trace (`TraceInfoV3`) comes in a request of its own, before or after the spans: it becomes a
part in which a span stands in for them (`model.stand_in`), and an edit for each assessment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from tracehound.errors import ArgumentError
from tracehound.model.derive import SIZE_STATS, TRACE_INPUTS, TRACE_OUTPUTS
from tracehound.model.edit import ASSESSMENT, Edit
from tracehound.model.ids import TRACE_ID_PREFIX
from tracehound.model.record import to_json_text
from tracehound.model.reserved import ARTIFACT_LOCATION, IMMUTABLE_TAGS, SPANS_LOCATION
from tracehound.model.span import SpanStatus, SpanStatusCode
from tracehound.model.stand_in import real_spans, stand_in
from tracehound.model.trace import TRACE_NAME, Trace, TraceInfo, TracePart, TraceState
from tracehound.model.trace_form import read_info
from tracehound.model.values import clean_text, decode_value
from tracehound.wire.mlflow.messages import Message
from tracehound.wire.mlflow.spans import to_span_message

IN_STORE: Final = "TRACKING_STORE"  # what the client asks before it uploads the spans once more, as a file
_TRACE_ID: Final = re.compile(r"tr-[0-9a-f]{32}")
_STATES: Final = tuple(each.value for each in TraceState)
_SAID: Final = (TraceState.OK, TraceState.ERROR)
_END_NS: Final = 2**64  # of what is kept
_MAX_METADATA: Final = 250  # characters that a client leaves of a value of the metadata


def to_info_message(info: TraceInfo) -> dict[str, Any]:
    """Return what is known of a trace without its spans, as `TraceInfoV3`."""
    message = info.to_dict()
    duration_ms = message.pop("execution_duration_ms", None)
    if duration_ms is not None:
        message["execution_duration"] = f"{duration_ms // 1000}.{duration_ms % 1000:03d}s"
    place = f"mlflow-artifacts:/{info.experiment_id}/traces/{info.trace_id}/artifacts"
    message["tags"] = {**info.tags, ARTIFACT_LOCATION: place, SPANS_LOCATION: IN_STORE}
    return message


def to_trace_message(trace: Trace) -> dict[str, Any]:
    """Return a whole trace; one whose spans are not there yet has none."""
    spans = [to_span_message(span) for span in real_spans(trace.data.spans)]
    return {"trace_info": to_info_message(trace.info), "spans": spans}


def missing_spans(trace: Trace) -> int:
    """Return how many of the spans that a client told of have not arrived yet."""
    told = decode_value(trace.info.trace_metadata.get(SIZE_STATS, "null"))
    count = told.get("num_spans") if isinstance(told, dict) else None
    return max(0, count - len(real_spans(trace.data.spans))) if isinstance(count, int) else 0


def read_info_message(message: Message) -> TraceInfo:
    """Return what a client tells of a trace; raise `ArgumentError` where it cannot be kept."""
    state = message.take("state", None)
    info = read_info(Message({**message.values_left(), "state": state if state in _STATES else "STATE_UNSPECIFIED"}))
    if not _TRACE_ID.fullmatch(info.trace_id):
        raise ArgumentError(f"trace_id is {TRACE_ID_PREFIX} and 32 hexadecimal digits, not {info.trace_id!r}")
    if not info.experiment_id:
        raise ArgumentError("trace_location is to be an experiment: there are no other places here")
    return info


def to_changes(info: TraceInfo, experiment: str, written_ns: int) -> tuple[TracePart, list[Edit]]:
    """Return what a store is to keep of what a client tells of a trace: a part, and an edit for each assessment.

    The experiment is given by its name.
    """
    start_ns = info.request_time * 1_000_000
    ended_ns = None if info.execution_duration is None else start_ns + max(0, info.execution_duration) * 1_000_000
    if start_ns < 0 or max(start_ns, ended_ns or 0) >= _END_NS:
        raise ArgumentError("request_time and what comes after execution_duration are to lie from 1970 to 2553")
    code = SpanStatusCode.ERROR if info.state is TraceState.ERROR else SpanStatusCode.OK
    tags = {clean_text(key): clean_text(value) for key, value in info.tags.items() if key not in IMMUTABLE_TAGS}
    end_ns = None if info.state is TraceState.IN_PROGRESS else ended_ns
    span = stand_in(info.trace_id, tags.get(TRACE_NAME, ""), start_ns, end_ns, SpanStatus(code))
    part = TracePart(
        trace_id=info.trace_id,
        experiment=experiment,
        written_ns=written_ns,
        spans=[span],
        tags=tags,
        metadata=_whole_metadata(info.trace_metadata),
        client_request_id=_clean(info.client_request_id),
        request_preview=_clean(info.request_preview),
        response_preview=_clean(info.response_preview),
        state=info.state if info.state in _SAID else None,
    )
    said = [each.changed(trace_id=info.trace_id) for each in info.assessments if each.assessment_id]
    edits = [
        Edit(info.trace_id, str(each.assessment_id), to_json_text(each.to_dict()), written_ns, ASSESSMENT)
        for each in said
    ]
    return part, edits


def _whole_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata without what the client has cut: the spans say that in full."""
    return {
        clean_text(key): clean_text(value)
        for key, value in metadata.items()
        if not (key in (TRACE_INPUTS, TRACE_OUTPUTS) and len(value) >= _MAX_METADATA and value.endswith("..."))
    }


def _clean(text: str | None) -> str | None:
    return None if text is None else clean_text(text)
