"""Finding the rows of a page: along the path that was chosen, in one statement or piece by piece."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tracehound.query.access import Plan, Range
from tracehound.query.search import Search
from tracehound.query.sqlite import edge_sql, is_in_pieces, is_streamed, search_sql
from tracehound.store.sqlite.functions import ask
from tracehound.store.sqlite.inserting import Row
from tracehound.store.sqlite.limits import Progress
from tracehound.store.sqlite.ordered import follow, then_absent, values_in_order
from tracehound.store.sqlite.plan import Choice, choose_plan, read_ends
from tracehound.store.sqlite.text import Words

# What is asked of the first piece of time, as it seems; the next ones are each twice as long.
_ROWS_OF_A_PIECE: Final = 8_000


def find_one_more(connection: sqlite3.Connection, search: Search, progress: Progress) -> list[Row]:
    """Return the rows of one page and the one behind it: the columns of `ROW`, the order's keys, and the number."""
    words = Words(connection)
    choice = choose_plan(connection, search, words)
    plan = choice.plan
    if not is_streamed(search, plan.path) and not any(each.is_counted for each in choice.estimates):
        values = values_in_order(connection, search)
        if values is not None:
            rows = follow(values, search, lambda part: find_one_more(connection, part, progress))
            if rows is not None:
                return rows
    is_counted = search.time_limit is not None
    if is_counted:
        progress.count_rows(connection, plan.path)
    found = follow_plan(connection, search, choice, words, counted=is_counted)
    return then_absent(found, search, plan.path, lambda part: find_one_more(connection, part, progress))


def follow_plan(
    connection: sqlite3.Connection, search: Search, choice: Choice, words: Words, *, counted: bool
) -> list[Row]:
    """Return the same rows as far as the plan leads to them: without those that lack what an index is of."""
    found: list[Row] = []
    for each in _pieces(connection, search, choice, words):
        rest = replace(search, limit=search.limit - len(found))
        found += ask(connection, search_sql(rest, each, counted=counted), words)
        if len(found) > search.limit:
            break
    return found


def _pieces(connection: sqlite3.Connection, search: Search, choice: Choice, words: Words) -> Iterator[Plan]:
    """Yield the plan as it is to be followed: whole, up to the edge of the page, or piece of time by piece of time."""
    plan = choice.plan
    if is_in_pieces(search, plan.path):
        rows = min((each.rows for each in choice.estimates if each.path == plan.path), default=_ROWS_OF_A_PIECE)
        for times in _times(read_ends(connection, search, plan.times), rows, newest_first=search.order[0].descending):
            yield replace(plan, times=times)
        return
    if search.after is not None and search.after[0] is None and is_streamed(search, plan.path):
        return  # behind all that the index has
    edge = edge_sql(search, plan)
    rows_at_edge = [] if edge is None else ask(connection, edge, words)
    yield replace(plan, edge=rows_at_edge[0][0]) if rows_at_edge else plan


def _times(whole: Range | None, rows: float, *, newest_first: bool) -> Iterator[Range]:
    """Yield pieces of a time in which so many rows lie, from where the page begins on."""
    if whole is None or whole.low is None or whole.high is None:
        return
    low, high = whole.low, whole.high
    length = max(1, int((high - low + 1) * min(1.0, _ROWS_OF_A_PIECE / max(rows, 1))))
    while low <= high:
        if newest_first:
            yield Range(max(low, high - length + 1), high)
            high -= length
        else:
            yield Range(low, min(high, low + length - 1))
            low += length
        length *= 2
