"""What a span tells beside its values: what happened in it, and which other spans it refers to.

Both come in two shapes. A span holds records (`RecordedEvent`, `RecordedLink`), whose values are JSON texts;
who reads a span, or makes an event or a link for one, has `SpanEvent` and `Link`, whose values are plain.
"""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, field
from typing import Any

from tracehound.model.form import Form
from tracehound.model.record import Record
from tracehound.model.values import decode_value


class RecordedEvent(Record, frozen=True, array_like=True, gc=False):
    """An event as a span keeps it: `attributes_json` holds JSON texts."""

    name: str
    timestamp_ns: int
    attributes_json: dict[str, str] = {}


class RecordedLink(Record, frozen=True, array_like=True, gc=False):
    """A link as a span keeps it: `attributes_json` holds JSON texts."""

    trace_id: str
    span_id: str
    attributes_json: dict[str, str] = {}


@dataclass(frozen=True)
class SpanEvent:
    """Something that happened at one moment of a span, such as an exception; `timestamp` is in nanoseconds.

    >>> SpanEvent("retry", 1_735_689_600_000_000_000, {"attempt": 2}).attributes
    {'attempt': 2}
    """

    name: str
    timestamp: int = field(default_factory=time.time_ns)
    attributes: dict[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def from_exception(cls, exception: BaseException) -> SpanEvent:
        """Return the event that tells of an exception, as OpenTelemetry has it."""
        stack = traceback.format_exception(type(exception), exception, exception.__traceback__)
        told = {
            "exception.message": str(exception),
            "exception.type": type(exception).__name__,
            "exception.stacktrace": "".join(stack).strip(),
        }
        return cls("exception", attributes=told)

    @property
    def timestamp_ns(self) -> int:
        """The time, under the name that says its unit."""
        return self.timestamp


@dataclass(frozen=True)
class Link:
    """A reference from a span to a span of another trace; the ids are `tr-` with 32 hexadecimal digits, and 16.

    >>> Link("tr-00000000000000000000000000000001", "0000000000000002", {"why": "retry"}).to_dict()["attributes"]
    {'why': 'retry'}
    """

    trace_id: str
    span_id: str
    attributes: dict[str, Any] | None = field(default=None, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the link in MLflow's form; `from_dict` is the inverse."""
        return {"trace_id": self.trace_id, "span_id": self.span_id, "attributes": self.attributes}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Link:
        """Return the link that MLflow or `to_dict` wrote; raise `ArgumentError` for what is none."""
        from tracehound.model.span_form import read_link

        return read_link(Form(data, ""))


def event_of(record: RecordedEvent) -> SpanEvent:
    """Return an event of a span as it is read."""
    return SpanEvent(record.name, record.timestamp_ns, decode_all(record.attributes_json))


def link_of(record: RecordedLink) -> Link:
    """Return a link of a span as it is read. Like MLflow's, it has no attributes rather than an empty mapping."""
    return Link(record.trace_id, record.span_id, decode_all(record.attributes_json) or None)


def decode_all(texts: dict[str, str]) -> dict[str, Any]:
    """Return what JSON texts hold, under their names."""
    return {key: decode_value(text) for key, text in texts.items()}
