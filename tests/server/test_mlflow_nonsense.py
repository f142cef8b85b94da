"""Whatever is sent to MLflow's routes is answered, or refused in MLflow's form; it is never a fault of ours."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.server.mlflow import TRACE_ID, told
from tests.traces import span
from tracehound.server.app import create_app
from tracehound.server.limits import ServerLimits
from tracehound.server.mlflow.routes import MLFLOW_ROUTES
from tracehound.settings import Settings
from tracehound.store.sqlite.store import SqliteStore

ROWS = [row for row in MLFLOW_ROUTES if "{path:path}" not in row.path]
FIELDS = [
    "ascending", "assessment", "assessment_id", "assessment_name", "client_request_id", "create_time", "error",
    "execution_duration", "expectation", "experiment_id", "experiment_ids", "experiment_name", "feedback",
    "field_name", "filter", "info", "issue", "key", "locations", "max_results", "max_timestamp_millis",
    "max_traces", "metadata", "metrics", "mlflow_experiment", "name", "order_by", "overrides", "page_token",
    "params", "prompt_versions", "request_ids", "request_time", "run_id", "source", "source_type", "span_id",
    "start_time", "state", "status", "tags", "trace", "trace_id", "trace_ids", "trace_info", "trace_location",
    "trace_metadata", "type", "update_mask", "value", "version", "view_type",
]  # fmt: skip
TEXTS = st.sampled_from(
    ["", "0", "-1", "abc", "MLFLOW_EXPERIMENT", "OK", "FINISHED", "HUMAN", "2026-11-21T01:39:54.213Z", "0.151s",
     "1e400", "feedback,metadata", "status = 'OK'", "name", TRACE_ID, "\0", "\ud800", "9" * 30, "x" * 300]
) | st.text(max_size=5)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | TEXTS
NUMBERS = itertools.count(1)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=12,
)
BODIES = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8)


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    path = tmp_path_factory.mktemp("nonsense") / "traces.db"
    store = SqliteStore(path)
    limits = ServerLimits(wait_for_spans_s=0.0)
    with TestClient(create_app(store, Settings(str(path)), limits), base_url="http://127.0.0.1") as client:
        assert client.post("/api/3.0/mlflow/traces", json=told("0")).status_code == 200
        yield client
    store.close()


@pytest.mark.prove
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.sampled_from(ROWS), st.sampled_from([TRACE_ID, "nowhere"]), BODIES)
def test_any_message_is_answered_or_refused(asking: TestClient, row: Any, name: str, body: dict[str, Any]) -> None:
    path = re.sub(r"\{\w+\}", name, row.path)
    if row.method == "GET":
        texts = {key: str(value).encode("utf-8", "replace").decode() for key, value in body.items()}
        response = asking.get(path, params=texts)
    else:
        content = json.dumps(body).encode()
        response = asking.request(row.method, path, content=content, headers={"Content-Type": "application/json"})
    assert response.status_code in (200, 400, 404), (row.method, path, body, response.text)
    if response.status_code != 200:
        assert response.json().keys() == {"error_code", "message"}


@pytest.mark.prove
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.sampled_from(FIELDS), VALUES, st.sampled_from(FIELDS), VALUES)
def test_what_is_told_of_a_trace_is_kept_or_refused(
    asking: TestClient, field: str, value: Any, other: str, other_value: Any
) -> None:
    trace_id = f"tr-{next(NUMBERS):032x}"
    body = told("0", trace_id)
    body["trace"]["trace_info"] |= {field: value, other: other_value}
    sent = {"content": json.dumps(body).encode(), "headers": {"Content-Type": "application/json"}}
    response = asking.post("/api/3.0/mlflow/traces", **sent)  # type: ignore[arg-type] # a mapping of two arguments
    assert response.status_code in (200, 400, 404), (body, response.text)
    found = asking.get(f"/api/3.0/mlflow/traces/get?trace_id={trace_id}&allow_partial=true")
    if "trace_id" not in (field, other):
        assert found.status_code == (200 if response.status_code == 200 else 404), (body, found.text)


@pytest.mark.parametrize("field", ["request_time", "execution_duration"])
def test_a_time_that_no_store_can_hold_is_refused(asking: TestClient, field: str) -> None:
    body = told("0", f"tr-{next(NUMBERS):032x}")
    body["trace"]["trace_info"][field] = "9025-01-01T00:00:00Z" if field == "request_time" else f"{2**40}s"
    response = asking.post("/api/3.0/mlflow/traces", json=body)
    assert response.status_code == 400
    assert "from 1970 to 2553" in response.json()["message"]


@pytest.mark.parametrize("field", ["start_time_unix_nano", "end_time_unix_nano"])
def test_a_file_with_such_a_time_is_refused(asking: TestClient, field: str) -> None:
    form = {**span(1).to_dict(), field: 2**70}
    path = f"/api/2.0/mlflow-artifacts/artifacts/0/traces/{span(1).trace_id}/artifacts/traces.json"
    response = asking.put(path, content=json.dumps({"spans": [form]}).encode())
    assert response.status_code == 400
    assert "64 bits" in response.json()["message"]
