"""Spans as other people's instrumentation makes them, for the tests of their translation."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.traces import span as plain_span
from tracehound.model.occurrence import RecordedEvent
from tracehound.model.record import replace
from tracehound.model.span import UNKNOWN, Span, SpanStatus, SpanStatusCode
from tracehound.model.values import encode_value

RECORDED = Path(__file__).parents[1] / "data" / "dialects"


@dataclasses.dataclass(frozen=True)
class Event:
    """An event, so many ms after the start of its span."""

    name: str
    attributes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    after_ms: int = 1


def foreign_span(attributes: Mapping[str, Any], *, events: Sequence[Event] = (), number: int = 1, trace: int = 1,
                 parent: int | None = None, name: str = "call", failed: bool = False) -> Span:  # fmt: skip
    """Return a span as it arrives: nothing is said of it but by its attributes and events."""
    blank = plain_span(number, trace, parent=parent, start_ms=number, name=name, failed=failed)
    return replace(
        blank,
        span_type=UNKNOWN,
        inputs_json=None,
        outputs_json=None,
        attributes_json=texts(attributes),
        event_records=tuple(
            RecordedEvent(each.name, blank.start_time_ns + each.after_ms * 1_000_000, texts(each.attributes))
            for each in events
        ),
    )


def recorded_spans(name: str) -> list[Span]:
    """Return the spans of a file: each is what an instrumentation made of one call."""
    lines = (RECORDED / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [_recorded(json.loads(line), number + 1) for number, line in enumerate(lines)]


def _recorded(form: dict[str, Any], number: int) -> Span:
    events = [Event(each["name"], each["attributes"]) for each in form["events"]]
    code, description = form["status"]
    made = foreign_span(form["attributes"], events=events, number=number, trace=number, name=form["name"])
    status = SpanStatus(SpanStatusCode(code), description or "")
    if "id" not in form:
        return replace(made, status=status, kind=form["kind"])
    # Of one trace, recorded with the ids of its spans.
    trace_id = f"tr-{1:032x}"
    return replace(
        made, status=status, kind=form["kind"], trace_id=trace_id, span_id=form["id"], parent_id=form["parent"]
    )


def texts(attributes: Mapping[str, Any]) -> dict[str, str]:
    return {key: encode_value(value) for key, value in attributes.items()}
