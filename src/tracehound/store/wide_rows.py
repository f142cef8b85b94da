"""What a wide row says of a trace in any engine, beside its plain columns: numbers, spans, words, and what was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from tracehound.model.record import to_json_text
from tracehound.model.span import Span
from tracehound.model.trace import TraceInfo
from tracehound.query.evaluate import assessed_values, value_of
from tracehound.query.fields import ASSESSED, ATTRIBUTES, NUMBERS_IN_SPAN, Group
from tracehound.query.numbers import number_at, number_in
from tracehound.query.span_terms import span_terms_of
from tracehound.query.wide import NUMBER_COLUMNS, is_apart

_NUMBERS: Final = tuple(ATTRIBUTES[name] for name in NUMBER_COLUMNS)
_OF_ATTRIBUTES: Final = "attributes."


class Said(NamedTuple):
    """One value of feedback or of an expectation, as whatever it can be compared with."""

    group: str
    name: str
    text: str
    number: float | None
    boolean: bool | None


def numbers_of(info: TraceInfo) -> list[float | None]:
    """Return the numbers of `NUMBER_COLUMNS`."""
    return [_double(value_of(field, info)) for field in _NUMBERS]


def numbers_in(texts: Mapping[str, str]) -> dict[str, float]:
    """Return which of the texts write a number, and which one."""
    found = ((key, number_in(value)) for key, value in texts.items())
    return {key: number for key, number in found if number is not None}


def split_metadata(metadata: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what of the metadata is searched, and what is kept apart."""
    apart = {key: value for key, value in metadata.items() if is_apart(key)}
    return {key: value for key, value in metadata.items() if key not in apart}, apart


def numbers_of_spans(spans: Sequence[Span]) -> list[list[float | None]]:
    """Return for each of `NUMBERS_IN_SPAN` the numbers of the spans."""
    return [_numbers_of(spans, *place) for place in NUMBERS_IN_SPAN.values()]


def terms_of_attributes(spans: Sequence[Span]) -> list[int]:
    """Return the numbers of the terms of the spans' attributes."""
    return [term.number for term in span_terms_of(spans) if term.key.startswith(_OF_ATTRIBUTES)]


def said_of(info: TraceInfo) -> list[Said]:
    """Return what can be asked of feedback and expectations, a value each."""
    names = dict.fromkeys(each.name for each in info.assessments)
    return [
        Said(group.value, name, _text(value), _number(value), value if isinstance(value, bool) else None)
        for group in sorted(ASSESSED, key=lambda each: Group(each).value)
        for name in names
        for value in assessed_values(group, name, info.assessments)
    ]


def _numbers_of(spans: Sequence[Span], key: str, name: str) -> list[float | None]:
    """Return a number of each span: most spans have no such attribute."""
    texts = [span.attributes_json for span in spans]
    return [_double(number_at(each, key, name)) if key in each else None for each in texts]


def _double(number: float | None) -> float | None:
    return None if number is None else float(number)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else to_json_text(value)


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return number_in(value)
    return float(value) if type(value) in (int, float) else None
