"""What the documents' pages do with runs, models, warehouses and `MlflowClient`, in our words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tracehound
from tracehound import MlflowClient


def answer(*, fails: bool = False, **metadata: str) -> None:
    with contextlib.suppress(RuntimeError), tracehound.start_span("answer"):
        tracehound.update_current_trace(metadata=metadata)
        if fails:
            raise RuntimeError("no answer")


@pytest.fixture
def experiment() -> Iterator[str]:
    """An experiment in production: two versions, of which the first fails once, two users, three sessions, a flag."""
    number = tracehound.set_experiment("shop").experiment_id
    common = {"mlflow.source.type": "production"}
    turns = [
        ("1.0.0", "alice", "s-1", "true", True),
        ("1.0.0", "alice", "s-1", "false", False),
        ("1.1.0", "alice", "s-2", "true", False),
        ("1.1.0", "bob", "s-3", "true", False),
    ]
    for version, user, session, flag, fails in turns:
        answer(
            fails=fails,
            **common,
            app_version=version,
            feature_flag_new_retriever=flag,
            **{"mlflow.trace.user": user, "mlflow.trace.session": session},
        )
    yield number
    tracehound.set_experiment("Default")


def test_the_traces_of_a_run_are_found_by_its_id() -> None:
    with tracehound.start_run() as run:
        answer()
    answer()
    assert len(tracehound.search_traces(run_id=run.info.run_id, return_type="list")) == 1


def test_a_model_is_searched_together_with_a_filter_and_its_latency_averaged() -> None:
    with tracehound.start_span("answer"):
        tracehound.update_current_trace(model_id="my-model-123")
    answer()
    found: Any = tracehound.search_traces(model_id="my-model-123", filter_string="attributes.status = 'OK'")
    assert len(found) == 1
    assert found["execution_time_ms"].mean() >= 0


def test_the_warehouse_of_the_page_is_whatever_store_its_id_is_given_to(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEHOUND_WAREHOUSE_YOUR_WAREHOUSE_ID", str(store_path))
    answer()
    found: Any = tracehound.search_traces(
        filter_string="attributes.status = 'OK'", sql_warehouse_id="your-warehouse-id"
    )
    assert len(found) == 1


def test_how_a_user_behaves(experiment: str) -> None:
    traces = MlflowClient().search_traces(
        experiment_ids=[experiment], filter_string="metadata.`mlflow.trace.user` = 'alice'", max_results=1000
    )
    assert len(traces) == 3
    assert len({each.info.metadata.get("mlflow.trace.session", "") for each in traces}) == 2
    assert sum(each.info.execution_time_ms or 0 for each in traces) / len(traces) >= 0


def test_how_a_session_flows(experiment: str) -> None:
    traces = MlflowClient().search_traces(
        experiment_ids=[experiment],
        filter_string="metadata.`mlflow.trace.session` = 's-1'",
        order_by=["timestamp ASC"],
    )
    assert sorted(each.info.status for each in traces) == ["ERROR", "OK"]
    assert traces[0].info.timestamp <= traces[1].info.timestamp
    (session,) = (each for each in tracehound.search_sessions() if each.id == "s-1")
    assert {each.info.trace_id for each in session} == {each.info.trace_id for each in traces}
    starts_ns = [each.data.spans[0].start_time_ns for each in session]
    assert starts_ns == sorted(starts_ns)


def test_error_rates_of_versions_without_a_word_of_the_experiment(experiment: str) -> None:
    rates: dict[str, float | None] = {}
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        traces = MlflowClient().search_traces(
            filter_string=f"metadata.`mlflow.source.type` = 'production' AND metadata.app_version = '{version}'"
        )
        failed = sum(1 for each in traces if each.info.status == "ERROR")
        rates[version] = 100 * failed / len(traces) if traces else None
    assert rates == {"1.0.0": 50.0, "1.1.0": 0.0, "2.0.0": None}
    assert experiment == tracehound.set_experiment("shop").experiment_id


def test_latency_with_a_flag_on_and_off(experiment: str) -> None:
    latencies: dict[str, list[int | None]] = {}
    for flag in ("true", "false"):
        traces = MlflowClient().search_traces(
            experiment_ids=[experiment], filter_string=f"metadata.feature_flag_new_retriever = '{flag}'"
        )
        latencies[flag] = [each.info.execution_time_ms for each in traces]
    assert {flag: len(each) for flag, each in latencies.items()} == {"true": 3, "false": 1}
