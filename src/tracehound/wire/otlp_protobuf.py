"""OTLP's requests and answers in protobuf. What they mean stands in `wire.otlp`; `wire.otlp_json` reads them as JSON.

A field of a message costs a tenth of a microsecond to look at, so each is looked at once.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from tracehound.model.ids import TRACE_ID_PREFIX
from tracehound.model.occurrence import RecordedLink
from tracehound.model.span import Span
from tracehound.wire.any_value import to_texts
from tracehound.wire.dialects.translate import translate_part
from tracehound.wire.otlp import (
    EXPERIMENT,
    FAULTS,
    Arrived,
    DamagedRequestError,
    Intake,
    said_of_spans,
    take_spans,
    to_event,
    to_span,
)

_NO_TRACE: bytes = bytes(16)
_NO_SPAN: bytes = bytes(8)


def read_otlp_protobuf(data: bytes, experiment: str, intake: Intake = translate_part) -> Arrived:
    """Return what a request in protobuf brings, without the spans that are damaged.

    `experiment` is the name of that which the traces go into where the request names none; each part passes through
    `intake`. Raise `DamagedRequestError` for what is no request at all.
    """
    try:
        request = ExportTraceServiceRequest.FromString(data)
    except DecodeError as error:
        raise DamagedRequestError("the body is no ExportTraceServiceRequest of OTLP, or cut off") from error
    arrived = Arrived()
    for resource_spans in request.resource_spans:
        resource = _texts_of(resource_spans.resource.attributes)
        is_ours = EXPERIMENT in resource
        spans: list[Span] = []
        for scope_spans in resource_spans.scope_spans:
            scope = scope_spans.scope
            said = said_of_spans(resource, scope.name, scope.version, _texts_of(scope.attributes))
            for each in scope_spans.spans:
                try:
                    spans.append(_to_span(each, said, is_ours=is_ours))
                except FAULTS as error:  # noqa: PERF203 - one span among others
                    arrived.refuse(1, error)
        try:
            take_spans(arrived, resource, spans, experiment, intake)
        except FAULTS as error:
            arrived.refuse(len(spans), error)
    return arrived


def write_answer(refused: int, reason: str) -> bytes:
    """Return the answer to a request: how many of its spans were refused, and why."""
    answer = ExportTraceServiceResponse()
    if refused:
        answer.partial_success.rejected_spans = refused
        answer.partial_success.error_message = reason
    return answer.SerializeToString()


def _to_span(message: trace_pb2.Span, said: Mapping[str, str], *, is_ours: bool) -> Span:
    status = message.status
    parent = message.parent_span_id
    return to_span(
        trace_id=_trace_id(message.trace_id),
        span_id=_span_id(message.span_id),
        parent_id=_span_id(parent) if parent and parent != _NO_SPAN else None,
        name=message.name,
        kind=message.kind,
        start_ns=message.start_time_unix_nano,
        end_ns=message.end_time_unix_nano,
        code=status.code,
        message=status.message,
        texts={**said, **_texts_of(message.attributes)},
        is_ours=is_ours,
        events=[to_event(each.name, each.time_unix_nano, _texts_of(each.attributes)) for each in message.events],
        links=[
            RecordedLink(
                f"{TRACE_ID_PREFIX}{_id_of_link(each.trace_id, _NO_TRACE)}",
                _id_of_link(each.span_id, _NO_SPAN),
                _texts_of(each.attributes),
            )
            for each in message.links
        ],
    )


def _texts_of(attributes: Iterable[KeyValue]) -> dict[str, str]:
    return to_texts((each.key, _value_of(each.value)) for each in attributes)


def _value_of(value: AnyValue) -> Any:
    """Return the plain value."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    found = getattr(value, kind)
    if kind == "array_value":
        return [_value_of(each) for each in found.values]
    if kind == "kvlist_value":
        return {each.key: _value_of(each.value) for each in found.values}
    return base64.b64encode(found).decode("ascii") if kind == "bytes_value" else found


def _trace_id(data: bytes) -> str:
    if len(data) != len(_NO_TRACE) or data == _NO_TRACE:
        raise ValueError(data)
    return f"{TRACE_ID_PREFIX}{data.hex()}"


def _span_id(data: bytes) -> str:
    if len(data) != len(_NO_SPAN) or data == _NO_SPAN:
        raise ValueError(data)
    return data.hex()


def _id_of_link(data: bytes, none: bytes) -> str:
    """Return an id of what a link refers to; zeros where it says none, which OpenTelemetry allows."""
    if len(data or none) != len(none):
        raise ValueError(data)
    return (data or none).hex()
