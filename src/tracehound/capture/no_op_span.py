"""A span that records nothing: for what is sampled out or switched off, and for a program that goes on untraced."""

from __future__ import annotations

from typing import Any

from opentelemetry import trace as otel

from tracehound.capture.arguments import Binder
from tracehound.capture.live_span import LiveSpan
from tracehound.capture.otel_context import make_current, restore_current
from tracehound.model.ids import NO_OP_TRACE_ID
from tracehound.model.occurrence import RecordedEvent, RecordedLink
from tracehound.model.span import UNKNOWN, SpanStatus


class NoOpSpan(LiveSpan):
    """A span that has ended before it began, so that nothing that is set counts.

    Its context, where it has one, says that the trace is not kept: spans below, here and in other services, follow.
    """

    _number = 0
    _parent_number = None
    _span_type = UNKNOWN
    _kind = "INTERNAL"
    _end_ns = 0
    _status = SpanStatus()
    _inputs = None
    _outputs = None
    _events: list[RecordedEvent] = []  # noqa: RUF012 - nobody can add to it
    _links: list[RecordedLink] = []  # noqa: RUF012 - as above

    def __init__(self, name: str, context: otel.SpanContext = otel.INVALID_SPAN_CONTEXT) -> None:
        self._name = name
        self._context = context
        self._texts = {}

    def start(self, start_ns: int | None = None) -> None:
        """Do nothing: no time is measured."""

    def set_arguments(self, binder: Binder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Do nothing."""

    def enter(self) -> Any:
        """Become the current span, so that what is below is not recorded either."""
        return make_current(self)

    def leave(self, token: Any, exception: BaseException | None, result: object = None) -> None:  # noqa: ARG002 - nothing is kept
        """Make current what was so before."""
        if token is not None:
            restore_current(token)

    @property
    def trace_id(self) -> str:
        """The id that says that there is no trace."""
        return NO_OP_TRACE_ID

    @property
    def span_id(self) -> str:
        """No id."""
        return ""
