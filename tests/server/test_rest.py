"""Our REST: what the SDK does, asked over HTTP."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient

import tracehound
from tests.server.test_routes import problem_of
from tracehound.entities import Feedback


def ask(client: TestClient, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    response = client.request(method, f"/api/v1{path}", **({} if body is None else {"json": body}))  # type: ignore[arg-type]
    assert response.status_code == 200, response.text
    return response.json()


def make_traces(count: int, experiment: str | None = None) -> list[str]:
    if experiment is not None:
        tracehound.set_experiment(experiment)
    made: list[str] = []
    for number in range(count):
        with tracehound.start_span(f"step {number}") as span:
            span.set_inputs({"number": number})
            tracehound.update_current_trace(tags={"parity": "odd" if number % 2 else "even"})
        made.append(span.trace_id)
    return made


def ids_in(page: dict[str, Any]) -> list[str]:
    return [each["trace"]["trace_id"] for each in page["traces"]]


def test_a_search_gives_pages_that_neither_repeat_nor_skip(client: TestClient) -> None:
    made = [*make_traces(5, "shop"), *make_traces(5, "kitchen")]
    asked = {"filter": "tags.parity = 'even'", "order_by": ["name ASC"], "limit": 2}
    found: list[str] = []
    cursor: str | None = None
    while cursor is not None or not found:
        page = ask(client, "POST", "/traces/search", {**asked, "cursor": cursor})
        found += ids_in(page)
        cursor = page["next_cursor"]
        make_traces(1, f"made meanwhile {len(found)}")
        tracehound.set_experiment("shop")
    assert sorted(each for each in found if each in made) == sorted([*made[0:5:2], *made[5:10:2]])
    assert len(set(found)) == len(found)


def test_experiments_are_named_or_given_by_id_and_all_are_searched_without(client: TestClient) -> None:
    first, second = make_traces(1, "shop"), make_traces(1, "kitchen")
    number = tracehound.get_experiment_by_name("kitchen").experiment_id  # type: ignore[union-attr] # it was made
    assert ids_in(ask(client, "POST", "/traces/search", {"experiments": ["shop"]})) == first
    assert ids_in(ask(client, "POST", "/traces/search", {"experiment_ids": [number]})) == second
    assert sorted(ids_in(ask(client, "POST", "/traces/search", {}))) == sorted(first + second)
    assert problem_of(client.post("/api/v1/traces/search", json={"experiments": ["nowhere"]}), 404)


def test_a_trace_is_read_with_its_spans_and_their_values(client: TestClient) -> None:
    with tracehound.start_span("outer", span_type="CHAIN") as outer:
        outer.set_inputs({"big": 2**60, "text": "ü", "empty": []})
        with tracehound.start_span("inner") as inner:
            inner.set_attributes({"model": "m-1"})
            inner.set_status("ERROR")
    whole = ask(client, "GET", f"/traces/{outer.trace_id}")
    first, second = whole["spans"]
    assert (whole["trace"]["name"], whole["trace"]["state"], whole["trace"]["duration_ms"] >= 0) == (
        "outer",
        "OK",
        True,
    )
    assert (first["name"], first["type"], first["parent_id"]) == ("outer", "CHAIN", None)
    assert first["inputs"] == {"big": 2**60, "text": "ü", "empty": []}
    assert first["start_time_ns"] == str(outer.start_time_ns)
    assert (second["parent_id"], second["status"], second["attributes"]) == (outer.span_id, "ERROR", {"model": "m-1"})
    assert ask(client, "GET", f"/traces/{outer.trace_id}/spans") == {"spans": [first, second]}
    [found] = ask(client, "POST", "/traces/search", {"include_spans": True})["traces"]
    assert found == whole
    problem = problem_of(client.get("/api/v1/traces/tr-0"), 404)
    assert problem["detail"] == "there is no trace tr-0"


def test_statistics_come_in_groups_and_periods(client: TestClient) -> None:
    make_traces(3)
    asked = {"group_by": ["tags.parity"], "metrics": ["count", "errors", "cost"]}
    found = ask(client, "POST", "/traces/stats", asked)
    assert found["rows"] == [["even", 2, 0, None], ["odd", 1, 0, None]]
    assert (found["groups"], found["metrics"]) == (["tags.parity"], ["count", "errors", "cost"])
    assert found["total"] is None
    of_all = {"metrics": ["count", "p50", "users"], "limit": 1, "total": True}
    parts = ask(client, "POST", "/traces/stats", {"group_by": ["tags.parity"], **of_all})
    whole = ask(client, "POST", "/traces/stats", of_all)
    assert len(parts["rows"]) == 1
    assert parts["total"] == [*whole["rows"][0][:2], None]  # how many users two groups have together is not known
    assert whole["total"] == whole["rows"][0]
    by_day = ask(client, "POST", "/traces/stats", {"interval": "1d", "metrics": ["count"]})
    assert by_day["groups"] == ["time"]
    assert sum(count for _, count in by_day["rows"]) == 3
    problem = problem_of(client.post("/api/v1/traces/stats", json={"metrics": ["p200"]}), 400)
    assert problem["code"] == "INVALID_ARGUMENT"


def test_tags_are_set_and_removed(client: TestClient) -> None:
    [made] = make_traces(1)
    ask(client, "PUT", f"/traces/{made}/tags/reviewed/by", {"value": "Tom"})
    assert len(tracehound.search_traces("tags.`reviewed/by` = 'Tom'")) == 1
    ask(client, "DELETE", f"/traces/{made}/tags/reviewed/by")
    assert len(tracehound.search_traces("tags.`reviewed/by` IS NULL")) == 1
    assert problem_of(client.delete(f"/api/v1/traces/{made}/tags/nothing"), 404)
    assert problem_of(client.put(f"/api/v1/traces/{made}/tags/mlflow.user", json={"value": "x"}), 400)
    assert problem_of(client.put(f"/api/v1/traces/{made}/tags/a", json={"value": 3}), 400)
    assert problem_of(client.put("/api/v1/traces/tr-0/tags/a", json={"value": "x"}), 404)


def test_assessments_are_made_changed_overridden_and_deleted(client: TestClient) -> None:
    [made] = make_traces(1)
    said = {"name": "correct", "value": {"score": 0.5}, "rationale": "half of it",
            "source": {"source_type": "HUMAN", "source_id": "bob"}, "metadata": {"round": "1"}}  # fmt: skip
    kept = ask(client, "POST", f"/traces/{made}/assessments", said)
    assert (kept["kind"], kept["value"], kept["source"]) == ("feedback", {"score": 0.5}, said["source"])
    changed = ask(
        client, "PATCH", f"/traces/{made}/assessments/{kept['assessment_id']}", {"value": 1, "metadata": {"by": "Tom"}}
    )
    assert (changed["value"], changed["rationale"], changed["metadata"]) == (
        1,
        "half of it",
        {"round": "1", "by": "Tom"},
    )
    other = ask(
        client, "POST", f"/traces/{made}/assessments",
        {"name": "correct", "error": {"error_code": "TIMEOUT"}, "overrides": kept["assessment_id"]},
    )  # fmt: skip
    shown = ask(client, "GET", f"/traces/{made}")["trace"]["assessments"]
    assert {each["assessment_id"]: (each["valid"], each["error"]) for each in shown} == {
        kept["assessment_id"]: (False, None),
        other["assessment_id"]: (True, {"error_code": "TIMEOUT", "error_message": None, "stack_trace": None}),
    }
    ask(client, "DELETE", f"/traces/{made}/assessments/{other['assessment_id']}")
    [left] = tracehound.get_trace(made).info.assessments  # type: ignore[union-attr] # it is there
    assert isinstance(left, Feedback)
    assert (left.value, left.valid) == (1, True)
    expected = ask(
        client, "POST", f"/traces/{made}/assessments", {"kind": "expectation", "name": "answer", "value": [1, "a"]}
    )
    assert (expected["kind"], expected["value"]) == ("expectation", [1, "a"])
    for wrong in ({"name": ""}, {"name": "a", "kind": "issue"}, {"name": "a", "kind": "expectation"}):
        assert problem_of(client.post(f"/api/v1/traces/{made}/assessments", json=wrong), 400)
    assert problem_of(client.post(f"/api/v1/traces/{made}/assessments", json={"name": "a", "span_id": "0"}), 404)


def test_traces_are_deleted_and_stay_so(client: TestClient) -> None:
    made = make_traces(4)
    assert ask(client, "DELETE", f"/traces/{made[0]}") == {"deleted": 1}
    assert ask(client, "POST", "/traces/delete", {"experiment_id": "0", "trace_ids": made[:2]}) == {"deleted": 1}
    asked = {"experiment_id": "0", "max_timestamp_ms": 2**50, "max_traces": 1}
    assert ask(client, "POST", "/traces/delete", asked) == {"deleted": 1}
    [left] = ids_in(ask(client, "POST", "/traces/search", {}))
    assert left in made[2:]
    assert problem_of(client.delete(f"/api/v1/traces/{made[0]}"), 404)
    assert problem_of(client.post("/api/v1/traces/delete", json={"experiment_id": "0"}), 400)


def test_experiments_are_made_tagged_and_found(client: TestClient) -> None:
    made = ask(client, "POST", "/experiments", {"name": "shop", "tags": {"team": "a"}})
    assert made == ask(client, "GET", f"/experiments/{made['experiment_id']}")
    tagged = ask(client, "PATCH", f"/experiments/{made['experiment_id']}", {"tags": {"year": "2026"}})
    assert tagged["tags"] == {"team": "a", "year": "2026"}
    found = ask(client, "POST", "/experiments/search", {"filter": "tags.team = 'a'"})
    assert [each["name"] for each in found["experiments"]] == ["shop"]
    assert problem_of(client.post("/api/v1/experiments", json={"name": "shop"}), 409)["code"] == "ALREADY_EXISTS"
    assert problem_of(client.get("/api/v1/experiments/7"), 404)


def test_runs_are_made_described_ended_and_found(client: TestClient) -> None:
    made = ask(client, "POST", "/runs", {"name": "nightly", "tags": {"env": "ci"}})
    path = f"/runs/{made['run_id']}"
    said = {"params": {"k": "3"}, "metrics": {"accuracy": 0.9}, "tags": {"host": "a"}, "status": "FINISHED"}
    ended = ask(client, "PATCH", path, said)
    assert (ended["status"], ended["params"], ended["metrics"]) == ("FINISHED", {"k": "3"}, {"accuracy": 0.9})
    assert ended["end_time_ms"] >= made["start_time_ms"]
    assert ask(client, "PATCH", path, {"status": "RUNNING"})["end_time_ms"] is None
    found = ask(client, "POST", "/runs/search", {"filter": "metrics.accuracy > 0.5"})
    assert [each["name"] for each in found["runs"]] == ["nightly"]
    assert made["tags"] == {"env": "ci", "mlflow.runName": "nightly"}  # nothing of the server itself
    assert problem_of(client.patch(f"/api/v1{path}", json={"params": {"k": "4"}}), 400)
    assert problem_of(client.patch(f"/api/v1{path}", json={"status": "DONE"}), 400)
    assert problem_of(client.patch("/api/v1/runs/none", json={"status": "FINISHED"}), 404)


def test_models_are_made_and_found(client: TestClient) -> None:
    made = ask(client, "POST", "/models", {"name": "agent-v2", "params": {"temperature": "0.2"}})
    assert made == ask(client, "GET", f"/models/{made['model_id']}")
    found = ask(client, "POST", "/models/search", {"filter": "params.temperature = '0.2'"})
    assert [each["name"] for each in found["models"]] == ["agent-v2"]
    assert problem_of(client.post("/api/v1/models", json={"source_run_id": "none"}), 404)


def test_an_edit_is_in_the_store_when_it_is_answered_for(client: TestClient) -> None:
    [made] = make_traces(1)
    tracehound.flush()
    ask(client, "PUT", f"/traces/{made}/tags/a", {"value": "b"})
    store = client.app.state.served.store  # type: ignore[attr-defined] # a Starlette
    assert store.read_traces([made])[made].info.tags["a"] == "b"


def test_a_search_that_takes_too_long_is_ended(client: TestClient) -> None:
    make_traces(1)
    problem = problem_of(
        client.post("/api/v1/traces/search", json={"filter": "trace.text LIKE '%a%'", "timeout_s": 1e-9}), 504
    )
    assert problem["code"] == "SEARCH_TIMEOUT"
    assert problem_of(client.post("/api/v1/traces/search", json={"timeout_s": -1}), 400)
