"""Orders that no index has, along the values that the inverted index has.

By name, state, user, a tag: the traces of each value, one value after the other, and of one value the newest first, as
its postings lie. So a page reads about as many traces as it shows, where sorting reads all. It does that where the
values are few enough to be sorted themselves; behind them come the traces that have no value.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from tracehound.query.access import Path, conjuncts
from tracehound.query.fields import ASSESSED, NAME, Field, Group, Kind
from tracehound.query.numbers import number_in
from tracehound.query.search import OrderKey, Search
from tracehound.query.sqlite import is_streamed
from tracehound.query.terms import key_of
from tracehound.query.tree import And, Checked, Operator, Test
from tracehound.store.sqlite.inserting import Row
from tracehound.store.sqlite.plan import read_terms

# Values that are sorted for a page: 20,000 take 30 ms.
_MOST: Final = 20_000
# Under a filter each of them may be asked for in vain: after so many without a page all is sorted.
_MOST_UNDER_A_FILTER: Final = 300

Value: TypeAlias = str | None  # None for the traces that have none


def values_in_order(connection: sqlite3.Connection, search: Search) -> list[Value] | None:
    """Return the values of the first key of an order, from where the page begins on; None where they are of no use.

    That is so where they are too many, where one stands for all long ones, and where two write the same number.
    """
    first = search.order[0]
    key = key_of(first.field)
    if key is None or key[0] is Group.SPAN or key[0] in ASSESSED:
        return None
    found = read_terms(connection, *key, _MOST + 1)
    texts = {value for _, value in found if value is not None} | ({""} if first.field == NAME else set())
    places = {text: _place(first, text) for text in texts}
    if len(found) > _MOST or any(value is None for _, value in found) or len(set(places.values())) < len(texts):
        return None
    values: list[Value] = [*sorted(texts, key=places.__getitem__, reverse=first.descending)]
    if first.field.nullable:
        values.append(None)
    if search.after is None or search.after[0] is None:
        return values if search.after is None else values[-1:]
    begin = _place(first, str(search.after[0]))
    return [each for each in values if each is None or _is_from(first, places[each], begin)]


def follow(values: Sequence[Value], search: Search, find: Callable[[Search], list[Row]]) -> list[Row] | None:
    """Return the rows of a page and the one behind it, value by value: the columns, the keys of the order, the number.

    `find` returns those of a search by the other keys, for the first one is the same in all of them. None where the
    filter leaves too little of too many values.
    """
    first, *rest = search.order
    found: list[Row] = []
    for count, value in enumerate(values):
        if len(found) > search.limit:
            break
        if count == _MOST_UNDER_A_FILTER and search.where is not None:
            return None
        test = Test(first.field, Operator.IS_NULL, None) if value is None else Test(first.field, Operator.EQ, value)
        has_begun = search.after is not None and search.after[0] == value
        others = conjuncts(search.where)  # behind its own: mostly few traces have the value
        part = replace(
            search, where=And((test, *others)) if others else test, order=tuple(rest),
            limit=search.limit - len(found), after=search.after[1:] if has_begun and search.after is not None else None,
        )  # fmt: skip
        place = -1 - len(rest)
        found += [(*row[:place], value, *row[place:]) for row in find(part)]
    return found[: search.limit + 1]


def then_absent(rows: list[Row], search: Search, path: Path, find: Callable[[Search], list[Row]]) -> list[Row]:
    """Return the rows of a page along an index, and behind them those of the traces that lack its key."""
    is_along_it = search.order[0].field.nullable and is_streamed(search, path)
    if not is_along_it or len(rows) > search.limit or _wants(search.where, search.order[0].field):
        return rows
    return rows + (follow([None], replace(search, limit=search.limit - len(rows)), find) or [])


def _wants(where: Checked | None, field: Field) -> bool:
    """Whether a filter is true only of traces that have the field, as far as that is seen at once."""
    return any(
        isinstance(each, Test) and each.field == field and each.operator is not Operator.IS_NULL
        for each in conjuncts(where)
    )


def _place(key: OrderKey, text: str) -> tuple[bool, float | str]:
    """Return what a value is sorted by: numbers come before other texts, whichever way each of them is sorted."""
    number = number_in(text) if key.field.kind is Kind.ANY else None
    is_text = number is None
    return is_text is not key.descending, text if number is None else number


def _is_from(key: OrderKey, place: tuple[bool, float | str], begin: tuple[bool, float | str]) -> bool:
    """Whether a place is `begin` or behind it."""
    return place <= begin if key.descending else place >= begin
