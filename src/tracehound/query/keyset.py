"""Order and cursors in SQL: what to sort by, and what comes behind a place in the result.

How an engine writes the value of a field, and the number that a text writes, is for the engine to say (`Values`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tracehound.query.fields import Field, Kind
from tracehound.query.numbers import number_in
from tracehound.query.search import KeyValue, OrderKey
from tracehound.query.sql import NUMBER_IN, Parameter, Sql, join, value_sql


def _number_in(field: Field) -> Sql:
    found = value_sql(field)
    return Sql(f"{NUMBER_IN}({found.text})", found.parameters)


@dataclass(frozen=True)
class Values:
    """How an engine writes the value of a field, and the number in the value of a tag or of metadata."""

    value: Callable[[Field], Sql]
    number: Callable[[Field], Sql]


OF_SQLITE: Final = Values(value_sql, _number_in)


@dataclass(frozen=True)
class _Column:
    """One thing that SQL sorts by, and what a cursor says of it; NULL comes last in either direction."""

    expression: Sql
    descending: bool
    nullable: bool
    bound: Parameter | None


def order_sql(order: Sequence[OrderKey], values: Values = OF_SQLITE) -> Sql:
    """Return the terms of ORDER BY."""
    columns = [column for key in order for column in _columns(key, None, values)]
    return join(", ", [_term(column) for column in columns])


def behind_sql(order: Sequence[OrderKey], after: Sequence[KeyValue], values: Values = OF_SQLITE) -> Sql:
    """Return the condition of a trace that comes behind the one with these values of the order's keys."""
    return _behind([column for key, value in zip(order, after, strict=True) for column in _columns(key, value, values)])


def _columns(key: OrderKey, value: KeyValue, values: Values) -> list[_Column]:
    """Return what a key of the order sorts by.

    Values of tags and metadata that write a number come first, by the number; then the other texts; then none.
    """
    found = values.value(key.field)
    if key.field.kind is not Kind.ANY:
        return [_Column(found, key.descending, key.field.nullable, value)]
    number = values.number(key.field)
    text = Sql(f"CASE WHEN {number.text} IS NULL THEN {found.text} END", number.parameters + found.parameters)
    written = number_in(value) if isinstance(value, str) else None
    return [
        _Column(number, key.descending, nullable=True, bound=written),
        _Column(text, key.descending, nullable=True, bound=value if written is None else None),
    ]


def direction_sql(*, descending: bool, nullable: bool) -> str:
    """Return which way to sort; NULL, the least value of SQLite, comes last by itself where the greatest come first."""
    return "DESC" if descending else f"ASC{' NULLS LAST' if nullable else ''}"


def _term(column: _Column) -> Sql:
    direction = direction_sql(descending=column.descending, nullable=column.nullable)
    return Sql(f"{column.expression.text} {direction}", column.expression.parameters)


def _behind(columns: Sequence[_Column]) -> Sql:
    first, rest = columns[0], columns[1:]
    beyond = _beyond(first)
    if not rest:
        return beyond
    tied = join(" AND ", [_same(first), _behind(rest)])
    joined = join(" OR ", [beyond, Sql(f"({tied.text})", tied.parameters)])
    if first.nullable or first.bound is None:
        return Sql(f"({joined.text})", joined.parameters)
    # Said again as a range, so that the index can begin there.
    bound = _compared(first, "<=" if first.descending else ">=", first.bound)
    return Sql(f"({bound.text} AND ({joined.text}))", bound.parameters + joined.parameters)


def _same(column: _Column) -> Sql:
    if column.bound is None:
        return Sql(f"{column.expression.text} IS NULL", column.expression.parameters)
    return _compared(column, "=", column.bound)


def _beyond(column: _Column) -> Sql:
    """Return the condition that a trace's value comes strictly later; absence is the end of the order."""
    if column.bound is None:
        return Sql("FALSE")
    later = _compared(column, "<" if column.descending else ">", column.bound)
    if not column.nullable:
        return later
    absent = Sql(f"{column.expression.text} IS NULL", column.expression.parameters)
    either = join(" OR ", [later, absent])
    return Sql(f"({either.text})", either.parameters)


def _compared(column: _Column, operator: str, bound: Parameter) -> Sql:
    expression = column.expression
    return Sql(f"{expression.text} {operator} ?", (*expression.parameters, bound))
