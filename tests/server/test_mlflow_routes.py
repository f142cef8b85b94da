"""The ledger of MLflow's REST API, line by line, against the application."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

import tracehound
from tracehound.server.mlflow.refusals import refuse
from tracehound.server.mlflow.routes import MLFLOW_ROUTES
from tracehound.server.routes import ALL_ROUTES
from tracehound.server.rows import Endpoint

LEDGER: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    re.sub(r"(\d{4}-\d\d-\d\dT[\d:.]+Z)", r'"\1"', Path(__file__).with_name("mlflow_routes.yaml").read_text("utf-8"))
)
YES = LEDGER["yes"]
NO = [(route, line["reason"]) for line in LEDGER["no"] for route in line["routes"]]


@pytest.fixture
def known() -> dict[str, str]:
    """Make what the lines of the ledger speak of; return the ids by their names there."""
    with tracehound.start_span("answer") as span:
        tracehound.update_current_trace(tags={"present": "yes"})
    said = tracehound.log_feedback(trace_id=span.trace_id, name="correct", value=False)
    with tracehound.start_run(tags={"present": "yes"}) as run:
        pass
    model = tracehound.create_external_model("agent", tags={"present": "yes"})
    tracehound.set_experiment_tag("present", "yes")
    return {
        "$trace": span.trace_id,
        "$assessment": str(said.assessment_id),
        "$run": run.info.run_id,
        "$model": model.model_id,
    }


def filled(value: Any, known: dict[str, str]) -> Any:
    """Return a part of a line with ids in the place of their names."""
    if isinstance(value, dict):
        return {key: filled(each, known) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, known) for each in value]
    if isinstance(value, str):
        return re.sub(r"\$\w+", lambda found: known[found[0]], value)
    return value


def has(found: Any, wanted: Any) -> bool:
    """Whether an answer has at least what is wanted; null stands for anything."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(key in found and has(found[key], each) for key, each in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(has, found, wanted))
    return wanted is None or bool(found == wanted)


def name_of(line: Any) -> str:
    return f"{line['method']} {line['path']}" if isinstance(line, dict) else str(line)


def ask(client: TestClient, line: dict[str, Any], known: dict[str, str]) -> Any:
    """Send what a line says."""
    address = line.get("is", line["path"])
    for name, value in line.get("at", {}).items():
        address = address.replace(f"{{{name}}}", value)
    sent: dict[str, Any] = {"params": filled(line.get("query", {}), known)}
    if "body" in line:
        sent["json"] = filled(line["body"], known)
    if "content" in line:
        sent["content"] = line["content"]
    return client.request(line["method"], filled(address, known), **sent)


@pytest.mark.parametrize("line", YES, ids=name_of)
def test_a_route_that_there_is_answers_as_the_ledger_says(
    line: dict[str, Any], known: dict[str, str], client: TestClient
) -> None:
    response = ask(client, line, known)
    assert response.status_code == 200, response.text
    if "text" in line:
        assert response.text == line["text"]
    else:
        wanted = filled(line["gives"], known)
        assert has(response.json(), wanted), response.text
        assert wanted or response.json() == {}


@pytest.mark.parametrize(("route", "reason"), NO, ids=[route for route, _ in NO])
def test_a_route_that_there_is_not_says_why(route: str, reason: str, client: TestClient) -> None:
    method, path = route.split(" ", 1)
    response = client.request(method, re.sub(r"\{[^}]*\}|<[^>]*>", "x", path))
    told = response.json()
    assert (response.status_code, told["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
    assert reason in told["message"]


def test_the_ledger_has_every_route_that_is_answered() -> None:
    answered = {(row.method, row.path) for row in MLFLOW_ROUTES if row.handle is not refuse}
    shared = {("POST", "/v1/traces"), ("GET", "/health")}
    told = {(line["method"], line["path"].replace("<path:artifact_path>", "{path:path}")) for line in YES}
    assert told == answered | shared
    assert shared <= {(row.method, row.path) for row in ALL_ROUTES}


BODIES: list[dict[str, Any]] = [
    {"json": {}},
    {"json": {"trace": 5, "assessment": [], "locations": "x", "experiment_ids": 3, "tags": {"a": 1}, "metrics": [1]}},
    {"content": b"[1]", "headers": {"Content-Type": "application/json"}},
    {"content": b"{", "headers": {"Content-Type": "application/json"}},
    {"content": b'{"a":' * 2_000, "headers": {"Content-Type": "application/json"}},
    {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
]
ROWS = [row for row in MLFLOW_ROUTES if isinstance(row, Endpoint)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
@pytest.mark.parametrize("body", BODIES, ids=["empty", "odd", "list", "cut off", "deep", "no JSON"])
def test_whatever_is_sent_is_answered_in_mlflows_form_and_is_no_fault_of_ours(
    row: Endpoint, body: dict[str, Any], client: TestClient
) -> None:
    response = client.request(row.method, re.sub(r"\{\w+(:\w+)?\}", "nowhere", row.path), **body)
    assert response.status_code in (200, 400, 404), response.text
    if response.status_code != 200:
        told = response.json()
        assert told.keys() == {"error_code", "message"}
        assert not re.search(r"\b(SELECT|sqlite|Traceback|NoneType|dict|str object)\b", told["message"]), told
