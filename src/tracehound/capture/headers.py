"""A trace that goes on in another process: its ids as HTTP headers (W3C Trace Context), out of here and into here."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tracehound.capture.otel_context import get_context, make_current, restore_current
from tracehound.errors import ArgumentError

_logger = logging.getLogger("tracehound.capture")

_TRACEPARENT: Final = "traceparent"
_PROPAGATOR: Final = TraceContextTextMapPropagator()


def get_tracing_context_headers_for_http_request() -> dict[str, str]:
    """Return the headers that let a service continue the trace under way here; without one, none.

    `traceparent` says the ids of the trace and of the current span, and whether the trace is kept; `tracestate` what
    vendors keep in it, if they do.

    >>> import tracehound
    >>> with tracehound.start_span("ask") as span:
    ...     headers = tracehound.tracing.get_tracing_context_headers_for_http_request()
    >>> headers["traceparent"] == f"00-{span.trace_id.removeprefix('tr-')}-{span.span_id}-01"
    True
    """
    headers: dict[str, str] = {}
    _PROPAGATOR.inject(headers, get_context())
    return headers


@contextmanager
def set_tracing_context_from_http_request_headers(headers: Mapping[str, str]) -> Iterator[None]:
    """Continue the trace of a request inside a block: spans that begin there stand below the span of its sender.

    `headers` are those of the request, in any case and of any framework. Raise `ArgumentError` where they have no
    `traceparent`. One that cannot be read is logged, and spans of the block begin a trace of their own.

    >>> import tracehound
    >>> headers = {"Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    >>> with tracehound.tracing.set_tracing_context_from_http_request_headers(headers):
    ...     with tracehound.start_span("answer") as span:
    ...         pass
    >>> span.trace_id, span.parent_id
    ('tr-0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331')
    """
    known = {str(name).lower(): value for name, value in headers.items()}
    if _TRACEPARENT not in known:
        raise ArgumentError(
            "the headers have no 'traceparent': send get_tracing_context_headers_for_http_request() along, and for"
            " requests without it do not call set_tracing_context_from_http_request_headers()"
        )
    sender = otel.get_current_span(_PROPAGATOR.extract(known, Context()))
    if not sender.get_span_context().is_valid:
        _logger.warning("this is no traceparent, so a new trace begins: %.100r", known[_TRACEPARENT])
    token = make_current(sender)
    try:
        yield
    finally:
        restore_current(token)
