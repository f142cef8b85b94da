"""Statistics: of all traces from the hours that are kept up with them, of some from the traces themselves."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from typing import Any

from tracehound.model.summary import SUMMED, Summary
from tracehound.query.fields import NAME
from tracehound.query.periods import Period
from tracehound.query.sqlite import PERIOD, distinct_sql, statistics_sql
from tracehound.query.statistics import DISTINCT, DURATIONS, GroupKey, Groups, StatisticsQuery
from tracehound.store.sqlite.functions import ask
from tracehound.store.sqlite.hours import HOUR_MS, read_hours
from tracehound.store.sqlite.plan import choose_for_statistics
from tracehound.store.sqlite.text import Words


def read_statistics(connection: sqlite3.Connection, query: StatisticsQuery) -> Groups:
    """Return what the traces of each group add up to."""
    if not query.search.experiment_ids:
        return {}
    found = _from_hours(connection, query)
    return _from_traces(connection, query) if found is None else found


def _from_hours(connection: sqlite3.Connection, query: StatisticsQuery) -> Groups | None:
    """Return the statistics as the hours say them; None where they do not."""
    if query.search.where is not None or not {NAME}.issuperset(query.fields) or query.wanted & DISTINCT.keys():
        return None
    groups: defaultdict[GroupKey, Summary] = defaultdict(Summary)
    has_all_durations = DURATIONS in query.wanted
    experiments = [int(each) for each in query.search.experiment_ids]
    starts: dict[int, int | None] = {}
    for hour, name, summary in read_hours(connection, experiments):
        key: GroupKey = (name,) if query.fields else ()
        if query.period is not None:
            if hour not in starts:
                starts[hour] = _start_of_hour(query.period, hour)
            if starts[hour] is None:
                return None
            key = (starts[hour], *key)
        if not has_all_durations:
            summary.buckets.clear()
        summary.sums = {each: value for each, value in summary.sums.items() if each in query.wanted}
        groups[key].join(summary)
    return dict(groups)


def _start_of_hour(period: Period, hour: int) -> int | None:
    """Return when the period of an hour of UTC began; None where it is of several."""
    first, end = hour * HOUR_MS, (hour + 1) * HOUR_MS
    starts = {period.start_of(time_ms) for time_ms in range(first, end, period.unit_ms)}
    return starts.pop() if len(starts) == 1 else None


def _from_traces(connection: sqlite3.Connection, query: StatisticsQuery) -> Groups:
    words = Words(connection)
    plan = choose_for_statistics(connection, query, words)
    groups: defaultdict[GroupKey, Summary] = defaultdict(Summary)
    for row in ask(connection, statistics_sql(query, plan), words):
        key, summary = _read(row, query)
        if summary.count:
            groups[key].join(summary)
    if query.wanted & DISTINCT.keys():
        if query.period is not None:
            connection.create_function(PERIOD, 1, query.period.start_of)
        width = len(query.fields)
        names = [name for name in DISTINCT if name in query.wanted]
        for row in ask(connection, distinct_sql(query, plan), words):
            key = tuple(row[:width]) if query.period is None else (row[width], *row[:width])
            if key in groups:
                groups[key].distinct = dict(zip(names, row[-len(names) :], strict=True))
    return dict(groups)


def _read(row: tuple[Any, ...], query: StatisticsQuery) -> tuple[GroupKey, Summary]:
    """Return what a row of `statistics_sql` says."""
    columns = iter(row)
    key = [next(columns) for _ in query.fields]
    if query.period is not None:
        key.insert(0, query.period.start_of(next(columns) * query.period.unit_ms))
    count, errors, ended, sum_ms, least_ms, most_ms = (next(columns) for _ in range(6))
    summary = Summary(count, errors or 0, ended, sum_ms or 0, least_ms, most_ms)
    if DURATIONS in query.wanted and (buckets := next(columns)) is not None:
        summary.buckets = {int(bucket): number for bucket, number in Counter(str(buckets).split(",")).items()}
    for name in SUMMED:
        if name in query.wanted:
            total, having = next(columns), next(columns)
            if having:
                summary.sums[name] = total
    return tuple(key), summary
