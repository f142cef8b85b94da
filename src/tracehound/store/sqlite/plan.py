"""Choosing the path of a search: how many traces each path leads to is asked when it is wanted, and kept nowhere.

Asking takes a millisecond at most for a path, whatever the size of the store: counting ends at `COUNTED_ROWS`. What
lies denser than that is compared by how far some reach back in time: mostly it is clear after `SAMPLED_ROWS` that it
does.
"""

from __future__ import annotations

import functools
import itertools
import math
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tracehound.query.access import (
    EVER,
    ByDuration,
    ByTerms,
    ByTraceId,
    ByWords,
    InOrder,
    Narrowing,
    Path,
    Plan,
    Range,
    conjuncts,
    find_paths,
    has_known_terms,
    time_range,
)
from tracehound.query.conditions import OF_POSTING, same_span_sql
from tracehound.query.fields import TIMESTAMP, Group
from tracehound.query.search import Search
from tracehound.query.sqlite import count_sql, is_in_index, is_streamed
from tracehound.query.statistics import StatisticsQuery
from tracehound.store.sqlite.text import Words

COUNTED_ROWS: Final = 10_000
SAMPLED_ROWS: Final = 1_000
_CLEARLY_MORE: Final = 2 * COUNTED_ROWS
SAMPLED_ROWS_OF_MANY: Final = 100
_MAX_RUNS: Final = 16  # of so many terms, or terms and experiments, each is asked for so many rows; of more for fewer
_MAX_TERMS: Final = 256
_MAX_PATHS: Final = 16
_FEW_ROWS: Final = 200  # no other path is worth the question
_FEW_TO_SORT: Final = 4_000  # to go along another order and ask each trace for its words would take longer
# Two statements: SQLite goes straight to the end of an index for one of min and max, not for both.
ENDS: Final = (
    "SELECT (SELECT min(start_ms) FROM trace WHERE experiment = ?),"
    " (SELECT max(start_ms) FROM trace WHERE experiment = ?)"
)


@dataclass(frozen=True)
class Estimate:
    """How many traces a path leads to: counted, or as it seems; infinity where they are many, and no more is known."""

    path: Narrowing
    rows: float
    is_counted: bool
    times: Range = EVER  # when these traces began, as far as was seen
    rows_read: int = 0
    values_read: int = 0  # of keys, to find their terms
    time_ms: float = 0.0  # what the question took


@dataclass(frozen=True)
class Choice:
    """The plan of a search, and what there was to choose from."""

    plan: Plan
    estimates: tuple[Estimate, ...]


def choose_plan(connection: sqlite3.Connection, search: Search, words: Words) -> Choice:
    """Return the path on which the fewest rows are looked at, as far as can be known before."""
    only = _path_to_nothing_else(search)
    if only is not None:
        return Choice(Plan(only, time_range(search)), ())
    estimates = _ask_paths(connection, search, words)
    return Choice(_along(search, _choose(search, estimates), estimates), tuple(estimates))


def choose_for_statistics(connection: sqlite3.Connection, query: StatisticsQuery, words: Words) -> Plan:
    """Return the path on which all traces are soon read that the statistics are about."""
    estimates = _ask_paths(connection, query.search, words)
    return _along(query.search, _choose_for_all(estimates, is_in_index=is_in_index(query)), estimates)


def _along(search: Search, path: Path, estimates: Sequence[Estimate]) -> Plan:
    times = time_range(search)
    for each in estimates:
        times = times.narrowed(each.times)
    return Plan(path, times)


def _ask_paths(connection: sqlite3.Connection, search: Search, words: Words) -> list[Estimate]:
    """Return how many traces each path leads to, up to the first that leads to few."""
    estimates: list[Estimate] = []
    begun = time.perf_counter()
    values_read = 0

    @functools.lru_cache(maxsize=None)  # noqa: UP033 - several conditions may speak of one key
    def read(group: Group, key: str, most: int) -> list[tuple[int, str | None]]:
        nonlocal values_read
        found = read_terms(connection, group, key, most)
        values_read += len(found)
        return found

    for narrow in itertools.islice(find_paths(search.where, read), _MAX_PATHS):
        estimate = _estimate(connection, search, narrow, words)
        asked, begun = begun, time.perf_counter()
        estimates.append(replace(estimate, values_read=values_read, time_ms=(begun - asked) * 1000))
        values_read = 0
        if estimates[-1].is_counted and estimates[-1].rows <= _FEW_ROWS:
            break
    return estimates


def _path_to_nothing_else(search: Search) -> Path | None:
    """Return the path that leads to all that the search wants, to nothing else, and in its order; None without one.

    It ends with the page: there is nothing to ask. Where terms would have to be read, it is not looked for.
    """
    conditions = conjuncts(search.where)
    if len(conditions) != 1:
        return None
    path = next(find_paths(search.where, lambda _group, _key, _most: []), None)
    is_all = isinstance(path, ByTerms) and len(path.terms) > 0 and path.is_exact and is_streamed(search, path)
    return path if is_all and has_known_terms(conditions[0]) else None


