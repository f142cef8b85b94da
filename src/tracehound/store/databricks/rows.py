"""A trace as a row of the table that a SQL warehouse searches, and back. docs/databricks.md has the columns.

What is searched is columns of its own; what is read are two texts, which every client returns as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from tracehound.errors import ArgumentError, StoreError
from tracehound.model.record import DecodeError, from_json, to_json_text
from tracehound.model.reserved import SPAN_MODEL
from tracehound.model.span import Span, span_from_dict
from tracehound.model.trace import Trace, TraceData, TraceInfo, TracePart
from tracehound.query.fields import NUMBERS_IN_SPAN
from tracehound.query.span_terms import attribute_terms_of, durations_of_spans
from tracehound.query.wide import NO_WORDS, NUMBER_COLUMNS, SPAN_COLUMNS
from tracehound.query.words import words_of
from tracehound.store.wide_rows import (
    numbers_in,
    numbers_of,
    numbers_of_spans,
    said_of,
    split_metadata,
)
from tracehound.wire.payload import to_payload


class Kind(Enum):
    """What a column holds, or the fields of a record do."""

    TEXT = "STRING"
    WHOLE = "BIGINT"
    DOUBLE = "DOUBLE"
    TRUTH = "BOOLEAN"


@dataclass(frozen=True)
class MapOf:
    """Values of a kind by text."""

    kind: Kind


@dataclass(frozen=True)
class ListOf:
    """Values of a kind, or records with fields of some."""

    kind: Kind | Mapping[str, Kind]


_SAID: Final = ("about", "name", "text", "number", "boolean")
_SAID_KINDS: Final = dict(zip(_SAID, (Kind.TEXT, Kind.TEXT, Kind.TEXT, Kind.DOUBLE, Kind.TRUTH), strict=True))
_SPAN_KINDS: Final = {
    name: Kind.WHOLE if name == "duration_ms" else Kind.DOUBLE if name in NUMBERS_IN_SPAN else Kind.TEXT
    for name in SPAN_COLUMNS
}
COLUMNS: Final[dict[str, Kind | MapOf | ListOf]] = {
    "trace_id": Kind.TEXT,
    "experiment": Kind.WHOLE,
    "experiment_name": Kind.TEXT,
    "start_ms": Kind.WHOLE,
    "duration_ms": Kind.WHOLE,
    "state": Kind.TEXT,
    "name": Kind.TEXT,
    "client_request_id": Kind.TEXT,
    "tags": MapOf(Kind.TEXT),
    "tags_numbers": MapOf(Kind.DOUBLE),
    "metadata": MapOf(Kind.TEXT),
    "metadata_numbers": MapOf(Kind.DOUBLE),
    "apart": MapOf(Kind.TEXT),
    **dict.fromkeys(NUMBER_COLUMNS, Kind.DOUBLE),
    "said": ListOf(_SAID_KINDS),
    "spans": ListOf(_SPAN_KINDS),
    "span_terms": ListOf(Kind.WHOLE),
    "words": Kind.TEXT,
    "info_json": Kind.TEXT,
    "spans_json": Kind.TEXT,
}


@dataclass(slots=True)  # not frozen: there is one for every trace of a result
class RowSpans:
    """The spans of a trace as a row has them (`model.stored_spans`): decoded when they are asked for."""

    text: str
    where: str

    @property
    def payload(self) -> bytes:
        """The spans in the form of `wire.payload`."""
        return to_payload(TracePart("", "", 0, self.read_spans()))

    def read_spans(self) -> list[Span]:
        """Return the spans, in the order of results."""
        return [span_from_dict(each) for each in self.read_dicts()]

    def read_dicts(self) -> list[dict[str, Any]]:
        """Return what `Span.to_dict` returns of each."""
        return _read_list(self.text, self.where)


def to_row(trace: Trace, experiment: str) -> dict[str, Any]:
    """Return the columns of a trace, in an experiment of a name; maps are lists of pairs, as Arrow takes them."""
    info, spans = trace.info, trace.data.spans
    searched, apart = split_metadata(info.trace_metadata)
    values = (
        info.trace_id,
        int(info.experiment_id),
        experiment,
        info.request_time,
        info.execution_duration,
        info.state.value,
        info.name,
        info.client_request_id,
        *(
            list(each.items())
            for each in (info.tags, numbers_in(info.tags), searched, numbers_in(info.trace_metadata), apart)
        ),
        *numbers_of(info),
        [dict(zip(_SAID, each, strict=True)) for each in said_of(info)],
        _span_rows(spans),
        attribute_terms_of(spans),
        _words(spans),
        to_json_text(info.to_dict()),
        to_json_text([span.to_dict() for span in spans]),
    )
    return dict(zip(COLUMNS, values, strict=True))


def to_trace(row: Sequence[str], where: str) -> Trace:
    """Return what the columns of `query.databricks.INFO` say, or of `WHOLE`; raise `StoreError` for a changed row."""
    trace_id, text, *spans = row
    try:
        info = TraceInfo.from_dict(from_json(text))
    except (ArgumentError, DecodeError, TypeError, AttributeError) as error:
        raise StoreError(f"{where} has a row of the trace {trace_id} that no export wrote") from error
    return Trace(info, TraceData(RowSpans(spans[0], where) if spans else []))


def _read_list(text: str, where: str) -> list[dict[str, Any]]:
    try:
        found: Any = from_json(text)
    except DecodeError as error:
        raise StoreError(f"{where} has a row with spans that no export wrote") from error
    return list(found)


def _span_rows(spans: Sequence[Span]) -> list[dict[str, Any]]:
    columns = zip(
        (span.name for span in spans),
        (span.span_type for span in spans),
        (span.status.status_code.value for span in spans),
        (span.status.description or None for span in spans),
        durations_of_spans(spans),
        (span.model_name if SPAN_MODEL in span.attributes_json else None for span in spans),
        *numbers_of_spans(spans),
        strict=True,
    )
    return [dict(zip(SPAN_COLUMNS, each, strict=True)) for each in columns]


def _words(spans: Sequence[Span]) -> str:
    """Return the words of the spans, each once, with a space before and behind each (`query.databricks.words_with`)."""
    found = words_of(spans)
    try:
        return NO_WORDS if found is None else f" {' '.join(dict.fromkeys(found.decode().split(' ')))} "
    except UnicodeDecodeError:  # half a character, which no column of texts takes
        return NO_WORDS
