"""Statistics: added up by the engine where it can tell what matches, else by us of the traces that do."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from tracehound.model.buckets import value_of
from tracehound.model.garbage import no_collection
from tracehound.model.summary import SUMMED, Summary
from tracehound.model.weight import WEIGHT, read_weight
from tracehound.query.clickhouse import as_list
from tracehound.query.clickhouse_statistics import statistics_sql, unit_of
from tracehound.query.fields import ASSESSED, NUMBERS_IN_METADATA, Field, Group
from tracehound.query.sql import Sql
from tracehound.query.statistics import DISTINCT, DURATIONS, GroupKey, Groups, StatisticsQuery
from tracehound.query.wide import Condition
from tracehound.store.adding import add_up
from tracehound.store.clickhouse.engine import Engine
from tracehound.store.clickhouse.finding import Finder
from tracehound.store.clickhouse.kept_words import KeptWords

# The index is asked before anything is read: then the engine remembers of each part that there are none.
_HAS_WEIGHTS: Final = (
    "SELECT 1 FROM trace WHERE experiment IN ? AND has(mapKeys(metadata), ?) LIMIT 1"
    " SETTINGS use_skip_indexes_on_data_read = 0"
)


def read_statistics(engine: Engine, query: StatisticsQuery, words: KeptWords | None = None) -> Groups:
    """Return what the traces of each group add up to."""
    if not query.search.experiment_ids:
        return {}
    finder = Finder(engine, replace(query.search, after=None), words=words)
    where = finder.condition()
    if not where.is_exact or any(field.group in ASSESSED for field in query.fields):
        return add_up([each.info for each in finder.all()], query)
    if query.are_weighted and _has_weights(engine, query):
        return _weighted(engine, query, where)
    return _added_up(engine, query, where)


def _has_weights(engine: Engine, query: StatisticsQuery) -> bool:
    experiments = as_list([int(each) for each in query.search.experiment_ids])
    return bool(engine.select(Sql(_HAS_WEIGHTS, (experiments, WEIGHT)), query.search.time_limit))


def _weighted(engine: Engine, query: StatisticsQuery, where: Condition) -> Groups:
    """Return what the traces of each group add up to where each counts as often as it stands for."""
    fields = (*query.fields, Field(Group.METADATA, WEIGHT))
    by_weight = replace(query, fields=fields, wanted=query.wanted - DISTINCT.keys(), fractions=())
    of_group: defaultdict[GroupKey, defaultdict[float, Summary]] = defaultdict(lambda: defaultdict(Summary))
    for (*group, text), summary in _added_up(engine, by_weight, where).items():
        of_group[tuple(group)][read_weight(None if text is None else str(text))].join(summary)
    groups: Groups = {key: _joined(of_weight) for key, of_weight in of_group.items()}
    if query.wanted & DISTINCT.keys():
        counted = _added_up(engine, replace(query, wanted=query.wanted & DISTINCT.keys()), where)
        for key, summary in counted.items():
            groups[key].distinct = summary.distinct
    return groups


def _joined(of_weight: Mapping[float, Summary]) -> Summary:
    whole = Summary()
    for weight, summary in sorted(of_weight.items()):
        whole.join(summary.times(weight))
    return whole


def _added_up(engine: Engine, query: StatisticsQuery, where: Condition) -> Groups:
    if DURATIONS not in query.wanted or (query.period is not None and query.period.equal_ms is None):
        query = replace(query, fractions=())  # where a period is several rows: percentiles do not add up
    groups: Groups = {}
    units: set[int] = set()
    read, rows = _reader(query), engine.select(statistics_sql(query, where), query.search.time_limit)
    with no_collection():
        for row in rows:
            key, summary = read(row)
            if key in groups and query.fractions:  # in some years the clock of the zone was off by no round time
                return _added_up(engine, replace(query, fractions=()), where)
            if query.period is not None:
                units.add(row[len(query.fields)])
            if key in groups:
                groups[key].join(summary)
            elif summary.count:
                groups[key] = summary
    if query.wanted & DISTINCT.keys() and (first_units := _first_units(query, units)):
        counted = replace(query, wanted=query.wanted & DISTINCT.keys(), fractions=())
        read = _reader(counted)
        for row in engine.select(statistics_sql(counted, where, first_units), query.search.time_limit):
            key, summary = read(row)
            if key in groups:
                groups[key].distinct = summary.distinct
    return groups


def _first_units(query: StatisticsQuery, units: Collection[int]) -> dict[int, int]:
    """Return the units of time that are not the first of their period, with that one: it stands for all of them.

    What is in two units is not counted once by adding up what each of them has.
    """
    firsts: dict[int, int] = {}
    found: dict[int, int] = {}
    for unit in sorted(units):
        start_ms = query.period.start_of(unit * unit_of(query.period)) if query.period is not None else unit
        first = firsts.setdefault(start_ms, unit)
        if first != unit:
            found[unit] = first
    return found


def _reader(query: StatisticsQuery) -> Callable[[Sequence[Any]], tuple[GroupKey, Summary]]:
    """Return what reads a row of `statistics_sql`. There are thousands: what is the same for all is done here, once."""
    width = len(query.fields)
    period, unit_ms = query.period, 0 if query.period is None else unit_of(query.period)
    as_written = any(field.name in NUMBERS_IN_METADATA for field in query.fields)
    fractions, first = query.fractions, width + (period is not None)
    behind = first + 6 + (len(fractions) or 1)
    sums = [name for name in SUMMED if name in query.wanted]
    distinct = [name for name in DISTINCT if name in query.wanted]
    starts: dict[int, int] = {}

    def read(row: Sequence[Any]) -> tuple[GroupKey, Summary]:
        key: GroupKey = tuple(map(_value, query.fields, row)) if as_written else tuple(row[:width])
        if period is not None:
            unit = row[width]
            if unit not in starts:
                starts[unit] = period.start_of(unit * unit_ms)
            key = (starts[unit], *key)
        count, errors, ended, sum_ms, least_ms, most_ms = row[first : first + 6]
        summary = Summary(count, errors, ended, sum_ms or 0, least_ms, most_ms)
        if not fractions:
            summary.buckets = dict(Counter(row[first + 6]))  # in order, as percentiles need them
        elif ended:
            summary.known = dict(zip(fractions, map(value_of, row[first + 6 : behind]), strict=True))
        else:
            summary.known = dict.fromkeys(fractions, math.nan)
        for at, name in enumerate(sums):
            total, having = row[behind + 2 * at : behind + 2 * at + 2]
            if having:
                summary.add_number(name, total, having)
        if distinct:
            summary.distinct = dict(zip(distinct, row[-len(distinct) :], strict=True))
        return key, summary

    return read


def _value(field: Field, found: Any) -> Any:
    """Return a number as it was written: whole ones are whole, but for money."""
    is_whole = field.name in NUMBERS_IN_METADATA and field.name != "cost" and isinstance(found, float)
    return int(found) if is_whole and found.is_integer() else found
