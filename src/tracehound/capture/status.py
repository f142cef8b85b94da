"""What callers say of a span in the words of either API, in ours."""

from __future__ import annotations

import traceback
from typing import Final, NamedTuple

from opentelemetry import trace as otel

from tracehound.errors import ArgumentError
from tracehound.model.span import SpanStatus, SpanStatusCode
from tracehound.model.values import clean_text

_MAX_CALLS: Final = 50
_MAX_STACK_CHARACTERS: Final = 20_000
_OTEL_STATUS: Final = {
    otel.StatusCode.UNSET: SpanStatusCode.UNSET,
    otel.StatusCode.OK: SpanStatusCode.OK,
    otel.StatusCode.ERROR: SpanStatusCode.ERROR,
}
# What people write. A status is not made anew for each span that has it.
_PLAIN: Final[dict[str, SpanStatus]] = {code.value: SpanStatus(code) for code in SpanStatusCode}


class OnException(NamedTuple):
    """Whether an exception that leaves a span's block is recorded, and whether the step failed by it."""

    records: bool
    fails: bool


def to_status(status: object, description: str | None) -> SpanStatus:
    """Return the status that is meant, in whichever API's words; raise `ArgumentError` for what is none."""
    if not description and isinstance(status, str) and (plain := _PLAIN.get(status)) is not None:
        return plain
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


def type_of(exception: BaseException) -> str:
    """Return the name of an exception's type, with its module unless it is one of Python's own."""
    kind = type(exception)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def stack_of(exception: BaseException) -> str:
    """Return where an exception was raised, the innermost calls; nothing where it cannot be written out.

    Recursion passes the same exception through many spans, and each would write out all of its calls.
    """
    try:
        lines = traceback.format_exception(type(exception), exception, exception.__traceback__, limit=-_MAX_CALLS)
    except Exception:  # noqa: BLE001 - an exception's attributes are user code
        return ""
    return "".join(lines)[-_MAX_STACK_CHARACTERS:]


def message_of(exception: BaseException) -> str:
    """Return what the exception says, even if saying it raises."""
    try:
        return clean_text(str(exception))
    except Exception:  # noqa: BLE001 - __str__ is user code
        return "<an exception whose message raises>"
