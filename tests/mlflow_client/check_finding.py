"""Traces and experiments that MLflow's client searches, reads and deletes, and what it is told where it may not."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

START_MS = 1_735_689_600_000


@pytest.fixture
def trace_ids(experiment: str) -> list[str]:
    """Keep 25 traces, the oldest first, a millisecond apart."""
    made = []
    for number in range(25):
        tags = {"number": str(number), "parity": "odd" if number % 2 else "even"}
        made.append(kept_at(number, f"t{number % 5}", tags=tags))
    mlflow.flush_trace_async_logging()
    return made


def kept_at(start_ms: int, name: str, **said: Any) -> str:
    """Make a trace that began some milliseconds after a fixed time."""
    start_ns = (START_MS + start_ms) * 1_000_000
    span = mlflow.start_span_no_context(name, start_time_ns=start_ns, **said)
    span.end(end_time_ns=start_ns + 500_000)
    return str(span.trace_id)


def found(**search: Any) -> list[str]:
    return [each.info.trace_id for each in mlflow.search_traces(return_type="list", **search)]


def check_experiments_are_made_once_and_found(url: str) -> None:
    name = f"shop {uuid.uuid4().hex}"
    client = MlflowClient()
    made = mlflow.set_experiment(name)
    assert mlflow.set_experiment(name).experiment_id == made.experiment_id
    assert mlflow.get_experiment(made.experiment_id).name == name
    assert mlflow.get_experiment_by_name(name).experiment_id == made.experiment_id
    assert mlflow.get_experiment_by_name("nowhere at all") is None
    assert mlflow.get_experiment("0").name == "Default"
    with pytest.raises(MlflowException) as raised:
        mlflow.create_experiment(name)
    assert raised.value.error_code == "RESOURCE_ALREADY_EXISTS"
    client.set_experiment_tag(made.experiment_id, "team", "a")
    (tagged,) = mlflow.search_experiments(filter_string=f'name = "{name}" AND tags.team = "a"')
    assert tagged.tags == {"team": "a"}
    client.delete_experiment_tag(made.experiment_id, "team")
    assert mlflow.get_experiment(made.experiment_id).tags == {}


def check_pages_of_experiments_neither_repeat_nor_skip(url: str) -> None:
    mark = uuid.uuid4().hex
    client = MlflowClient()
    made = {client.create_experiment(f"{mark} {number}", tags={"mark": mark}) for number in range(5)}
    ids: list[str] = []
    token = None
    while True:
        page = client.search_experiments(filter_string=f"tags.mark = '{mark}'", max_results=2, page_token=token)
        ids += [each.experiment_id for each in page]
        client.create_experiment(f"{mark} more {len(ids)}", tags={"mark": mark})  # the newest, before all others
        token = page.token
        if not token:
            break
    assert len(ids) == len(set(ids))
    assert made <= set(ids)


def check_pages_of_traces_neither_repeat_nor_skip(trace_ids: list[str], experiment: str) -> None:
    client = MlflowClient()
    ids: list[str] = []
    token = None
    while True:
        page = client.search_traces(locations=[experiment], max_results=10, page_token=token)
        ids += [each.info.trace_id for each in page]
        kept_at(100 + len(ids), "newer")  # before all others
        mlflow.flush_trace_async_logging()
        token = page.token
        if not token:
            break
    assert ids == trace_ids[::-1]


@pytest.mark.parametrize("include_spans", [True, False])
def check_all_traces_are_found_whatever_the_size_of_a_page(
    include_spans: bool, in_background: None, trace_ids: list[str]
) -> None:
    assert found(include_spans=include_spans) == trace_ids[::-1]
    assert found(include_spans=include_spans, max_results=7) == trace_ids[:-8:-1]


def check_filters_are_read_as_mlflows_clients_write_them(trace_ids: list[str]) -> None:
    assert found(filter_string="attributes.status = 'OK' AND tags.number = '7'") == [trace_ids[7]]
    assert found(filter_string='status = "OK" AND tags.number = "7"') == [trace_ids[7]]
    assert found(filter_string="name = 't3' AND tags.`parity` = 'odd'") == [trace_ids[each] for each in (23, 13, 3)]
    assert found(filter_string=f"request_id = '{trace_ids[4]}'") == [trace_ids[4]]
    assert found(filter_string="tags.number IN ('1', '2') OR tags.number = '5'") == [
        trace_ids[each] for each in (5, 2, 1)
    ]
    assert found(filter_string="span.name LIKE 't4' AND timestamp > 0", max_results=1) == [trace_ids[24]]
    assert found(filter_string="execution_time_ms < 0") == []
    assert found(filter_string="tags.parity = 'even'", order_by=["timestamp ASC"], max_results=2) == [
        trace_ids[0], trace_ids[2],
    ]  # fmt: skip
    assert found(order_by=["tags.number DESC"], max_results=2) == [trace_ids[24], trace_ids[23]]


def check_a_frame_has_the_columns_of_the_documents(trace_ids: list[str]) -> None:
    frame = mlflow.search_traces(max_results=3)
    assert list(frame["trace_id"]) == trace_ids[:-4:-1]
    assert list(frame["state"]) == ["OK"] * 3


def check_sessions_are_put_together(experiment: str) -> None:
    for turn in range(4):
        kept_at(turn, f"turn {turn}", metadata={"mlflow.trace.session": f"s-{turn % 2}"})
    mlflow.flush_trace_async_logging()
    sessions = mlflow.search_sessions(locations=[experiment])
    assert {each.id: [trace.data.spans[0].name for trace in each] for each in sessions} == {
        "s-1": ["turn 1", "turn 3"], "s-0": ["turn 0", "turn 2"],
    }  # fmt: skip


def check_traces_are_deleted_by_id_and_by_time(trace_ids: list[str], experiment: str) -> None:
    client = MlflowClient()
    assert client.delete_traces(experiment, trace_ids=[trace_ids[3], "tr-" + "0" * 31 + "1"]) == 1
    assert mlflow.get_trace(trace_ids[3], silent=True) is None
    newest_ms = START_MS + 24
    assert client.delete_traces(experiment, max_timestamp_millis=newest_ms, max_traces=2) == 2
    assert found() == [*trace_ids[:3:-1], trace_ids[2]]
    assert client.delete_traces(experiment, max_timestamp_millis=newest_ms) == 22
    assert found() == []


MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("status == 'OK'", {}, "== is written = here"),
    ("attributes.latencyy > 3", {}, "there is no attribute 'latencyy'"),
    ("timestamp > '2025-06-30'", {}, "1751241600000"),
    ("status = 'OK'", {"order_by": ["feedback.x"]}, "nothing is ordered by it"),
    ("", {"order_by": ["nothing"]}, "'nothing' needs a prefix"),
]


@pytest.mark.parametrize(("filter_string", "more", "told"), MISTAKES, ids=[each[0] for each in MISTAKES])
def check_a_mistake_is_told_at_once(filter_string: str, more: dict[str, Any], told: str, experiment: str) -> None:
    begun_s = time.monotonic()
    with pytest.raises(MlflowException) as raised:
        mlflow.search_traces(filter_string=filter_string, **more)
    assert raised.value.error_code == "INVALID_PARAMETER_VALUE"
    assert told in raised.value.message
    assert "SELECT" not in raised.value.message
    assert time.monotonic() - begun_s < 5  # a server's fault would be asked for again


def check_what_is_not_there_is_told_as_such(experiment: str) -> None:
    client, nowhere = MlflowClient(), "tr-" + "0" * 31 + "1"
    asked: list[Callable[[], object]] = [
        lambda: client.get_trace(nowhere),
        lambda: client.set_trace_tag(nowhere, "a", "b"),
        lambda: mlflow.log_feedback(trace_id=nowhere, name="a", value=True),
        lambda: mlflow.get_assessment(nowhere, "a-1"),
        lambda: client.get_run("0" * 32),
        lambda: mlflow.search_traces(run_id="0" * 32),
        lambda: client.get_experiment("77"),
        lambda: client.get_logged_model("m-" + "0" * 32),
        lambda: client.link_traces_to_run([nowhere], "0" * 32),
    ]
    for ask in asked:
        with pytest.raises(MlflowException) as raised:
            ask()
        assert raised.value.error_code == "RESOURCE_DOES_NOT_EXIST", raised.value
    assert mlflow.get_trace(nowhere, silent=True) is None


def check_what_there_is_not_here_is_told_with_its_reason(experiment: str) -> None:
    client = MlflowClient()
    asked: list[tuple[Callable[[], object], str]] = [
        (lambda: client.delete_experiment(experiment), "delete its traces"),
        (lambda: client.rename_experiment(experiment, "other"), "keeps its name"),
    ]
    for ask, reason in asked:
        with pytest.raises(MlflowException) as raised:
            ask()
        assert raised.value.error_code == "ENDPOINT_NOT_FOUND"
        assert reason in raised.value.message
