"""What a wide row says of a trace in any engine, beside its plain columns: numbers, spans, words, and what was said."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from tracehound.model.record import to_json_text
from tracehound.model.span import Span
from tracehound.model.trace import TraceInfo
from tracehound.query.evaluate import assessed_values
from tracehound.query.fields import ASSESSED, NUMBERS_IN_METADATA, NUMBERS_IN_SPAN, Group
from tracehound.query.numbers import number_at, number_in
from tracehound.query.wide import NUMBER_COLUMNS, is_apart

_NUMBERS: Final = tuple(NUMBERS_IN_METADATA[name] for name in NUMBER_COLUMNS)
_WITH_NUMBERS: Final = frozenset(key for key, _ in NUMBERS_IN_SPAN.values())
_BEHIND_NUMBERS: Final = ":"  # what begins with a digit or a minus is before it, and what begins with a letter is not
_is_apart: Final = functools.lru_cache(maxsize=1024)(is_apart)


class Said(NamedTuple):
    """One value of feedback or of an expectation, as whatever it can be compared with."""

    group: str
    name: str
    text: str
    number: float | None
    boolean: bool | None


def numbers_of(info: TraceInfo) -> list[float | None]:
    """Return the numbers of `NUMBER_COLUMNS`."""
    metadata = info.trace_metadata
    return [_double(number_at(metadata, key, name)) if key in metadata else None for key, name in _NUMBERS]


def numbers_in(texts: Mapping[str, str]) -> dict[str, float]:
    """Return which of the texts write a number, and which one: most write none, which their order tells."""
    return {
        key: number
        for key, value in texts.items()
        if value < _BEHIND_NUMBERS and (number := number_in(value)) is not None
    }


def split_metadata(metadata: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what of the metadata is searched, and what is kept apart."""
    searched: dict[str, str] = {}
    apart: dict[str, str] = {}
    for key, value in metadata.items():
        (apart if _is_apart(key) else searched)[key] = value
    return searched, apart


def numbers_of_spans(spans: Sequence[Span]) -> list[Sequence[float | None]]:
    """Return for each of `NUMBERS_IN_SPAN` those of the spans: most spans have none of the attributes."""
    having = [not _WITH_NUMBERS.isdisjoint(span.attributes_json) for span in spans]
    if not any(having):
        return [(None,) * len(spans)] * len(NUMBERS_IN_SPAN)
    return [
        [
            _double(number_at(span.attributes_json, key, name)) if has else None
            for span, has in zip(spans, having, strict=True)
        ]
        for key, name in NUMBERS_IN_SPAN.values()
    ]


def said_of(info: TraceInfo) -> list[Said]:
    """Return what can be asked of feedback and expectations, a value each."""
    names = dict.fromkeys(each.name for each in info.assessments)
    return [
        Said(group.value, name, _text(value), _number(value), value if isinstance(value, bool) else None)
        for group in sorted(ASSESSED, key=lambda each: Group(each).value)
        for name in names
        for value in assessed_values(group, name, info.assessments)
    ]


def _double(number: float | None) -> float | None:
    return None if number is None else float(number)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else to_json_text(value)


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return number_in(value)
    return float(value) if type(value) in (int, float) else None
