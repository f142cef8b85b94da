"""Traces as JSON: the one place that says how."""

from __future__ import annotations

import datetime
from typing import Any

from tracehound.model.trace import Trace, TraceInfo


def to_form(trace: Trace) -> dict[str, Any]:
    """Return a whole trace in the shape of MLflow's `Trace.to_dict`."""
    return {"info": _info(trace.info), "data": {"spans": [span.to_dict() for span in trace.data.spans]}}


def _info(info: TraceInfo) -> dict[str, Any]:
    """Return what is known of a trace; what it does not have is left out."""
    moment = datetime.datetime.fromtimestamp(info.request_time // 1000, tz=datetime.timezone.utc)
    form = {
        "trace_id": info.trace_id,
        "client_request_id": info.client_request_id,
        "trace_location": {
            "type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": info.experiment_id}
        },
        "request_time": f"{moment:%Y-%m-%dT%H:%M:%S}.{info.request_time % 1000:03}Z",
        "execution_duration_ms": info.execution_duration,
        "state": info.state.value,
        "trace_metadata": info.trace_metadata,
        "tags": info.tags,
        "request_preview": info.request_preview,
        "response_preview": info.response_preview,
    }  # fmt: skip
    return {key: value for key, value in form.items() if value is not None}
