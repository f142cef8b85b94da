"""Statistics: of all traces from the hours that are kept up with them, of some from the traces themselves."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from tracehound.model.buckets import bucket_of
from tracehound.model.summary import SUMMED, Summary
from tracehound.model.weight import WEIGHT, read_weight
from tracehound.query.access import ByTerms, InOrder, Plan, Range
from tracehound.query.fields import NAME, Field, Group
from tracehound.query.periods import Period
from tracehound.query.search import Search
from tracehound.query.sqlite import PERIOD, distinct_sql, statistics_sql
from tracehound.query.statistics import DISTINCT, DURATIONS, LENGTHS, GroupKey, Groups, StatisticsQuery, keep_wanted
from tracehound.store.sqlite.functions import ask
from tracehound.store.sqlite.hours import HOUR_MS, Weighted, join_all, read_hours
from tracehound.store.sqlite.moment import Helpers
from tracehound.store.sqlite.plan import choose_for_statistics, read_ends
from tracehound.store.sqlite.text import Words

# Of time, for each connection: SQLite sorts the traces of each by their groups, fewer at a time sooner (by an eighth).
_PIECES: Final = 24
_HAS_WEIGHTS: Final = "SELECT 1 FROM term WHERE kind = ? AND key = ? LIMIT 1"
_BUCKETS: Final = {str(bucket): bucket for bucket in range(bucket_of(2**63) + 1)}


def read_statistics(connection: sqlite3.Connection, query: StatisticsQuery, helpers: Helpers) -> Groups:
    """Return what the traces of each group add up to."""
    if not query.search.experiment_ids:
        return {}
    found = _from_hours(connection, query)
    if found is not None:
        return found
    if query.are_weighted and connection.execute(_HAS_WEIGHTS, (Group.METADATA.value, WEIGHT)).fetchone():
        return _weighted(connection, query, helpers)
    return _from_traces(connection, query, helpers)


def _weighted(connection: sqlite3.Connection, query: StatisticsQuery, helpers: Helpers) -> Groups:
    """Return what the traces of each group add up to where each counts as often as it stands for."""
    by_weight = replace(
        query, fields=(*query.fields, Field(Group.METADATA, WEIGHT)), wanted=query.wanted - DISTINCT.keys()
    )
    of_group = _no_groups()
    for (*key, text), summary in _from_traces(connection, by_weight, helpers).items():
        of_group[tuple(key)][read_weight(None if text is None else str(text))].join(summary)
    groups = _told(of_group, are_weighted=True)
    if query.wanted & DISTINCT.keys():
        _count_distinct(connection, query, choose_for_statistics(connection, query, Words(connection)), groups)
    return groups


def _no_groups() -> defaultdict[GroupKey, defaultdict[float, Summary]]:
    return defaultdict(lambda: defaultdict(Summary))


def _told(groups: Mapping[GroupKey, Weighted], *, are_weighted: bool) -> Groups:
    """Return what the traces of each group add up to, from those of each weight."""
    return {
        key: join_all(each.times(weight) if are_weighted else each for weight, each in sorted(of_weight.items()))
        for key, of_weight in groups.items()
    }


def _from_hours(connection: sqlite3.Connection, query: StatisticsQuery) -> Groups | None:
    """Return the statistics as the hours say them; None where they do not."""
    if query.search.where is not None or not {NAME}.issuperset(query.fields) or query.wanted & DISTINCT.keys():
        return None
    groups = _no_groups()
    experiments = [int(each) for each in query.search.experiment_ids]
    starts: dict[int, int | None] = {}
    for hour, name, of_weight in read_hours(connection, experiments):
        key: GroupKey = (name,) if query.fields else ()
        if query.period is not None:
            if hour not in starts:
                starts[hour] = _start_of_hour(query.period, hour)
            if starts[hour] is None:
                return None
            key = (starts[hour], *key)
        for weight, summary in of_weight.items():
            keep_wanted(summary, query.wanted)
            groups[key][weight].join(summary)
    return _told(groups, are_weighted=query.are_weighted)


def _start_of_hour(period: Period, hour: int) -> int | None:
    """Return when the period of an hour of UTC began; None where it is of several."""
    first, end = hour * HOUR_MS, (hour + 1) * HOUR_MS
    starts = {period.start_of(time_ms) for time_ms in range(first, end, period.unit_ms)}
    return starts.pop() if len(starts) == 1 else None


def _from_traces(connection: sqlite3.Connection, query: StatisticsQuery, helpers: Helpers) -> Groups:
    plan = choose_for_statistics(connection, query, Words(connection))
    with helpers.seeing_the_same() as others:
        groups = _add_up([connection, *others], query, plan)
    if query.wanted & DISTINCT.keys():
        _count_distinct(connection, query, plan, groups)
    return groups


def _count_distinct(connection: sqlite3.Connection, query: StatisticsQuery, plan: Plan, groups: Groups) -> None:
    """Count the different values that are wanted in each group."""
    if query.period is not None:
        connection.create_function(PERIOD, 1, query.period.start_of)
    width = len(query.fields)
    names = [name for name in DISTINCT if name in query.wanted]
    for row in ask(connection, distinct_sql(query, plan), Words(connection)):
        key = tuple(row[:width]) if query.period is None else (row[width], *row[:width])
        if key in groups:
            groups[key].distinct = dict(zip(names, row[-len(names) :], strict=True))


def _add_up(connections: Sequence[sqlite3.Connection], query: StatisticsQuery, plan: Plan) -> Groups:
    """Return what the traces of each group add up to, of pieces of time that the connections take as they come.

    What one has read it adds up while another one reads, without the interpreter lock.
    """
    first, *others = connections
    plans = _pieces(first, query.search, plan, _PIECES * len(connections)) if others else [plan]
    groups: Groups = {}

    def work(one: sqlite3.Connection) -> Groups:
        found: Groups = {}
        words = Words(one)
        with contextlib.suppress(IndexError):  # another one took the last piece
            while plans:
                for row in ask(one, statistics_sql(query, plans.pop()), words):
                    _join(found, *_read(row, query))
        return found

    if len(plans) == 1:
        return work(first)
    # Here, for it cannot be imported any more when a program ends, and that is when many first open their store.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(others), "tracehound-statistics") as pool:
        working = [pool.submit(work, other) for other in others]
        for found in (work(first), *(each.result() for each in working)):
            for key, summary in found.items():
                _join(groups, key, summary)
    return groups


def _join(groups: Groups, key: GroupKey, summary: Summary) -> None:
    """Add traces to their group."""
    if key in groups:
        groups[key].join(summary)
    elif summary.count:
        groups[key] = summary


def _pieces(connection: sqlite3.Connection, search: Search, plan: Plan, count: int) -> list[Plan]:
    """Return the plan cut into as many of pieces of time; uncut where its path does not go by time."""
    if not isinstance(plan.path, (InOrder, ByTerms)):
        return [plan]
    whole = read_ends(connection, search, plan.times)
    if whole is None:
        return [plan]
    low, high = whole.low or 0, whole.high or 0
    cuts = [low + (high - low) * at // count for at in range(1, count)]
    lows = [plan.times.low, *cuts]
    highs = [*(cut - 1 for cut in cuts), plan.times.high]
    return [Plan(plan.path, Range(*each)) for each in zip(lows, highs, strict=True)]


def _read(row: tuple[Any, ...], query: StatisticsQuery) -> tuple[GroupKey, Summary]:
    """Return what a row of `statistics_sql` says."""
    columns = iter(row)
    key = [next(columns) for _ in query.fields]
    if query.period is not None:
        key.insert(0, query.period.start_of(next(columns) * query.period.unit_ms))
    wanted = query.wanted
    count, errors = next(columns), next(columns)
    summary = Summary(count, errors or 0)
    if LENGTHS in wanted:
        summary.ended, summary.sum_ms, summary.least_ms = next(columns), next(columns) or 0, next(columns)
    if wanted & {LENGTHS, DURATIONS}:
        summary.most_ms = next(columns)
    if DURATIONS in wanted and (buckets := next(columns)) is not None:
        found = str(buckets).split(",")
        # In order: percentiles need them so, and here another connection reads meanwhile.
        summary.ended, summary.buckets = len(found), dict(Counter(sorted(map(_BUCKETS.__getitem__, found))))
    for name in SUMMED:
        if name in query.wanted:
            total, having = next(columns), next(columns)
            if having:
                summary.add_number(name, total, having)
    return tuple(key), summary