def _choose(search: Search, estimates: Sequence[Estimate]) -> Path:
    """Few traces are all looked at and sorted; of many, as many as the page takes, along an order that there is."""
    if not estimates:
        return InOrder()
    best = min(estimates, key=lambda each: each.rows)
    if best.rows > _FEW_ROWS:  # in the order of the search twice as many are soon read: up to the end of the page
        streamed = [each for each in estimates if each.rows <= 2 * best.rows and is_streamed(search, each.path)]
        best = min(streamed, key=lambda each: each.rows, default=best)
    if best.is_counted or is_streamed(search, best.path):
        return best.path
    if best.rows == math.inf or is_streamed(search, InOrder()):
        return InOrder()
    return best.path


def _choose_for_all(estimates: Sequence[Estimate], *, is_in_index: bool) -> Path:
    """Few traces are looked up one by one; for many, everything is read, unless the index of times tells all of them.

    To look up many there is quicker than to ask of every trace whether it has the term.
    """
    known = [each for each in estimates if each.is_counted or _is_narrow(each)]
    if is_in_index:
        known += [each for each in estimates if isinstance(each.path, ByTerms) and len(each.path.terms) == 1]
    return min(known, key=lambda each: each.rows).path if known else InOrder()


def _is_narrow(estimate: Estimate) -> bool:
    """Whether the index tells which spans a path may be about, so that it leads to few of the traces of its terms."""
    return estimate.rows < math.inf and bool(same_span_sql(estimate.path.condition, "p.mask", OF_POSTING))


def _estimate(connection: sqlite3.Connection, search: Search, path: Narrowing, words: Words) -> Estimate:
    if isinstance(path, ByTraceId):
        return Estimate(path, len(path.trace_ids), is_counted=True, rows_read=len(path.trace_ids))
    if isinstance(path, ByDuration):
        return _count(connection, search, path, COUNTED_ROWS)
    if isinstance(path, ByWords):
        candidates = words.candidates(path.needles)
        found = candidates.first(_FEW_ROWS if search.order[0].field == TIMESTAMP else _FEW_TO_SORT)
        if found is None:
            return Estimate(path, math.inf, is_counted=False, rows_read=candidates.count)
        return Estimate(replace(path, seqs=tuple(found)), len(found), is_counted=True, rows_read=len(found))
    runs = [
        (replace(search, experiment_ids=(experiment,)), replace(path, terms=(number,)))
        for number in path.terms
        for experiment in search.experiment_ids
    ]
    each_rows = SAMPLED_ROWS if len(runs) <= _MAX_RUNS else SAMPLED_ROWS_OF_MANY
    sampled = [] if len(runs) > _MAX_TERMS else [_count(connection, *run, each_rows) for run in runs]
    rows, rows_read = sum(each.rows for each in sampled), sum(each.rows_read for each in sampled)
    if len(sampled) == 1 and (sampled[0].is_counted or rows > _CLEARLY_MORE):
        return sampled[0]
    if rows > _CLEARLY_MORE:
        return Estimate(path, rows, is_counted=False, rows_read=rows_read)
    counted = _count(connection, search, path, COUNTED_ROWS)
    if len(sampled) > 1 and not counted.is_counted:
        counted = replace(counted, rows=rows)
    return replace(counted, rows_read=rows_read + counted.rows_read)


def _count(connection: sqlite3.Connection, search: Search, path: ByTerms | ByDuration, most: int) -> Estimate:
    """Return how many rows the path has: counted up to so many, else by how far these reach if they are of one run."""
    statement = count_sql(search, path, most + 1)
    rows, earliest_ms, latest_ms = connection.execute(statement.text, statement.parameters).fetchone()
    if rows <= most:
        return Estimate(path, rows, is_counted=True, times=Range(earliest_ms or 0, latest_ms or 0), rows_read=rows)
    if isinstance(path, ByDuration) or len(path.terms) != 1 or len(search.experiment_ids) != 1:
        return Estimate(path, math.inf, is_counted=False, rows_read=rows)
    length_ms = _length_ms(connection, search.experiment_ids[0])
    newest_first = search.order[0].descending
    return Estimate(
        path, rows * length_ms / (latest_ms - earliest_ms + 1), is_counted=False,
        times=Range(high=latest_ms) if newest_first else Range(low=earliest_ms), rows_read=rows,
    )  # fmt: skip


def _length_ms(connection: sqlite3.Connection, experiment: str) -> int:
    """Return over what time the traces of an experiment lie."""
    earliest_ms, latest_ms = connection.execute(ENDS, (int(experiment), int(experiment))).fetchone()
    return int((latest_ms or 0) - (earliest_ms or 0) + 1)


def read_ends(connection: sqlite3.Connection, search: Search, times: Range) -> Range | None:
    """Return the part of a time in which the traces of the experiments of a search lie; None where there are none."""
    ends = [connection.execute(ENDS, (int(each), int(each))).fetchone() for each in search.experiment_ids]
    known = [time_ms for pair in ends for time_ms in pair if time_ms is not None]
    return times.narrowed(Range(min(known), max(known))) if known else None


def read_terms(connection: sqlite3.Connection, group: Group, key: str, most: int) -> list[tuple[int, str | None]]:
    """Return terms of a key with what they stand for."""
    text = "SELECT number, value FROM term WHERE kind = ? AND key = ? LIMIT ?"
    return connection.execute(text, (group.value, key, most)).fetchall()
