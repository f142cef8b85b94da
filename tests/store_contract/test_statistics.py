"""Statistics on every store: what cannot be added up is counted once for the whole of a period."""

from __future__ import annotations

from tests.traces import part, span
from tracehound.model.weight import WEIGHT
from tracehound.query.periods import parse_period
from tracehound.query.search import parse_search
from tracehound.query.statistics import StatisticsQuery
from tracehound.store.api import Store

HOUR_MS = 3_600_000


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
