"""The functions that the SQL of `query.sqlite` calls: what SQLite itself does not say as the evaluator does."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final

from tracehound.model.assessment import Assessment
from tracehound.model.merge import merge_spans
from tracehound.model.record import DecodeError, from_json
from tracehound.model.span import Span, span_from_dict
from tracehound.query.access import conjuncts
from tracehound.query.check import parse_filter
from tracehound.query.evaluate import assessed_values
from tracehound.query.fields import SPAN_NAME
from tracehound.query.needles import Needles, needles_of
from tracehound.query.numbers import number_at, number_in
from tracehound.query.passing import passes_any
from tracehound.query.patterns import matches_pattern
from tracehound.query.span_terms import durations_mask
from tracehound.query.spans import is_true_of_spans
from tracehound.query.sql import (
    BIT_COUNT,
    DURATIONS_MASK,
    IS_ASSESSED,
    MATCHES,
    MAY_HAVE,
    NUMBER_IN,
    VALUE,
    Sql,
)
from tracehound.query.tree import Operator, Scope, Test
from tracehound.store.sqlite.batch import to_part
from tracehound.store.sqlite.faults import noting_faults
from tracehound.store.sqlite.text import Words
from tracehound.wire.payload import read_dicts


def _value(text: str, key: str) -> str | None:
    """Return the value of a key of tags or metadata, NUL and all: SQLite's own JSON functions end at a NUL."""
    found: str | None = _values(text).get(key)
    return found


# The conditions and the order of one statement ask for several keys of a row.
_values: Final[Callable[[str], dict[str, str]]] = functools.lru_cache(maxsize=8)(from_json)


def _number(text: str, key: str, name: str) -> int | float | None:
    """Return a number of a row for a migration: one row that is damaged does not keep a store from being opened."""
    try:
        return number_at(_values(text), key, name)
    except (DecodeError, TypeError, AttributeError):
        return None


def _is_assessed(text: str | None, comparison: str) -> bool:
    """Whether a comparison is true of the feedback or the expectations that a row has, as JSON."""
    test = _test(comparison)
    found = () if text is None else assessed_values(test.field.group, test.field.name, _assessments(text))
    return passes_any(test, found)


@functools.lru_cache(maxsize=2048)
def _test(text: str) -> Test:
    found = parse_filter(text)
    assert isinstance(found, Test)  # noqa: S101 - `query.conditions` has printed it
    return found


@functools.lru_cache(maxsize=8)
def _assessments(text: str) -> list[Assessment]:
    return [Assessment.from_dict(each) for each in from_json(text)]


def _durations_mask(durations_ms: str, operator: str, value: float) -> int:
    return durations_mask(_durations(durations_ms), operator, value)


# The possible ones and the certain ones of a row are asked for, one after the other.
_durations: Final[Callable[[str], list[int | None]]] = functools.lru_cache(maxsize=8)(from_json)


class HasSpans:
    """Whether a piece of a filter is true of the spans of a trace; each step is told of one of its parts."""

    def __init__(self) -> None:
        self._parts: list[tuple[bytes, int]] = []
        self._text = ""

    def step(self, payload: bytes, has_ended: int, text: str) -> None:
        """Take a part; the text is the same each time."""
        self._parts.append((payload, has_ended))
        self._text = text

    @noting_faults
    def finalize(self) -> bool:
        """Return whether it is true; of a trace that has lost its parts nothing is."""
        if not self._parts:
            return False
        piece, name = _piece(self._text)
        if name is None:
            return is_true_of_spans(piece, _spans(tuple(self._parts)))
        named = _spans_named(self._parts, name)
        return bool(named) and is_true_of_spans(piece, named)


def ask(connection: sqlite3.Connection, statement: Sql, words: Words) -> list[Any]:
    """Return the rows of a statement of a search; `words` are of the moment that the connection sees."""

    def may_have(text: str, seq: int) -> bool:
        return words.candidates(_needles(text)).may_have(seq)

    if MAY_HAVE in statement.text:
        connection.create_function(MAY_HAVE, 2, noting_faults(may_have))
    return connection.execute(statement.text, statement.parameters).fetchall()


@functools.lru_cache(maxsize=2048)
def _piece(text: str) -> tuple[Scope[Test] | Test, str | None]:
    """Return what a piece of a filter asks, and the name of the one span that it asks for, if it says one."""
    found = parse_filter(text)
    assert isinstance(found, (Scope, Test))  # noqa: S101 - `query.conditions` has printed it
    if isinstance(found, Test) or found.steps or found.count is not None or "repetitions" in text:
        return found, None
    tests = [each for each in conjuncts(found.condition) if isinstance(each, Test)]
    names = [each.value for each in tests if each.field == SPAN_NAME and each.operator is Operator.EQ]
    return found, str(names[0]) if names else None


@functools.lru_cache(maxsize=2048)
def _needles(text: str) -> Needles:
    return needles_of(parse_filter(text)) or ()


# The conditions of one statement ask for the spans of a trace one after the other.
@functools.lru_cache(maxsize=4)
def _spans(parts: tuple[tuple[bytes, int], ...]) -> list[Span]:
    (payload, has_ended), *others = parts
    if not others and not has_ended:
        return [span_from_dict(each) for each in read_dicts(payload)]
    return merge_spans([to_part(*part) for part in parts])


def _spans_named(parts: Sequence[tuple[bytes, int]], name: str) -> list[Span]:
    """Return the spans of a name: the others are not made of what is stored."""
    (payload, has_ended), *others = parts
    if others or has_ended:
        return [span for span in _spans(tuple(parts)) if span.name == name]
    return [span_from_dict(each) for each in read_dicts(payload) if each["name"] == name]


# Their names, how many arguments they take, and the functions.
FUNCTIONS: Final = (
    (NUMBER_IN, 1, number_in),
    (VALUE, 2, _value),
    (MATCHES, 3, matches_pattern),
    ("tracehound_number_at", 3, _number),  # of the migrations
    (IS_ASSESSED, 2, _is_assessed),
    (DURATIONS_MASK, 3, _durations_mask),
    (BIT_COUNT, 1, int.bit_count),
)
