"""A trace as a row of the wide table, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tracehound.model.assessment import Assessment
from tracehound.model.buckets import bucket_of
from tracehound.model.record import from_json, to_json, to_json_text
from tracehound.model.reserved import SPAN_MODEL
from tracehound.model.span import Span
from tracehound.model.trace import Trace, TraceInfo, TraceState
from tracehound.query.clickhouse import NO_WORDS, NUMBER_COLUMNS, is_apart
from tracehound.query.evaluate import assessed_values, value_of
from tracehound.query.fields import ASSESSED, ATTRIBUTES, NUMBERS_IN_SPAN, Group
from tracehound.query.numbers import number_at, number_in
from tracehound.query.span_terms import attribute_terms_of, durations_of_spans
from tracehound.query.words import words_of

_NUMBERS: Final = tuple(ATTRIBUTES[name] for name in NUMBER_COLUMNS)
_WITH_NUMBERS: Final = tuple(dict.fromkeys(key for key, _ in NUMBERS_IN_SPAN.values()))
_BEGINS_NUMBER: Final = "-0123456789"


@dataclass(frozen=True)
class PartKey:
    """What tells one part of a trace from the others, and whether its process is gone."""

    written_ns: int
    digest: int
    has_ended: bool = False


@dataclass(frozen=True)
class Version:
    """One version of a trace: its number, when the trace was first heard of, what it is made of, what runs in it."""

    number: int
    arrived: int
    parts: Sequence[PartKey]
    running: Sequence[str]


def to_row(trace: Trace, version: Version) -> tuple[Any, ...]:
    """Return the columns of `schema.TRACE`, in their order."""
    info, spans = trace.info, trace.data.spans
    searched: dict[str, str] = {}
    apart: dict[str, str] = {}
    for key, value in info.trace_metadata.items():
        (apart if is_apart(key) else searched)[key] = value
    duration = info.execution_duration
    said = _said(info) if info.assessments else []
    return (
        int(info.experiment_id),
        info.request_time,
        info.trace_id,
        version.number,
        0,
        version.arrived,
        duration,
        None if duration is None else bucket_of(duration),
        info.state.value,
        info.name,
        info.request_preview,
        info.response_preview,
        info.client_request_id,
        info.tags,
        _numbers_in(info.tags),
        searched,
        _numbers_in(info.trace_metadata),
        apart,
        *(_double(value_of(field, info)) for field in _NUMBERS),
        to_json([each.to_dict() for each in info.assessments]).decode() if info.assessments else "",
        *([list(column) for column in zip(*said, strict=True)] if said else ([], [], [], [], [])),
        [span.name for span in spans],
        [span.span_type for span in spans],
        [span.status.status_code.value for span in spans],
        [span.status.description or None for span in spans],
        durations_of_spans(spans),
        [span.model_name if SPAN_MODEL in span.attributes_json else None for span in spans],
        *_numbers_of_spans(spans),
        attribute_terms_of(spans),
        _words(spans),
        [part.written_ns for part in version.parts],
        [part.digest for part in version.parts],
        [int(part.has_ended) for part in version.parts],
        list(version.running),
    )


def to_info(row: Sequence[Any]) -> TraceInfo:
    """Return what the columns of `query.clickhouse.ROW` say."""
    (
        trace_id, _, experiment, start_ms, duration_ms, state, name, request, response, client_request_id, metadata,
        apart, tags, assessments, *_
    ) = row  # fmt: skip
    return TraceInfo(
        trace_id=trace_id,
        experiment_id=str(experiment),
        request_time=start_ms,
        execution_duration=duration_ms,
        state=TraceState(state),
        name=name,
        request_preview=request,
        response_preview=response,
        client_request_id=client_request_id,
        trace_metadata={**metadata, **apart},
        tags=tags,
        assessments=[Assessment.from_dict(each) for each in from_json(assessments)] if assessments else [],
    )


def parts_of(row: Sequence[Any]) -> list[PartKey]:
    """Return what a row of `query.clickhouse.ROW` is made of."""
    times, digests, ended = row[14:17]
    return [PartKey(*each) for each in zip(times, digests, map(bool, ended), strict=True)]


def _numbers_in(texts: Mapping[str, str]) -> dict[str, float]:
    """Return the numbers that values write: most write none, which their first letter tells."""
    return {
        key: number
        for key, value in texts.items()
        if value[:1] in _BEGINS_NUMBER and (number := number_in(value)) is not None
    }


def _numbers_of_spans(spans: Sequence[Span]) -> list[list[float | None]]:
    """Return for each of `NUMBERS_IN_SPAN` those of the spans: most spans have none of the attributes."""
    having = [any(key in span.attributes_json for key in _WITH_NUMBERS) for span in spans]
    if not any(having):
        return [[None] * len(spans)] * len(NUMBERS_IN_SPAN)
    return [
        [
            _double(number_at(span.attributes_json, key, name)) if has else None
            for span, has in zip(spans, having, strict=True)
        ]
        for key, name in NUMBERS_IN_SPAN.values()
    ]


def _double(number: float | None) -> float | None:
    return None if number is None else float(number)


def _words(spans: Sequence[Span]) -> bytes:
    found = words_of(spans)
    return NO_WORDS.encode() if found is None else found


def _said(info: TraceInfo) -> list[tuple[str, str, str, float | None, int | None]]:
    """Return what can be asked of feedback and expectations: group, name, text, number and truth of each value."""
    names = dict.fromkeys(each.name for each in info.assessments)
    return [
        (group.value, name, _text(value), _number(value), int(value) if isinstance(value, bool) else None)
        for group in sorted(ASSESSED, key=lambda each: Group(each).value)
        for name in names
        for value in assessed_values(group, name, info.assessments)
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else to_json_text(value)


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return number_in(value)
    return float(value) if type(value) in (int, float) else None
