"""Statistics on every store: percentiles where the engine works them out, and what cannot be added up."""

from __future__ import annotations

import math

import pytest

from tests.traces import START_MS, part, span
from tracehound.model.weight import WEIGHT
from tracehound.query.fields import NAME
from tracehound.query.periods import parse_period
from tracehound.query.search import parse_search
from tracehound.query.statistics import DURATIONS, GroupKey, StatisticsQuery
from tracehound.store.api import Store

FRACTIONS = (0.0, 0.05, 0.5, 0.951, 1.0)
HOUR_MS = 3_600_000


def percentiles(store: Store, query: StatisticsQuery) -> dict[GroupKey, list[float]]:
    return {key: summary.percentiles(query.fractions) for key, summary in store.statistics(query).items()}


def asked(period: str | None = None, zone: str = "UTC") -> StatisticsQuery:
    wanted = frozenset({DURATIONS})
    cut = None if period is None else parse_period(period, zone)
    return StatisticsQuery(parse_search(["0"]), (), cut, wanted, are_weighted=True, fractions=FRACTIONS)


def test_a_percentile_is_the_first_duration_up_to_which_there_are_enough(store: Store) -> None:
    store.write([part(span(1, trace=each, duration_ms=each)) for each in range(1, 21)])
    assert percentiles(store, asked()) == {(): [1, 1, 10, 20, 20]}


def test_where_nothing_has_ended_there_is_no_percentile(store: Store) -> None:
    store.write([part(span(1, duration_ms=None), owner="4711")])
    assert all(map(math.isnan, percentiles(store, asked())[()]))


def test_traces_that_stand_for_several_count_as_often(store: Store) -> None:
    store.write([part(span(1, trace=each, duration_ms=each)) for each in (1, 2)])
    store.write([part(span(1, trace=3, duration_ms=3), metadata={WEIGHT: "10"})])
    assert percentiles(store, asked()) == {(): [1, 1, 3, 3, 3]}
    assert store.statistics(asked())[()].count == 12


@pytest.mark.parametrize(
    ("period", "zone"), [("1d", "UTC"), ("1w", "UTC"), ("1d", "Asia/Kolkata"), ("1h", "Asia/Kolkata")]
)
def test_a_period_of_many_hours_has_the_percentiles_of_all_of_them(store: Store, period: str, zone: str) -> None:
    later = 0 if period == "1h" else 5 * HOUR_MS
    store.write([part(span(1, trace=each, duration_ms=each, start_ms=later * (each > 5))) for each in range(1, 21)])
    assert list(percentiles(store, asked(period, zone)).values()) == [[1, 1, 10, 20, 20]]


def test_two_hours_that_a_clock_showed_as_one_are_one_period(store: Store) -> None:
    """In 1930 clocks in Nairobi were put back by half an hour, so an hour on them took one and a half."""
    first = -1_261_972_800_000
    starts = (first, first + HOUR_MS)
    store.write(
        [part(span(1, trace=at, start_ms=each - START_MS, duration_ms=at)) for at, each in enumerate(starts, 1)]
    )
    assert percentiles(store, asked("1h", "Africa/Nairobi")) == {(first,): [1, 1, 1, 2, 2]}


def test_groups_of_a_name_have_percentiles_of_their_own(store: Store) -> None:
    store.write([part(span(1, trace=each, duration_ms=each, name="ab"[each % 2])) for each in range(1, 5)])
    query = StatisticsQuery(parse_search(["0"]), (NAME,), parse_period("1h"), frozenset({DURATIONS}), fractions=(0.5,))
    assert percentiles(store, query) == {(START_MS, "a"): [2], (START_MS, "b"): [1]}


def test_users_and_sessions_of_a_day_are_those_of_all_of_its_hours_each_once(store: Store) -> None:
    users = ["ann", "bob", "ann", "cid", "ann"]
    store.write(
        [
            part(
                span(1, trace=at + 1, start_ms=at * 8 * HOUR_MS),
                metadata={"mlflow.trace.user": user, "mlflow.trace.session": f"s{at % 2}", WEIGHT: "2"},
            )
            for at, user in enumerate(users)
        ]
    )
    query = StatisticsQuery(parse_search(["0"]), (), parse_period("1d"))
    assert [each.distinct for _, each in sorted(store.statistics(query).items())] == [
        {"users": 2, "sessions": 2}, {"users": 2, "sessions": 2}
    ]  # fmt: skip
    weighted = StatisticsQuery(parse_search(["0"]), (), parse_period("1d"), are_weighted=True)
    found = [each for _, each in sorted(store.statistics(weighted).items())]
    assert [(each.count, each.distinct["users"]) for each in found] == [(6, 2), (4, 2)]
