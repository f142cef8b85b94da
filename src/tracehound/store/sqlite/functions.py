"""The functions that the SQL of `query.sqlite` calls: what SQLite itself does not say as the evaluator does."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final

from tracehound.model.assessment import Assessment
from tracehound.model.record import from_json
from tracehound.query.evaluate import assessed_values, passes_any
from tracehound.query.fields import Field, Group, Kind
from tracehound.query.numbers import number_at, number_in
from tracehound.query.patterns import matches_pattern
from tracehound.query.sql import IS_ASSESSED, MATCHES, NUMBER_AT, NUMBER_IN, VALUE
from tracehound.query.tree import Operator, Test


def _value(text: str, key: str) -> str | None:
    """Return the value of a key of tags or metadata, NUL and all: SQLite's own JSON functions end at a NUL."""
    found: str | None = _values(text).get(key)
    return found


# The conditions and the order of one statement ask for several keys of a row.
_values: Final[Callable[[str], dict[str, str]]] = functools.lru_cache(maxsize=8)(from_json)


def _number(text: str, key: str, name: str) -> int | float | None:
    return number_at(_values(text), key, name)


def _is_assessed(text: str | None, group: str, name: str, operator: str, value: str) -> bool:
    """Whether a comparison is true of the feedback or the expectations that a row has, as JSON."""
    field = Field(Group(group), name, Kind.VALUE)
    found = () if text is None else assessed_values(field.group, name, _assessments(text))
    return passes_any(Test(field, Operator(operator), from_json(value)), found)


@functools.lru_cache(maxsize=8)
def _assessments(text: str) -> list[Assessment]:
    return [Assessment.from_dict(each) for each in from_json(text)]


# Their names, how many arguments they take, and the functions.
FUNCTIONS: Final = (
    (NUMBER_IN, 1, number_in),
    (VALUE, 2, _value),
    (MATCHES, 3, matches_pattern),
    (NUMBER_AT, 3, _number),
    (IS_ASSESSED, 5, _is_assessed),
)
