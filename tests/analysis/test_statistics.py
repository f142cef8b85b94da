"""Statistics through the public interface, as a DataFrame, a list and a picture."""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest

import tracehound
from tracehound.errors import ArgumentError, FilterError

mpl.use("Agg")

TOKENS = ("input_tokens", "output_tokens", "total_tokens")
DAY_MS = 86_400_000
START_MS = 1_735_689_600_000  # 2025-01-01, UTC


@pytest.fixture
def traced(tmp_path: Path) -> None:
    """A hundred answers of 1 to 100 ms over four days, every tenth an error; and one that runs."""
    tracehound.set_tracking_uri(str(tmp_path / "traces.db"))
    for number in range(1, 101):
        span = tracehound.start_span_no_context(
            "answer" if number % 2 else "plan",
            tags={"env": "prod"} if number <= 60 else {},
            metadata={"mlflow.trace.user": f"user-{number % 7}"},
            attributes={
                "mlflow.chat.tokenUsage": {"input_tokens": number, "output_tokens": 1, "total_tokens": number + 1}
            },
            start_time_ns=(START_MS + number * DAY_MS // 25) * 1_000_000,
        )
        if number % 10 == 0:
            span.set_status("ERROR")
        span.end(end_time_ns=(START_MS + number * DAY_MS // 25 + number) * 1_000_000)
    tracehound.flush()


@pytest.mark.usefixtures("traced")
def test_without_groups_there_is_one_row() -> None:
    (found,) = tracehound.trace_stats(
        metrics=["count", "errors", "error_rate", "latency_mean", "latency_min", "latency_max", "p50", "latency_p99.9"],
        return_type="list",
    )
    assert (found["count"], found["errors"], found["error_rate"]) == (100, 10, 0.1)
    assert (found["latency_mean"], found["latency_min"], found["latency_max"]) == (50.5, 1, 100)
    assert found["p50"] == pytest.approx(50, rel=0.01)
    assert found["latency_p99.9"] == pytest.approx(100, rel=0.01)


@pytest.mark.usefixtures("traced")
def test_the_metrics_that_are_given_without_a_wish_are_numbers_in_a_frame() -> None:
    frame = tracehound.trace_stats(group_by="name")
    assert list(frame.columns) == ["name", "count", "error_rate", "latency_mean", "p50", "p95", "p99"]
    assert frame.set_index("name")["error_rate"].to_dict() == {"answer": 0.0, "plan": 0.2}
    assert [str(kind) for kind in frame.dtypes[1:]] == ["int64", *["float64"] * 5]


@pytest.mark.usefixtures("traced")
def test_groups_are_of_any_field_and_what_lacks_it_is_a_group() -> None:
    metrics = ["count", "total_tokens", "users", "sessions", "cost"]
    rows = tracehound.trace_stats(group_by=["tags.env", "attributes.status"], metrics=metrics, return_type="list")
    assert [(row["tags.env"], row["attributes.status"], row["count"]) for row in rows] == [
        ("prod", "OK", 54),
        (None, "OK", 36),
        ("prod", "ERROR", 6),
        (None, "ERROR", 4),
    ]
    assert sum(row["total_tokens"] for row in rows) == 5050 + 100
    assert [row["users"] for row in rows] == [7, 7, 6, 4]
    assert [row["sessions"] for row in rows] == [0, 0, 0, 0]
    assert all(math.isnan(row["cost"]) for row in rows)


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("filter_string", [None, "attributes.timestamp_ms > 0"])
def test_time_is_cut_where_the_clocks_of_the_zone_show_midnight(filter_string: str | None) -> None:
    frame = tracehound.trace_stats(filter_string, interval="1d", metrics="count", time_zone="Asia/Kolkata")
    assert [time.isoformat() for time in frame["time"]] == [f"2025-01-0{day}T00:00:00+05:30" for day in (1, 2, 3, 4, 5)]
    assert list(frame["count"]) == [19, 25, 25, 25, 6]
    utc = tracehound.trace_stats(filter_string, interval="1d", metrics=["count", "p50"], return_type="list")
    assert [row["count"] for row in utc] == [24, 25, 25, 25, 1]


@pytest.mark.usefixtures("traced")
def test_users_are_counted_once_a_period_however_it_is_cut() -> None:
    rows = tracehound.trace_stats(interval="1w", metrics=["users"], return_type="list")
    assert [row["users"] for row in rows] == [7]
    assert (
        sum(row["users"] for row in tracehound.trace_stats(interval="1h", metrics=["users"], return_type="list")) == 100
    )


@pytest.mark.usefixtures("traced")
def test_hours_follow_edits_and_deletions() -> None:
    (slowest,) = tracehound.search_traces(order_by=["latency DESC"], max_results=1, return_type="list")
    other = tracehound.search_traces("attributes.name = 'answer'", max_results=1, return_type="list")[0]
    tracehound.delete_traces(slowest.info.experiment_id, trace_ids=[slowest.info.trace_id])
    tracehound.set_trace_tag(other.info.trace_id, "mlflow.traceName", "renamed")
    tracehound.flush()
    rows = tracehound.trace_stats(group_by="name", metrics=["count", "latency_max"], return_type="list")
    assert [tuple(row.values()) for row in rows] == [("answer", 49, 97), ("plan", 49, 98), ("renamed", 1, 99)]


@pytest.mark.usefixtures("traced")
def test_nothing_found_is_one_row_of_nothing_or_none_at_all() -> None:
    (found,) = tracehound.trace_stats("tags.env = 'none'", return_type="list")
    assert found["count"] == 0
    assert all(math.isnan(found[name]) for name in ("error_rate", "latency_mean", "p50"))
    frame = tracehound.trace_stats("tags.env = 'none'", "name", "1h")
    assert len(frame) == 0
    assert str(frame["time"].dtype).startswith("datetime64")
    assert str(frame["p50"].dtype) == "float64"


@pytest.mark.usefixtures("traced")
def test_statistics_draw_themselves() -> None:
    frame = tracehound.trace_stats(group_by="name", interval="1d")
    assert frame.plot("p95").get_ylabel() == "p95"
    assert len(frame[frame["name"] == "plan"].plot().get_lines()) == 1
    assert len(tracehound.trace_stats(interval="1d").plot("count").get_lines()) == 1
    assert [each.get_width() for each in tracehound.trace_stats(group_by="name").plot("count").patches] == [50, 50]
    with pytest.raises(ArgumentError, match="there is no metric 'p90' here"):
        frame.plot("p90")
    assert isinstance(pd.DataFrame(frame), pd.DataFrame)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"metrics": ["p95", "latncy_mean"]}, "there is no metric 'latncy_mean'; did you mean 'latency_mean'"),
        ({"metrics": ["p101"]}, "there is no metric 'p101'"),
        ({"interval": "7h"}, "an interval is a length that divides a day"),
        ({"interval": "1h", "time_zone": "Mars"}, "there is no time zone 'Mars'"),
        ({"group_by": [3]}, "group_by is a list of texts"),
        ({"return_type": "arrow"}, "return_type is 'pandas' or 'list'"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(arguments: dict[str, object], told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        tracehound.trace_stats(**arguments)  # type: ignore[call-overload]


@pytest.mark.parametrize("group", ["feedback.quality", "span.name", "trace.text", "nmae", "name DESC"])
def test_what_is_no_field_of_a_trace_is_no_group(group: str) -> None:
    with pytest.raises(FilterError):
        tracehound.trace_stats(group_by=group)
