"""The analysis of results as the documents write it, on DataFrames, in our words and with numbers that are known."""

from __future__ import annotations

import time
from typing import Any

import pandas as pd
import pytest

import tracehound
from tests.traces import START_MS, part, span
from tracehound import runtime

NOW_MS = time.time_ns() // 1_000_000
HOUR_MS = 3_600_000


@pytest.fixture(autouse=True)
def ten_requests() -> None:
    """Ten requests of the last hours, one an hour, of 100, 200 … 1000 ms; those of `pay` fail, the others search."""
    runtime.current().drained_store().write(
        [
            part(
                span(
                    1, trace=at + 1, start_ms=NOW_MS - START_MS - at * HOUR_MS - 60_000, duration_ms=100 * (at + 1),
                    name="pay" if at % 5 == 0 else "look", failed=at % 5 == 0,
                ),
                tags={"query_category": "billing"} if at == 3 else None,
                metadata={"mlflow.user": "alice" if at < 4 else "bob"},
            )
            for at in range(10)
        ]
    )  # fmt: skip


def test_errors_of_the_last_hours_are_grouped_by_function_and_sampled() -> None:
    since_ms = NOW_MS - 24 * HOUR_MS
    failed: Any = tracehound.search_traces(
        filter_string=f"attributes.status = 'ERROR' AND attributes.timestamp_ms > {since_ms}",
        order_by=["attributes.timestamp_ms DESC"],
    )
    assert len(failed) == 2
    by_function = failed.groupby("tags.mlflow.traceName").size()
    assert by_function.to_string().split() == ["tags.mlflow.traceName", "pay", "2"]
    samples = [
        (
            trace["request_preview"][:60],
            trace.get("tags.mlflow.traceName", "unknown"),
            trace.get("tags.query_category", "unknown"),
            pd.to_datetime(trace["timestamp_ms"], unit="ms").year,
        )
        for _, trace in failed.head(5).iterrows()
    ]
    year = pd.to_datetime(NOW_MS - HOUR_MS, unit="ms").year
    assert [each[:3] for each in samples] == [('{"question":"why?"}', "pay", "unknown")] * 2
    assert all(each[3] in (year - 1, year) for each in samples)


def test_a_failure_without_inputs_is_a_sample_like_the_others() -> None:
    with pytest.raises(ValueError, match="no inputs"), tracehound.start_span("bare"):
        raise ValueError("no inputs")
    failed: Any = tracehound.search_traces("attributes.name = 'bare' AND attributes.status = 'ERROR'")
    assert [f"- {trace['request_preview'][:60]}..." for _, trace in failed.iterrows()] == ["- ..."]
    assert failed["request_preview"].str.len().tolist() == failed["response_preview"].str.len().tolist() == [0]


def test_a_profile_has_percentiles_and_the_slowest_beyond_them() -> None:
    traces: Any = tracehound.search_traces(filter_string="tags.`mlflow.traceName` = 'look'")
    told = traces["execution_time_ms"].describe(percentiles=[0.5, 0.95, 0.99])
    assert (told["count"], told["50%"], told["mean"], told["max"]) == (8, 600.0, 600.0, 1000.0)
    slowest = traces[traces["execution_time_ms"] > told["99%"]]
    assert [
        f"{trace['execution_time_ms']:.0f}ms: {trace['request_preview'][:5]}" for _, trace in slowest.iterrows()
    ] == ['1000ms: {"que']


def test_the_activity_of_a_user_is_told_by_day_by_category_and_by_time() -> None:
    traces: Any = tracehound.search_traces(
        filter_string=f"metadata.`mlflow.user` = 'alice' AND attributes.timestamp_ms > {NOW_MS - 7 * 24 * HOUR_MS}",
        order_by=["attributes.timestamp_ms DESC"],
    )
    traces["date"] = pd.to_datetime(traces["timestamp_ms"], unit="ms").dt.date
    assert traces.groupby("date").size().sum() == 4
    assert "tags.query_category" in traces.columns
    assert traces["tags.query_category"].value_counts().to_dict() == {"billing": 1}
    assert traces["execution_time_ms"].mean() == 250.0
    assert (traces["status"] == "ERROR").mean() * 100 == 25.0


def test_a_category_that_no_trace_has_is_no_column() -> None:
    traces = tracehound.search_traces(filter_string="metadata.`mlflow.user` = 'bob'")
    assert "tags.query_category" not in traces.columns


def test_a_report_has_the_rate_of_errors_and_quantiles() -> None:
    traces: Any = tracehound.search_traces(experiment_ids=None, filter_string=None)
    report = {
        "total": len(traces),
        "error_rate": (traces["status"] == "ERROR").mean(),
        "mean": traces["execution_time_ms"].mean(),
        "p50": traces["execution_time_ms"].quantile(0.5),
        "p95": traces["execution_time_ms"].quantile(0.95),
    }
    expected = {"total": 10, "error_rate": 0.2, "mean": 550.0, "p50": 550.0, "p95": 955.0}
    assert report == pytest.approx(expected)


def test_fields_of_spans_become_the_columns_of_a_dataset() -> None:
    traces = tracehound.search_traces(extract_fields=["look.inputs.question", "look.outputs", "pay.inputs"])
    dataset: Any = traces.rename(columns={"look.inputs.question": "question", "look.outputs": "ground_truth"})
    assert dataset["question"].value_counts().to_dict() == {"why?": 8}
    assert dataset["ground_truth"].value_counts().to_dict() == {"because": 8}


def test_the_columns_are_those_of_the_newest_document_and_the_older_ones_are_known() -> None:
    columns = tracehound.search_traces().columns
    assert list(columns) == [
        "trace_id", "trace", "client_request_id", "state", "request_time", "execution_duration", "request", "response",
        "trace_metadata", "tags", "spans", "assessments",
    ]  # fmt: skip
    for name in (
        "request_id", "trace", "timestamp_ms", "status", "execution_time_ms", "request", "response", "request_metadata",
        "spans", "tags",
    ):  # fmt: skip
        assert name in columns


def test_a_model_and_a_filter_are_asked_for_together() -> None:
    found: Any = tracehound.search_traces(model_id="my-model", filter_string="attributes.status = 'OK'")
    assert len(found) == 0
    assert str(found["execution_time_ms"].mean()) == "nan"
