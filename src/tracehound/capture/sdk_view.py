"""What instrumentations read of a span beyond OpenTelemetry's API, because the SDK's span has it.

FastAPI's instrumentation asks every current span for its `kind`, others for `parent`, `resource` or `_attributes`; a
span without them makes the instrumented program fail.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry import trace as otel


@dataclass(frozen=True)
class Resource:
    """What OpenTelemetry says of a process; here it says nothing that a span needs."""

    attributes: Mapping[str, Any] = field(default_factory=dict)
    schema_url: str = ""


@dataclass(frozen=True)
class InstrumentationScope:
    """The library that a span comes from."""

    name: str
    version: str | None = None
    schema_url: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


RESOURCE: Final = Resource({"service.name": "unknown_service"})  # as the SDK says it where nobody told
OWN_SCOPE: Final = InstrumentationScope("tracehound")


class SdkView(otel.Span):
    """The names under which the SDK's span answers; the span has the values."""

    _kind: str
    _start_ns: int
    _end_ns: int | None
    _parent_number: int | None
    _parent_context: otel.SpanContext | None
    _scope = OWN_SCOPE

    @property
    @abstractmethod
    def attributes(self) -> dict[str, Any]:
        """The attributes set so far, as plain values."""

    @property
    def _attributes(self) -> dict[str, Any]:
        return self.attributes

    @property
    def context(self) -> otel.SpanContext:
        """The ids of the span."""
        return self.get_span_context()

    @property
    def parent(self) -> otel.SpanContext | None:
        """The ids of the span above, or None."""
        if self._parent_number is None:
            return None
        if self._parent_context is not None:
            return self._parent_context
        own = self.get_span_context()
        return otel.SpanContext(own.trace_id, self._parent_number, is_remote=False, trace_flags=own.trace_flags)

    @property
    def kind(self) -> otel.SpanKind:
        """Which side of a call this is."""
        return otel.SpanKind[self._kind]

    @property
    def start_time(self) -> int:
        """When the step began, in nanoseconds since the epoch."""
        return self._start_ns

    @property
    def end_time(self) -> int | None:
        """When the step ended, in nanoseconds since the epoch; None while it runs."""
        return self._end_ns

    @property
    def resource(self) -> Resource:
        """The process that the span ran in."""
        return RESOURCE

    @property
    def instrumentation_scope(self) -> InstrumentationScope:
        """The library that the span comes from."""
        return self._scope
