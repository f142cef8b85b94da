"""As much of some traces as there is room for: of long values the beginning, of many spans the first ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from tracehound.model.occurrence import RecordedEvent
from tracehound.model.record import Record, replace, to_json_text, to_plain
from tracehound.model.span import Span, SpanStatus
from tracehound.model.trace import Trace, TraceData, TraceInfo

_LONGEST: Final = 10_000  # characters of a value


class Excerpt(Record, frozen=True):
    """Traces, and what is missing: how many values are cut or left out, how many spans and traces are not there."""

    traces: list[Trace]
    missing_values: int = 0
    missing_spans: int = 0
    missing_traces: int = 0


def take_excerpt(traces: Sequence[Trace], characters: int) -> Excerpt:
    """Return as much of the traces as has so many characters as JSON; of the first one there is always something.

    >>> take_excerpt([], 1_000)
    Excerpt(traces=[], missing_values=0, missing_spans=0, missing_traces=0)
    """
    kept: list[Trace] = []
    missing_values = missing_spans = 0
    for trace in traces:
        info = _fit_info(trace.info, characters)
        characters -= _size(info)
        if kept and characters <= 0:
            break
        spans, values, characters = _fit_spans(trace.data.spans, characters)
        missing_values += values
        missing_spans += len(trace.data.spans) - len(spans)
        kept.append(Trace(info, TraceData(spans)))
    return Excerpt(kept, missing_values, missing_spans, len(traces) - len(kept))


def _fit_info(info: TraceInfo, characters: int) -> TraceInfo:
    """Return what is known of a trace with its texts cut; without most of it where there is no room for that."""
    known = replace(info, trace_metadata=_cut_all(info.trace_metadata), tags=_cut_all(info.tags))
    if _size(known) <= characters:
        return known
    return replace(
        info, name=_cut(info.name), trace_metadata={}, tags={}, assessments=[], request_preview=None,
        response_preview=None,
    )  # fmt: skip


def _fit_spans(spans: Iterable[Span], characters: int) -> tuple[list[Span], int, int]:
    """Return the first spans, how many of their values are missing or cut, and how many characters there is room for.

    The first span is there in any case, without its values where there is no room for them.
    """
    kept: list[Span] = []
    missing = 0
    for span in spans:
        known, cut = _cut_values(span), sum(len(text) > _LONGEST for text in _values(span))
        if _size(known) > characters:
            if kept:
                break
            known, cut = _without_values(span), sum(1 for _ in _values(span))
        characters -= _size(known)
        missing += cut
        kept.append(known)
    return kept, missing, characters


def _cut_values(span: Span) -> Span:
    if all(len(text) <= _LONGEST for text in (span.name, span.status.description, *_values(span))):
        return span
    return replace(
        span,
        name=_cut(span.name),
        status=SpanStatus(span.status.status_code, _cut(span.status.description)),
        inputs_json=None if span.inputs_json is None else _cut_json(span.inputs_json),
        outputs_json=None if span.outputs_json is None else _cut_json(span.outputs_json),
        attributes_json={key: _cut_json(text) for key, text in span.attributes_json.items()},
        event_records=[
            RecordedEvent(
                each.name, each.timestamp_ns, {key: _cut_json(text) for key, text in each.attributes_json.items()}
            )
            for each in span.event_records
        ],
    )


def _without_values(span: Span) -> Span:
    return replace(
        span, name=_cut(span.name), status=SpanStatus(span.status.status_code, _cut(span.status.description)),
        inputs_json=None, outputs_json=None, attributes_json={}, event_records=[], link_records=[],
    )  # fmt: skip


def _values(span: Span) -> Iterator[str]:
    """Yield the values of a span, which are JSON texts."""
    yield from (text for text in (span.inputs_json, span.outputs_json) if text is not None)
    yield from span.attributes_json.values()
    for event in span.event_records:
        yield from event.attributes_json.values()


def _cut_json(text: str) -> str:
    """Return a JSON text; of a long one its beginning, as a text in JSON."""
    return text if len(text) <= _LONGEST else to_json_text(_cut(text))


def _cut_all(texts: Mapping[str, str]) -> dict[str, str]:
    return {key: _cut(text) for key, text in texts.items()}


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… {len(text) - _LONGEST:,} characters more"


def _size(record: Record) -> int:
    return len(to_json_text(to_plain(record)))
