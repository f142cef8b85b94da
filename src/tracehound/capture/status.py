"""What callers say of a span in the words of either API, in ours."""

from __future__ import annotations

from typing import Final

from opentelemetry import trace as otel

from tracehound.errors import ArgumentError
from tracehound.model.span import SpanStatus, SpanStatusCode
from tracehound.model.values import clean_text

_OTEL_STATUS: Final = {
    otel.StatusCode.UNSET: SpanStatusCode.UNSET,
    otel.StatusCode.OK: SpanStatusCode.OK,
    otel.StatusCode.ERROR: SpanStatusCode.ERROR,
}


def to_status(status: object, description: str | None) -> SpanStatus:
    """Return the status that is meant, in whichever API's words; raise `ArgumentError` for what is none."""
    if isinstance(status, SpanStatus):
        return to_status(status.status_code, status.description)
    if isinstance(status, otel.Status):
        return SpanStatus(_OTEL_STATUS[status.status_code], clean_text(status.description or description or ""))
    if isinstance(status, otel.StatusCode):
        return SpanStatus(_OTEL_STATUS[status], clean_text(description or ""))
    try:
        return SpanStatus(SpanStatusCode(str(status)), clean_text(description or ""))
    except ValueError:
        raise ArgumentError(f"a span's status is OK, ERROR or UNSET, not {status!r}") from None


def to_ns(time: float | None, now_ns: int) -> int:
    """Return a time that was given, or now where none was or it is none."""
    return int(time) if time is not None and 0 < time < 2**63 else now_ns


def message_of(exception: BaseException) -> str:
    """Return what the exception says, even if saying it raises."""
    try:
        return clean_text(str(exception))
    except Exception:  # noqa: BLE001 - __str__ is user code
        return "<an exception whose message raises>"
