"""A span that is made current by who may never take it back: by callbacks, of which the one at the end may not come.

Where such a span has ended, what was current before it counts as current, and so on: a span that was left behind is no
parent of anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import trace as otel
from opentelemetry.util.types import Attributes, AttributeValue

from tracehound.capture.otel_context import make_current


class AttachedSpan(otel.Span):
    """A span that is current until it ends, and what was current before."""

    def __init__(self, span: otel.Span, before: otel.Span) -> None:
        self._span = span
        self._before = before

    def living(self) -> otel.Span:
        """Return the span if it runs, else what was current before it."""
        found = self.unwound()
        return found._span if isinstance(found, AttachedSpan) else found

    def unwound(self) -> otel.Span:
        """Return what stands for the span that counts as current."""
        span: otel.Span = self
        while isinstance(span, AttachedSpan) and not span._span.is_recording():
            span = span._before
        return span

    def get_span_context(self) -> otel.SpanContext:
        """Return the ids of the span that counts as current."""
        return self.living().get_span_context()

    def is_recording(self) -> bool:
        """Whether that span runs."""
        return self.living().is_recording()

    def end(self, end_time: int | None = None) -> None:
        """Do nothing: who made the span ends it."""

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Record an attribute of the span that counts as current; so do the others."""
        self.living().set_attribute(key, value)

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Record attributes."""
        self.living().set_attributes(attributes)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Record that something happened."""
        self.living().add_event(name, attributes, timestamp)

    def add_link(self, context: otel.SpanContext, attributes: Attributes = None) -> None:
        """Refer to a span."""
        self.living().add_link(context, attributes)

    def update_name(self, name: str) -> None:
        """Call it something else."""
        self.living().update_name(name)

    def set_status(self, status: Any, description: str | None = None) -> None:
        """Say how it ends."""
        self.living().set_status(status, description)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 - OpenTelemetry's signature
    ) -> None:
        """Record an exception."""
        self.living().record_exception(exception, attributes, timestamp, escaped)


def attach(span: otel.Span) -> None:
    """Make a span current here, until it ends."""
    make_current(AttachedSpan(span, _current_unwound()))


def detach_ended() -> None:
    """Make current what was so before the spans that were attached here and have ended."""
    before = _current_unwound()
    if before is not otel.get_current_span():
        make_current(before)


def _current_unwound() -> otel.Span:
    span = otel.get_current_span()
    return span.unwound() if isinstance(span, AttachedSpan) else span
