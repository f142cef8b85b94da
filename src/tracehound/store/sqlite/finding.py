"""Finding the rows of a page: along the path that was chosen, in one statement or piece by piece."""

from __future__ import annotations

import operator
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tracehound.query.access import Plan, Range
from tracehound.query.search import Search
from tracehound.query.sqlite import SEGMENT, edge_sql, is_in_pieces, is_in_segments, is_streamed, search_sql
from tracehound.store.sqlite.functions import ask
from tracehound.store.sqlite.inserting import Row
from tracehound.store.sqlite.limits import Progress
from tracehound.store.sqlite.ordered import follow, then_absent, values_in_order
from tracehound.store.sqlite.plan import Choice, choose_plan, read_ends
from tracehound.store.sqlite.text import Words

# As many as seem to lie in the first piece of time, if all time is alike; the next ones are each twice as long.
_ROWS_OF_A_PIECE: Final = 250
MOST_SEGMENTS: Final = 32  # in one statement, each of which has two runs at an edge


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
    plan = choice.plan
    if is_in_pieces(search, plan.path):
        return _in_pieces(connection, search, choice, words, counted=counted)
    if not search.order[0].field.nullable or not is_streamed(search, plan.path):
        return ask(connection, search_sql(search, plan, counted=counted), words)
    if search.after is not None and search.after[0] is None:
        return []  # behind all that the index has
    found: list[Row] = []
    parts = list(_parts(connection, search, plan))
    for part, each in parts:
        edge = edge_sql(part, each)
        rows = [] if edge is None else ask(connection, edge, words)
        whole = replace(each, edge=rows[0][0]) if rows else each
        found += ask(connection, search_sql(part, whole, counted=counted), words)
    return found if len(parts) == 1 else _sorted(found, search)[: search.limit + 1]


def _in_pieces(
    connection: sqlite3.Connection, search: Search, choice: Choice, words: Words, *, counted: bool
) -> list[Row]:
    """Return the rows of piece of time by piece of time, until the page is full."""
    rows = min((each.rows for each in choice.estimates if each.path == choice.plan.path), default=_ROWS_OF_A_PIECE)
    whole = read_ends(connection, search, choice.plan.times)
    found: list[Row] = []
    for times in _times(whole, rows, newest_first=search.order[0].descending):
        rest = replace(search, limit=search.limit - len(found))
        found += ask(connection, search_sql(rest, replace(choice.plan, times=times), counted=counted), words)
        if len(found) > search.limit:
            break
    return found


def _parts(connection: sqlite3.Connection, search: Search, plan: Plan) -> Iterator[tuple[Search, Plan]]:
    """Yield the search and the plan with the segments of its index, in parts where these are too many at once."""
    if not is_in_segments(search):
        yield search, plan
        return
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM trace").fetchone()
    segments = tuple(range(last // SEGMENT + 1))
    if len(segments) * len(search.experiment_ids) <= MOST_SEGMENTS:
        yield search, replace(plan, segments=segments)
        return
    for experiment in search.experiment_ids:
        of_one = replace(search, experiment_ids=(experiment,))
        for at in range(0, len(segments), MOST_SEGMENTS):
            yield of_one, replace(plan, segments=segments[at : at + MOST_SEGMENTS])


def _sorted(rows: list[Row], search: Search) -> list[Row]:
    """Return rows in the order of a search, of whose keys they have the values in front of their numbers."""
    for at, key in reversed([*enumerate(search.order, start=-1 - len(search.order))]):
        rows.sort(key=operator.itemgetter(at), reverse=key.descending)
    return rows


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
