"""Traces in the JSON of MLflow's API before version 3: other names, and lists where maps came to be.

`model.span_form` and `model.trace_form` read it.
"""

from __future__ import annotations

from typing import Any, Final

from tracehound.errors import ArgumentError
from tracehound.model.ids import from_base64
from tracehound.model.span import Span
from tracehound.model.stand_in import real_spans
from tracehound.model.trace import Trace, TraceInfo, TraceState
from tracehound.wire.mlflow.messages import Message, to_pairs, without_none
from tracehound.wire.mlflow.traces import to_info_message

_STATUSES: Final = {
    **{each.value: each for each in TraceState},
    "TRACE_STATUS_UNSPECIFIED": TraceState.STATE_UNSPECIFIED,
}


def to_old_info_message(info: TraceInfo) -> dict[str, Any]:
    """Return what is known of a trace, as `TraceInfo` of MLflow 2."""
    return without_none(
        {
            "request_id": info.trace_id,
            "experiment_id": info.experiment_id,
            "timestamp_ms": info.request_time,
            "execution_time_ms": info.execution_duration,
            "status": info.state.value,
            "request_metadata": to_pairs(info.trace_metadata),
            "tags": to_pairs(to_info_message(info)["tags"]),
        }
    )


def to_old_file(trace: Trace) -> dict[str, Any]:
    """Return the spans of a trace as the file that clients of MLflow 2 read."""
    spans = [_to_old_span(each) for each in real_spans(trace.data.spans)]
    return {"spans": spans, "request": trace.data.request, "response": trace.data.response}


def read_begun(message: Message, trace_id: str) -> TraceInfo:
    """Return what a client says of a trace that begins; the id is the server's."""
    return TraceInfo(
        trace_id=trace_id,
        experiment_id=message.text_or_empty("experiment_id") or "0",
        request_time=message.integer("timestamp_ms"),
        execution_duration=None,
        state=TraceState.IN_PROGRESS,
        trace_metadata=message.pairs("request_metadata"),
        tags=message.pairs("tags"),
    )


def read_ended(message: Message, known: TraceInfo) -> TraceInfo:
    """Return what a client says of a trace that ends, of which it is known how it began."""
    ended_ms = message.integer("timestamp_ms")
    state = message.one_of("status", _STATUSES)
    if state is TraceState.IN_PROGRESS:
        raise ArgumentError("status is how the trace has ended: OK or ERROR")
    return TraceInfo(
        trace_id=known.trace_id,
        experiment_id=known.experiment_id,
        request_time=known.request_time,
        execution_duration=max(0, ended_ms - known.request_time),
        state=state,
        trace_metadata=message.pairs("request_metadata"),
        tags={"mlflow.traceName": known.name, **message.pairs("tags")},
    )


def _to_old_span(span: Span) -> dict[str, Any]:
    form = span.to_dict()
    parent = form["parent_span_id"]
    return {
        "name": form["name"],
        "context": {
            "span_id": f"0x{from_base64(form['span_id'])}",
            "trace_id": f"0x{from_base64(form['trace_id'])}",
        },
        "parent_id": None if parent is None else f"0x{from_base64(parent)}",
        "start_time": form["start_time_unix_nano"],
        "end_time": form["end_time_unix_nano"],
        "status_code": form["status"]["code"].removeprefix("STATUS_CODE_"),
        "status_message": form["status"]["message"],
        "attributes": form["attributes"],
        "events": [
            {"name": each["name"], "timestamp": each["time_unix_nano"], "attributes": each["attributes"]}
            for each in form["events"]
        ],
    }
