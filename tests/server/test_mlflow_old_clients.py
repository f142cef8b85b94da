"""Clients before MLflow 3.2, which begin and end a trace over REST, and upload its spans as a file."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

import tracehound
from tests.server.mlflow import START_MS, make_experiment, send
from tracehound.model.trace import TraceData
from tracehound.server.limits import ServerLimits

TRACES = "/api/2.0/mlflow/traces"
OTEL_ID = "7" * 32  # the client's own id of the trace, which is not the server's


@pytest.fixture
def limits() -> ServerLimits:
    return ServerLimits(wait_for_spans_s=0.0)


def pairs(**texts: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in texts.items()]


def span(trace_id: str, number: int, name: str, parent: int | None = None) -> dict[str, Any]:
    """Return a span as MLflow 2 writes it."""
    return {
        "name": name,
        "context": {"span_id": f"0x{number:016x}", "trace_id": f"0x{OTEL_ID}"},
        "parent_id": None if parent is None else f"0x{parent:016x}",
        "start_time": START_MS * 10**6 + number,
        "end_time": (START_MS + 151) * 10**6,
        "status_code": "OK",
        "status_message": "",
        "attributes": {
            "mlflow.traceRequestId": json.dumps(trace_id), "mlflow.spanType": '"UNKNOWN"',
            "mlflow.spanInputs": '{"x": 3}', "mlflow.spanOutputs": '{"big": 9007199254740993, "none": null}',
        },
        "events": [{"name": "retry", "timestamp": START_MS * 10**6, "attributes": {"n": 2}}],
    }  # fmt: skip


def begin(client: TestClient, experiment: str) -> str:
    body = {
        "experiment_id": experiment, "timestamp_ms": START_MS,
        "request_metadata": pairs(**{"mlflow.trace_schema.version": "2"}),
        "tags": pairs(**{"mlflow.traceName": "outer"}),
    }  # fmt: skip
    info = send(client, "POST", TRACES, json=body)["trace_info"]
    assert (info["experiment_id"], info["timestamp_ms"], info["status"]) == (experiment, START_MS, "IN_PROGRESS")
    return str(info["request_id"])


def end(client: TestClient, trace_id: str, status: str = "OK") -> Any:
    body = {
        "request_id": trace_id, "timestamp_ms": START_MS + 151, "status": status,
        "request_metadata": pairs(**{"mlflow.traceInputs": '{"x": 3}'}), "tags": pairs(person="Tom"),
    }  # fmt: skip
    return send(client, "PATCH", f"{TRACES}/{trace_id}", json=body)["trace_info"]


def file_of(info: dict[str, Any]) -> str:
    """Return where the client uploads the spans: where the tags of its trace say."""
    tags = {each["key"]: each["value"] for each in info["tags"]}
    place = tags["mlflow.artifactLocation"].removeprefix("mlflow-artifacts:/")
    return f"/api/2.0/mlflow-artifacts/artifacts/{place}/traces.json"


def test_a_trace_runs_from_its_beginning_to_its_end(client: TestClient) -> None:
    trace_id = begin(client, make_experiment(client))
    found = tracehound.get_trace(trace_id)
    assert found is not None
    assert (found.info.name, found.info.state) == ("outer", "IN_PROGRESS")
    info = end(client, trace_id)
    assert (info["status"], info["execution_time_ms"]) == ("OK", 151)
    assert {"key": "person", "value": "Tom"} in info["tags"]
    assert {"key": "mlflow.trace_schema.version", "value": "2"} in info["request_metadata"]
    assert send(client, "GET", f"{TRACES}/{trace_id}/info", params={"request_id": trace_id})["trace_info"] == info


def test_the_file_with_its_spans_is_read_and_given_back_to_clients_of_any_age(client: TestClient) -> None:
    trace_id = begin(client, make_experiment(client))
    info = end(client, trace_id)
    spans = [span(trace_id, 1, "outer"), span(trace_id, 2, "inner", parent=1)]
    body = {"spans": spans, "request": '{"x": 3}', "response": "null"}
    send(client, "PUT", file_of(info), content=json.dumps(body).encode())
    found = tracehound.get_trace(trace_id)
    assert found is not None
    assert [each.name for each in found.data.spans] == ["outer", "inner"]
    assert found.data.spans[1].outputs == {"big": 2**53 + 1, "none": None}

    old = client.get(file_of(info), headers={"User-Agent": "mlflow-python-client/2.22.4"}).json()
    assert old["spans"] == spans
    assert TraceData.from_dict(old) == found.data
    new = client.get(file_of(info), headers={"User-Agent": "mlflow-python-client/3.1.4"}).json()
    assert TraceData.from_dict(new) == found.data
    asked = {"trace_id": trace_id, "allow_partial": "False"}
    whole = send(client, "GET", "/api/3.0/mlflow/traces/get", params=asked)["trace"]
    ids = {f"tr-{base64.b64decode(each['trace_id']).hex()}" for each in whole["spans"]}
    assert ids == {trace_id}  # newer clients make the name of the trace of it


def test_searches_answer_with_the_older_names(client: TestClient) -> None:
    experiment = make_experiment(client)
    ids = [begin(client, experiment) for _ in range(3)]
    end(client, ids[1], "ERROR")
    asked = {
        "experiment_ids": experiment,
        "filter": "status = 'ERROR'",
        "max_results": "5",
        "order_by": "timestamp DESC",
    }
    (info,) = send(client, "GET", TRACES, params=asked)["traces"]
    assert (info["request_id"], info["status"]) == (ids[1], "ERROR")
    found: list[str] = []
    token = ""
    while token or not found:
        page = send(
            client, "GET", TRACES, params={"experiment_ids": [experiment], "max_results": 1, "page_token": token}
        )
        found += [each["request_id"] for each in page["traces"]]
        token = page.get("next_page_token", "")
    assert sorted(found) == sorted(ids)


@pytest.mark.parametrize("status", ["IN_PROGRESS", "NONSENSE", None])
def test_a_trace_does_not_end_without_saying_how(status: str | None, client: TestClient) -> None:
    trace_id = begin(client, make_experiment(client))
    body = {"timestamp_ms": START_MS + 1, "status": status}
    assert "status" in send(client, "PATCH", f"{TRACES}/{trace_id}", 400, json=body)["message"]
    missing = send(client, "PATCH", f"{TRACES}/tr-{'0' * 32}", 404, json={"timestamp_ms": 1, "status": "OK"})
    assert missing["error_code"] == "RESOURCE_DOES_NOT_EXIST"
