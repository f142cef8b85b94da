"""Traces that nobody has to run for: a request and its response, and what another program has captured already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.context import Context

from tracehound.capture.begin import begin_span, current_span, is_left_out
from tracehound.capture.current import say, to_tags
from tracehound.capture.live_span import LiveSpan
from tracehound.capture.manual import start_span_no_context
from tracehound.capture.no_op_span import NoOpSpan
from tracehound.capture.shield import report_fault
from tracehound.errors import ArgumentError
from tracehound.model.record import replace
from tracehound.model.reserved import TRACE_SESSION, TRACE_USER
from tracehound.model.span import UNKNOWN, Span
from tracehound.model.trace import Trace, TracePart, TraceState
from tracehound.model.values import clean_text
from tracehound.runtime import current

INTERMEDIATE_OUTPUTS: Final = "mlflow.trace.intermediate_outputs"
_OF_THE_STORE: Final = "mlflow."  # what follows from the spans, and what is of the place that they were captured in
_OF_THE_USER: Final = frozenset({TRACE_USER, TRACE_SESSION})


def log_trace(
    name: str = "Task",
    request: object = None,
    response: object = None,
    intermediate_outputs: Mapping[str, object] | None = None,
    attributes: Mapping[str, object] | None = None,
    tags: Mapping[str, object] | None = None,
    start_time_ms: int | None = None,
    execution_time_ms: int | None = None,
) -> str:
    """Keep a request and its response as a trace of one span, and return its id.

    It is a trace of its own, whatever runs meanwhile. Without `start_time_ms` (since the epoch) it begins now, without
    `execution_time_ms` it ends now. The intermediate outputs are an attribute of the span. Unlike with
    MLflow, `execution_time_ms` counts without a start as well: from now on.

    >>> import tracehound
    >>> trace_id = tracehound.log_trace("answer", "why?", "because", execution_time_ms=40)
    >>> info = tracehound.get_trace(trace_id).info
    >>> info.request_preview, info.response_preview, info.execution_duration
    ('"why?"', '"because"', 40)
    """
    said = to_tags(tags)
    try:
        span = begin_span(clean_text(str(name)), UNKNOWN, context=Context())
    except Exception as fault:  # noqa: BLE001 - the shield
        report_fault("log_trace", fault)
        return NoOpSpan(name).trace_id
    if span.is_recording():
        say(span.draft, said, {})
        span.start(None if start_time_ms is None else int(start_time_ms) * 1_000_000)
        span.set_inputs(request)
        span.set_attributes(attributes or {})
        if intermediate_outputs:
            span.set_attribute(INTERMEDIATE_OUTPUTS, intermediate_outputs)
        end_ns = None if execution_time_ms is None else span.start_time_ns + int(execution_time_ms) * 1_000_000
        span.end(outputs=response, end_time_ns=end_ns)
    return span.trace_id


def add_trace(trace: Trace | Mapping[str, Any], target: LiveSpan | None = None) -> None:
    """Put the spans of a trace that has ended, of another service say, below a span of one that runs here.

    That is `target`, else the current span; where none runs, a new trace whose root is called `Remote Trace <name>`. A
    mapping is what `Trace.to_dict` or MLflow has written. The spans keep their ids and become part of the trace here,
    so that adding them again changes nothing; those whose parent is not among them stand below the target. Tags and
    metadata that were said of the other trace are said of this one, where it says nothing else.

    Raise `ArgumentError` for what is no trace, has no spans or has not ended.

    >>> import tracehound
    >>> with tracehound.start_span("there") as span:
    ...     pass
    >>> answer = {"trace": tracehound.get_trace(span.trace_id).to_dict()}
    >>> with tracehound.start_span("here") as span:
    ...     tracehound.add_trace(answer["trace"])
    >>> [each.name for each in tracehound.get_trace(span.trace_id).data.spans]
    ['here', 'there']
    """
    found = _check(trace)
    if target is not None and not isinstance(target, LiveSpan):
        raise ArgumentError(f"target is a span that runs here, not {target!r}")
    above = target or current_span()
    if above is None and not is_left_out():
        _add_alone(found)
    elif above is not None and not isinstance(above, NoOpSpan):
        _add_below(above, found)


def _check(trace: Trace | Mapping[str, Any]) -> Trace:
    if isinstance(trace, Mapping):
        trace = Trace.from_dict(dict(trace))
    if not isinstance(trace, Trace):
        raise ArgumentError(f"add_trace takes a Trace, or what Trace.to_dict() has written, not {trace!r}")
    spans = trace.data.spans
    if not spans:
        raise ArgumentError(f"the trace {trace.info.trace_id} comes without its spans: nothing could be added")
    if trace.info.state is TraceState.IN_PROGRESS or any(span.end_time_ns is None for span in spans):
        raise ArgumentError(f"the trace {trace.info.trace_id} has not ended: add it when it has")
    return trace


def _add_alone(trace: Trace) -> None:
    root = trace.data.spans[0]
    span = start_span_no_context(f"Remote Trace <{root.name}>", inputs=root.inputs, start_time_ns=root.start_time_ns)
    if not isinstance(span, NoOpSpan):
        _add_below(span, trace)
        status = "ERROR" if trace.info.state is TraceState.ERROR else "OK"
        span.end(outputs=root.outputs, status=status, end_time_ns=max(_end_ns(each) for each in trace.data.spans))


def _add_below(above: LiveSpan, trace: Trace) -> None:
    """Put the spans of a trace below a span, and say of its trace what it does not say itself."""
    runtime, draft = current(), above.draft
    now_ns = runtime.clock_ns()
    ids = {span.span_id for span in trace.data.spans}
    for each in trace.data.spans:
        parent_id = each.parent_id if each.parent_id in ids else above.span_id
        span = replace(each, trace_id=draft.trace_id, parent_id=parent_id, otel_trace_id=None)
        if draft.is_inherited:  # the process that this was forked from hands over what it holds, and not this
            runtime.submit(TracePart(draft.trace_id, draft.experiment, now_ns, [span], {}, {}))
        elif (part := draft.end_span(span, now_ns, is_local_root=False)) is not None:
            runtime.submit(part)
    tags, metadata = trace.info.tags, trace.info.trace_metadata
    say(draft, _unsaid(tags, draft.tags), _unsaid(metadata, draft.metadata))


def _unsaid(said: Mapping[str, str], here: Mapping[str, str]) -> dict[str, str]:
    return {
        key: value
        for key, value in said.items()
        if key not in here and (key in _OF_THE_USER or not key.startswith(_OF_THE_STORE))
    }


def _end_ns(span: Span) -> int:
    return span.end_time_ns or span.start_time_ns
