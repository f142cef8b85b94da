"""Statistics of the ClickHouse store as SQL (`query.clickhouse`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tracehound.model.summary import SUMMED
from tracehound.query.clickhouse import VALUES, as_list, is_of
from tracehound.query.periods import Period
from tracehound.query.sql import Sql, join
from tracehound.query.statistics import DISTINCT, DURATIONS, LENGTHS, StatisticsQuery
from tracehound.query.wide import Condition

# Units of time that are added to one, for a negative quotient is rounded up.
_BEFORE: Final = 2**32


def statistics_sql(query: StatisticsQuery, where: Condition, first_units: Mapping[int, int] | None = None) -> Sql:
    """Return the statement that adds up traces, each as it is now.

    Units of time are groups of their own, but those that have another one in `first_units` count as that.

    Its columns are the fields of the groups; the number of the unit of time, if there are periods; how many traces
    there are and have failed, how many have ended, their durations' sum, the least and the greatest; the buckets of
    their durations, in order, or if fractions are given the buckets of these percentiles alone; then of each of
    `SUMMED` that is wanted the sum and how many have the number; and of each of `DISTINCT` that is wanted how many
    different values there are.
    """
    groups = _groups(query, first_units or {})
    keys = [Sql(f"{found.text} AS key{at}", found.parameters) for at, found in enumerate(groups)]
    names = [f"key{at}" for at in range(len(keys))]
    sums = [name for name in SUMMED if name in query.wanted]
    distinct = [VALUES.value(field) for name, field in DISTINCT.items() if name in query.wanted]
    conditions = [is_of(query.search), *([] if query.search.where is None else [where.sql])]
    condition = join("\n  AND ", conditions)
    added = [
        Sql("count(), countIf(t.state = 'ERROR')"),
        Sql(_lengths(query)),
        *_distribution(query),
        *(Sql(f"sum(t.{name}), count(t.{name})") for name in sums),
        *(Sql(f"uniqExact({each.text})", each.parameters) for each in distinct),
    ]
    chosen = join(", ", [*keys, *added])
    by = f"\nGROUP BY {', '.join(names)}" if names else ""
    named = f"WITH {_BUCKETS} AS buckets\n" if query.fractions else ""
    return Sql(
        f"{named}SELECT {chosen.text}\nFROM trace AS t FINAL\nWHERE {condition.text}{by}",
        chosen.parameters + condition.parameters,
    )


def _lengths(query: StatisticsQuery) -> str:
    if LENGTHS in query.wanted:
        return "count(t.duration_ms), sum(t.duration_ms), min(t.duration_ms), max(t.duration_ms)"
    return "count(t.duration_ms), 0, NULL, max(t.duration_ms)" if DURATIONS in query.wanted else "0, 0, NULL, NULL"


_BUCKETS: Final = "arraySort(groupArray(t.duration_bucket))"


def _distribution(query: StatisticsQuery) -> list[Sql]:
    """Return how durations are distributed. The percentile is the first bucket up to which there are enough of them."""
    if DURATIONS not in query.wanted:
        return [Sql("[]")]
    if not query.fractions:
        return [Sql(_BUCKETS)]
    return [Sql("buckets[greatest(1, toUInt64(ceil(? * length(buckets))))]", (each,)) for each in query.fractions]


def unit_of(period: Period) -> int:
    """Return the length in ms of the pieces of time that traces are added up by: of whole periods where that can be."""
    return period.equal_ms or period.unit_ms


def _groups(query: StatisticsQuery, first_units: Mapping[int, int]) -> list[Sql]:
    groups = [VALUES.value(each) for each in query.fields]
    if query.period is not None:
        unit_ms = unit_of(query.period)
        unit = Sql("intDiv(t.start_ms + ?, ?) - ?", (_BEFORE * unit_ms, unit_ms, _BEFORE))
        if first_units:
            pairs = as_list(list(first_units)), as_list(list(first_units.values()))
            unit = Sql(f"transform({unit.text}, ?, ?)", (*unit.parameters, *pairs))
        groups.append(unit)
    return groups
