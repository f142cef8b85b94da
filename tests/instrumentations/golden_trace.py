"""A stored trace as a text that a human reads, without what is another in every run."""

from __future__ import annotations

import json
import re
from typing import Any

from tracehound.model.span import Span
from tracehound.model.trace import Trace

# What libraries make up: their own ids, ports of the server, versions, times.
_CHANGING = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"), "TIME"),
    (re.compile(r"0x[0-9a-f]{6,}"), "ADDRESS"),
)
_LEFT_OUT = ("exception.stacktrace", "otel.scope.version")


def as_golden(traces: list[Trace]) -> str:
    """Return the traces: of each what it says, and its spans with everything that was recorded."""
    return without_changing(json.dumps([_of_trace(trace) for trace in traces], indent=2, ensure_ascii=False) + "\n")


def without_changing(text: str) -> str:
    """Return a text without what libraries make up."""
    for pattern, replacement in _CHANGING:
        text = pattern.sub(replacement, text)
    return text


def _of_trace(trace: Trace) -> dict[str, Any]:
    spans = trace.data.spans
    names = {span.span_id: span.name for span in spans}
    return {
        "name": trace.info.name,
        "state": str(trace.info.state),
        "request": trace.data.request,
        "response": trace.data.response,
        "metadata": {key: value for key, value in trace.info.trace_metadata.items() if not key.startswith("mlflow.")},
        "tokens": trace.info.token_usage,
        "spans": [_of_span(span, names) for span in spans],
    }


def _of_span(span: Span, names: dict[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {"name": span.name, "type": span.span_type, "kind": span.kind}
    if span.parent_id is not None:
        told["below"] = names.get(span.parent_id, "a span elsewhere")
    told["status"] = str(span.status.status_code)
    if span.status.description:
        told["description"] = span.status.description
    attributes = {
        key: value
        for key, value in span.attributes.items()
        if key not in _LEFT_OUT and not key.startswith(("mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.spanType"))
    }
    events = [{"name": event.name, **_kept(event.attributes)} for event in span.events]
    return {**told, "inputs": span.inputs, "outputs": span.outputs, "attributes": attributes, "events": events}


def _kept(attributes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in attributes.items() if key not in _LEFT_OUT}
