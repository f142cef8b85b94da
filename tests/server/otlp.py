"""Requests of OTLP for tests, made without an SDK."""

from __future__ import annotations

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.traces import START_MS


def request_of(*pairs: tuple[int, int], service: str = "shop") -> ExportTraceServiceRequest:
    """Return a request with a span for each pair of the numbers of a trace and a span; the first one is the root."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    attribute = resource_spans.resource.attributes.add(key="service.name")
    attribute.value.string_value = service
    scope_spans = resource_spans.scope_spans.add()
    for trace, number in pairs:
        start_ns = (START_MS + number) * 1_000_000
        span = scope_spans.spans.add(
            trace_id=trace.to_bytes(16, "big"),
            span_id=number.to_bytes(8, "big"),
            parent_span_id=b"" if number == 1 else (1).to_bytes(8, "big"),
            name=f"step {number}",
            kind=1,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + 1_000_000,
        )
        said = span.attributes.add(key="number")
        said.value.int_value = number
    return request


def trace_id(number: int) -> str:
    return f"tr-{number:032x}"
