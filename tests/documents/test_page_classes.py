"""The classes that the first page ends with, for tags and for searches, in our words and with known numbers."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any, Final

import pytest

import tracehound
from tests.traces import START_MS, part, span
from tracehound import runtime

NOW_MS: Final = time.time_ns() // 1_000_000
DAY_MS: Final = 86_400_000


class Tagging:
    """Tags by the rules of an organisation."""

    REQUIRED: Final = ("environment", "version", "service_name")
    CATEGORIES: Final = {"accounts": ("login", "logout"), "retrieval": ("search", "fetch")}

    @classmethod
    def tag(cls, operation: str, **more: str) -> dict[str, str]:
        """Tag the current trace; what is required and was not said is unknown."""
        tags = {"operation": operation, "timestamp": datetime.now(timezone.utc).isoformat(), "service_name": "shop"}
        for category, members in cls.CATEGORIES.items():
            if operation in members:
                tags["category"] = category
        tags |= more
        tags = {**dict.fromkeys(cls.REQUIRED, "unknown"), **tags}
        tracehound.update_current_trace(tags=tags)
        return tags


class Searcher:
    """Questions that are asked every day."""

    def __init__(self, experiment_ids: list[str] | None = None) -> None:
        self._experiment_ids = experiment_ids

    def recent_errors(self, hours: float = 1) -> Any:
        since_ms = int((time.time() - hours * 3600) * 1000)
        return self._search(
            f"attributes.status = 'ERROR' AND attributes.timestamp_ms > {since_ms}", ["attributes.timestamp_ms DESC"]
        )

    def slow_operations(self, threshold_ms: int = 5000) -> Any:
        return self._search(f"attributes.execution_time_ms > {threshold_ms}", ["attributes.execution_time_ms DESC"])

    def by_user(self, user_id: str, days: float = 7) -> Any:
        since_ms = int((time.time() - days * 86_400) * 1000)
        return self._search(
            f"tags.user_id = '{user_id}' AND attributes.timestamp_ms > {since_ms}", ["attributes.timestamp_ms DESC"]
        )

    def by_category(self, category: str, status: str | None = None) -> Any:
        conditions = [f"tags.category = '{category}'"] + ([f"attributes.status = '{status}'"] if status else [])
        return self._search(" AND ".join(conditions))

    def report(self, function: str | None = None) -> dict[str, Any]:
        traces = self._search(f"tags.`mlflow.traceName` = '{function}'" if function else None)
        if len(traces) == 0:
            return {"error": "nothing found"}
        times = traces["execution_time_ms"]
        return {
            "total": len(traces),
            "error_rate": (traces["status"] == "ERROR").mean(),
            "mean": times.mean(),
            **{f"p{share}": times.quantile(share / 100) for share in (50, 95, 99)},
        }

    def _search(self, filter_string: str | None, order_by: list[str] | None = None) -> Any:
        return tracehound.search_traces(
            experiment_ids=self._experiment_ids, filter_string=filter_string, order_by=order_by
        )


@pytest.fixture
def twenty_days() -> None:
    """One call a day for twenty days, newest first, of 1, 2 … 20 s; each fourth is a payment, which fails."""
    runtime.current().drained_store().write(
        [
            part(
                span(
                    1, trace=day + 1, start_ms=NOW_MS - START_MS - day * DAY_MS - 60_000, duration_ms=1000 * (day + 1),
                    name="search" if day % 4 else "pay", failed=day % 4 == 0,
                ),
                tags={"user_id": "U001" if day < 10 else "U002", "category": "retrieval" if day % 4 else "money"},
            )
            for day in range(20)
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "more", "expected"),
    [
        ("login", {"version": "v2"},
         {"category": "accounts", "version": "v2", "environment": "unknown", "service_name": "shop"}),
        ("fetch", {"environment": "prod", "service_name": "api"},
         {"category": "retrieval", "environment": "prod", "service_name": "api", "version": "unknown"}),
        ("dance", {}, {"operation": "dance", "environment": "unknown"}),
    ],
)  # fmt: skip
def test_tags_of_a_strategy_are_on_the_trace_and_found(
    operation: str, more: dict[str, str], expected: dict[str, str]
) -> None:
    @tracehound.trace
    def handle() -> dict[str, str]:
        return Tagging.tag(operation, **more)

    applied = handle()
    (trace,) = tracehound.search_traces(f"tags.timestamp = '{applied['timestamp']}'", return_type="list")
    assert {key: trace.info.tags[key] for key in applied} == applied
    assert expected.items() <= applied.items()
    assert ("category" in trace.info.tags) == (operation != "dance")
    assert (
        len(tracehound.search_traces(" AND ".join(f"tags.{key} = '{value}'" for key, value in expected.items()))) == 1
    )


@pytest.mark.usefixtures("twenty_days")
def test_errors_of_the_last_hours_are_newest_first() -> None:
    assert list(Searcher().recent_errors(hours=24)["execution_time_ms"]) == [1000]
    assert list(Searcher(["0"]).recent_errors(hours=24 * 9)["execution_time_ms"]) == [1000, 5000, 9000]
    assert len(Searcher().recent_errors(hours=0.001)) == 0


@pytest.mark.usefixtures("twenty_days")
def test_slow_operations_are_slowest_first_and_the_threshold_is_not_among_them() -> None:
    assert list(Searcher().slow_operations(threshold_ms=17_000)["execution_time_ms"]) == [20_000, 19_000, 18_000]
    assert len(Searcher().slow_operations()) == 15


@pytest.mark.usefixtures("twenty_days")
def test_what_a_user_did_is_told_for_as_many_days_as_asked() -> None:
    assert list(Searcher().by_user("U001", days=3)["execution_time_ms"]) == [1000, 2000, 3000]
    assert len(Searcher().by_user("U002", days=30)) == 10
    assert len(Searcher().by_user("U002", days=7)) == 0


@pytest.mark.usefixtures("twenty_days")
def test_a_category_is_searched_with_and_without_a_status() -> None:
    searcher = Searcher()
    assert [len(searcher.by_category(each)) for each in ("retrieval", "money", "fun")] == [15, 5, 0]
    assert [len(searcher.by_category("money", status)) for status in ("ERROR", "OK")] == [5, 0]


@pytest.mark.usefixtures("twenty_days")
def test_a_report_of_one_function_has_its_rate_of_errors_and_its_quantiles() -> None:
    assert Searcher().report("pay") == pytest.approx(
        {"total": 5, "error_rate": 1.0, "mean": 9000.0, "p50": 9000.0, "p95": 16_200.0, "p99": 16_840.0}
    )
    assert Searcher().report() == pytest.approx(
        {"total": 20, "error_rate": 0.25, "mean": 10_500.0, "p50": 10_500.0, "p95": 19_050.0, "p99": 19_810.0}
    )
    assert Searcher().report("unheard of") == {"error": "nothing found"}
