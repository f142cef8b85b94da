"""A trace that is told of before its spans are there.

MLflow's clients send what they know of a whole trace in one request and its spans in others, in any order, seconds
apart. Every part of a trace has spans, so the part that says only what is known of the whole has one that stands in
for them. The merge leaves it out as soon as it knows another one (`model.merge`): until then the trace is found under
its name, with its times and its state.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tracehound.model.ids import hash63
from tracehound.model.span import Span, SpanStatus

_MARK: Final = "tracehound.standIn"


def stand_in(trace_id: str, name: str, start_time_ns: int, end_time_ns: int | None, status: SpanStatus) -> Span:
    """Return the span that stands in for those of a trace, which nothing else is known of."""
    span_id = f"{hash63('stand-in', trace_id) or 1:016x}"
    return Span(
        trace_id, span_id, None, name, start_time_ns, end_time_ns, status, attributes_json={_MARK: "true"}
    )  # fmt: skip


def is_stand_in(span: Span) -> bool:
    """Whether a span stands in for others."""
    return _MARK in span.attributes_json


def real_spans(spans: Iterable[Span]) -> list[Span]:
    """Return the spans without the one that stands in for others."""
    return [span for span in spans if not is_stand_in(span)]
