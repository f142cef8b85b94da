"""What MLflow's client 3.18 was seen to send, in its order and with its bodies, and what it has to be answered."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

import tracehound
from tests.server.mlflow import HEADERS, METADATA, START_MS, TRACE_ID, make_experiment, search, send, send_spans, told
from tracehound.server.limits import ServerLimits


@pytest.fixture
def limits() -> ServerLimits:
    return ServerLimits(look_every_s=0.01, wait_for_spans_s=0.0)


def test_set_experiment_finds_or_makes_it(client: TestClient) -> None:
    by_name = "/api/2.0/mlflow/experiments/get-by-name"
    missing = send(client, "GET", by_name, 404, params={"experiment_name": "exp-a"})
    assert missing["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    made = make_experiment(client)
    got = send(client, "GET", "/api/2.0/mlflow/experiments/get", params={"experiment_id": made})
    assert (got["experiment"]["name"], got["experiment"]["lifecycle_stage"]) == ("exp-a", "active")
    assert send(client, "GET", by_name, params={"experiment_name": "exp-a"}) == got
    again = send(client, "POST", "/api/2.0/mlflow/experiments/create", 400, json={"name": "exp-a"})
    assert again["error_code"] == "RESOURCE_ALREADY_EXISTS"


VALUE: dict[str, Any] = {
    "none": None,
    "list": [1, 2.5, True],
    "empty": {},
    "nothing": [],
    "ключ": "日本語",
    "5": 2**53 + 1,
}


@pytest.mark.parametrize("order", list(itertools.permutations(["told", "spans"])), ids="-".join)
def test_a_traced_function_is_one_trace_whichever_request_comes_first(
    order: tuple[str, ...], client: TestClient
) -> None:
    experiment = make_experiment(client)
    assert client.get("/version", headers=HEADERS).text == "3.18.0"
    for each in order:
        if each == "spans":
            send_spans(client, experiment, VALUE)
        else:
            answer = send(client, "POST", "/api/3.0/mlflow/traces", json=told(experiment))["trace"]["trace_info"]
            assert answer["tags"]["mlflow.trace.spansLocation"] == "TRACKING_STORE"  # or the client uploads a file, too
    path = f"/api/3.0/mlflow/traces/{TRACE_ID}"
    info = send(client, "GET", path, params={"trace_id": TRACE_ID})["trace"]["trace_info"]
    sent = told(experiment)["trace"]["trace_info"]
    for key in ("client_request_id", "trace_location", "request_time", "execution_duration", "state"):
        assert info[key] == sent[key]
    assert info["trace_metadata"].items() >= METADATA.items()
    assert info["tags"].items() >= sent["tags"].items()
    whole = send(client, "GET", "/api/3.0/mlflow/traces/get", params={"trace_id": TRACE_ID, "allow_partial": "False"})
    assert whole["trace"]["trace_info"] == info
    assert [each["name"] for each in whole["trace"]["spans"]] == ["outer", "inner"]
    found = tracehound.get_trace(TRACE_ID)
    assert found is not None
    assert [each.outputs for each in found.data.spans] == [VALUE, VALUE]
    assert (found.info.name, found.info.tags["person"]) == ("outer", "Tom")


def test_a_trace_is_found_and_spoken_of_before_its_spans_are_there(client: TestClient) -> None:
    experiment = make_experiment(client)
    send(client, "POST", "/api/3.0/mlflow/traces", json=told(experiment))
    page = search(client, experiment, filter="name = 'outer' AND tags.person = 'Tom'")
    assert [each["trace_id"] for each in page["traces"]] == [TRACE_ID]
    said = {
        "assessment_name": "good",
        "source": {"source_type": "CODE"},
        "feedback": {"value": True},
        "span_id": "0" * 15 + "2",
    }
    send(client, "POST", f"/api/3.0/mlflow/traces/{TRACE_ID}/assessments", json={"assessment": said})
    get, asked = "/api/3.0/mlflow/traces/get", {"trace_id": TRACE_ID}
    refused = send(client, "GET", get, 404, params={**asked, "allow_partial": "False"})
    assert (refused["error_code"], refused["message"].split()[0]) == ("RESOURCE_DOES_NOT_EXIST", "2")
    partial = send(client, "GET", get, params={**asked, "allow_partial": "True"})
    assert partial["trace"]["spans"] == []
    send_spans(client, experiment)
    whole = send(client, "GET", get, params={**asked, "allow_partial": "False"})
    assert len(whole["trace"]["spans"]) == 2
    assert whole["trace"]["trace_info"]["assessments"][0]["span_id"] == said["span_id"]


class TestPatience:
    """A server that waits for spans as long as it takes."""

    @pytest.fixture
    def limits(self) -> ServerLimits:
        return ServerLimits(wait_for_spans_s=60.0)

    def test_who_reads_a_trace_is_given_the_spans_that_come_meanwhile(self, client: TestClient) -> None:
        experiment = make_experiment(client)
        send(client, "POST", "/api/3.0/mlflow/traces", json=told(experiment))
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(send, client, "GET", f"/api/3.0/mlflow/traces/get?trace_id={TRACE_ID}")
            send_spans(client, experiment)
            assert len(reading.result()["trace"]["spans"]) == 2


def test_a_trace_inside_of_a_run(client: TestClient) -> None:
    experiment = make_experiment(client)
    tags = [{"key": "mlflow.user", "value": "root"}, {"key": "mlflow.source.name", "value": "scen.py"}]
    body = {"experiment_id": experiment, "user_id": "root", "start_time": START_MS, "tags": tags}
    run = send(client, "POST", "/api/2.0/mlflow/runs/create", json=body)["run"]["info"]
    assert (run["status"], run["user_id"], run["run_id"]) == ("RUNNING", "root", run["run_uuid"])
    run_id = run["run_id"]
    asked = {"run_uuid": run_id, "run_id": run_id}
    assert send(client, "GET", "/api/2.0/mlflow/runs/get", params=asked)["run"]["info"] == run
    ended = send(
        client, "POST", "/api/2.0/mlflow/runs/update",
        json={"run_id": run_id, "run_uuid": run_id, "status": "FINISHED", "end_time": START_MS + 5},
    )  # fmt: skip
    assert (ended["run_info"]["status"], ended["run_info"]["end_time"]) == ("FINISHED", START_MS + 5)
    send_spans(client, experiment)
    inside = told(experiment)
    inside["trace"]["trace_info"]["trace_metadata"] = {**METADATA, "mlflow.sourceRun": run_id}
    send(client, "POST", "/api/3.0/mlflow/traces", json=inside)
    page = search(client, experiment, filter=f"attribute.run_id = '{run_id}'")
    assert [each["trace_id"] for each in page["traces"]] == [TRACE_ID]
    body = {"trace_ids": [TRACE_ID], "run_id": run_id}
    assert send(client, "POST", "/api/2.0/mlflow/traces/link-to-run", json=body) == {}


@pytest.fixture
def kept(client: TestClient) -> str:
    """Keep the trace; return its experiment."""
    experiment = make_experiment(client)
    send_spans(client, experiment)
    send(client, "POST", "/api/3.0/mlflow/traces", json=told(experiment))
    return experiment


def test_feedback_expectations_and_what_becomes_of_them(client: TestClient, kept: str) -> None:
    path = f"/api/3.0/mlflow/traces/{TRACE_ID}/assessments"
    time = {"create_time": "2026-11-21T01:40:00Z", "last_update_time": "2026-11-21T01:40:00Z"}
    feedback = {
        "assessment_name": "quality", "trace_id": TRACE_ID, "source": {"source_type": "HUMAN", "source_id": "bob"},
        **time, "feedback": {"value": True}, "rationale": "good", "metadata": {"m": "1"}, "valid": True,
    }  # fmt: skip
    first = send(client, "POST", path, json={"assessment": feedback})["assessment"]
    assert first["assessment_id"].startswith("a-")
    assert {**first, **time} == {**feedback, "assessment_id": first["assessment_id"]}
    text = '{"a": [1, 2]}'
    expected = {"serialized_value": {"serialization_format": "JSON_FORMAT", "value": text}}
    expectation = {**feedback, "assessment_name": "exp", "expectation": expected}
    del expectation["feedback"]
    second = send(client, "POST", path, json={"assessment": expectation})["assessment"]
    assert second["expectation"] == expected

    asked = {"trace_id": TRACE_ID, "assessment_id": first["assessment_id"]}
    got = send(client, "GET", f"{path}/{first['assessment_id']}", params=asked)
    assert got["assessment"] == first
    over = {**feedback, "feedback": {"value": False}, "overrides": first["assessment_id"]}
    third = send(client, "POST", path, json={"assessment": over})["assessment"]
    assert send(client, "GET", f"{path}/{first['assessment_id']}")["assessment"]["valid"] is False

    second_id = second["assessment_id"]
    change = {
        "assessment": {"assessment_id": second_id, "assessment_name": "exp", "trace_id": TRACE_ID,
                       "expectation": {"value": "plain"}},
        "update_mask": "assessmentName,expectation",
    }  # fmt: skip
    changed = send(client, "PATCH", f"{path}/{second_id}", json=change)["assessment"]
    assert (changed["expectation"], changed["rationale"]) == ({"value": "plain"}, "good")
    wrong = {"assessment": {"feedback": {"value": 1}}, "update_mask": "feedback"}
    assert send(client, "PATCH", f"{path}/{second_id}", 400, json=wrong)["error_code"] == "INVALID_PARAMETER_VALUE"
    other = {"assessment": {"valid": False}, "update_mask": "valid"}
    assert "'valid'" in send(client, "PATCH", f"{path}/{second_id}", 400, json=other)["message"]

    for _ in range(2):
        body = {"trace_id": TRACE_ID, "assessment_id": third["assessment_id"]}
        assert send(client, "DELETE", f"{path}/{third['assessment_id']}", json=body) == {}
    assert send(client, "GET", f"{path}/{first['assessment_id']}")["assessment"]["valid"] is True
    nothing = {key: value for key, value in feedback.items() if key != "feedback"}
    assert send(client, "POST", path, 400, json={"assessment": nothing})["error_code"] == "INVALID_PARAMETER_VALUE"


def test_searches_and_the_reading_behind_them(client: TestClient, kept: str) -> None:
    page = search(
        client, kept, filter="attributes.status = 'OK' AND tags.person = 'Tom'", max_results=10,
        order_by=["attributes.timestamp_ms DESC"],
    )  # fmt: skip
    (info,) = page["traces"]
    assert "next_page_token" not in page
    path = "/api/3.0/mlflow/traces/batchGet"
    (trace,) = send(client, "GET", path, params={"trace_ids": [TRACE_ID, "tr-" + "0" * 32]})["traces"]
    assert trace["trace_info"] == info
    assert len(trace["spans"]) == 2
    assert send(client, "GET", path, params={"trace_ids": TRACE_ID, "experiment_ids": "0"}) == {"traces": []}
    assert "trace_ids" in send(client, "GET", path, 400)["message"]
    missing = send(client, "GET", f"/api/3.0/mlflow/traces/tr-{'0' * 32}", 404)
    assert missing["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_tags_and_deletion(client: TestClient, kept: str) -> None:
    tags = f"/api/2.0/mlflow/traces/{TRACE_ID}/tags"
    assert send(client, "PATCH", tags, json={"key": "env", "value": "prod"}) == {}
    assert len(search(client, kept, filter='tags.env = "prod"')["traces"]) == 1
    assert send(client, "DELETE", tags, json={"key": "env"}) == {}
    assert send(client, "DELETE", tags, 404, json={"key": "env"})["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    for key in ("mlflow.trace.spansLocation", "k" * 251):
        assert (
            send(client, "PATCH", tags, 400, json={"key": key, "value": "x"})["error_code"] == "INVALID_PARAMETER_VALUE"
        )
    delete = "/api/2.0/mlflow/traces/delete-traces"
    both = {"experiment_id": kept, "request_ids": [TRACE_ID], "max_timestamp_millis": 1}
    assert send(client, "POST", delete, 400, json=both)["error_code"] == "INVALID_PARAMETER_VALUE"
    assert send(client, "POST", delete, json={"experiment_id": kept, "request_ids": [TRACE_ID]}) == {
        "traces_deleted": 1
    }
    assert search(client, kept) == {"traces": []}


def test_pages_neither_repeat_nor_skip_when_traces_come_between_them(client: TestClient) -> None:
    experiment = make_experiment(client)
    ids = [f"tr-{number:032x}" for number in range(1, 26)]
    for each in ids:
        send(client, "POST", "/api/3.0/mlflow/traces", json=told(experiment, each))
    found: list[str] = []
    token = None
    while token is not None or not found:
        page = search(client, experiment, max_results=10, page_token=token)
        found += [each["trace_id"] for each in page["traces"]]
        token = page.get("next_page_token")
        newer = told(experiment, f"tr-{1000 + len(found):032x}")
        newer["trace"]["trace_info"]["request_time"] = "2026-11-22T00:00:00Z"
        send(client, "POST", "/api/3.0/mlflow/traces", json=newer)
    assert found == ids


LOCATION = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}]


@pytest.mark.parametrize(
    ("asked", "told_of"),
    [
        ({}, "locations"),
        ({"locations": LOCATION, "max_results": 501}, "max_results"),
        ({"locations": LOCATION, "max_results": 0}, "max_results"),
        ({"locations": LOCATION, "page_token": "nonsense"}, "page_token"),
        ({"locations": LOCATION, "filter": "status == 'OK'"}, "== is written = here"),
        ({"locations": LOCATION, "order_by": ["nonsense"]}, "nonsense"),
        ({"locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "abc"}}]}, "abc"),
        ({"locations": [{"type": "INFERENCE_TABLE"}]}, "experiments"),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_a_search_that_is_wrong_is_a_mistake_and_not_asked_again(
    asked: dict[str, Any], told_of: str, client: TestClient
) -> None:
    answer = send(client, "POST", "/api/3.0/mlflow/traces/search", 400, json=asked)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"
    assert told_of in answer["message"]


def test_an_experiment_that_is_not_there_has_no_traces_and_takes_none(client: TestClient) -> None:
    assert search(client, "77") == {"traces": []}
    refused = send(client, "POST", "/api/3.0/mlflow/traces", 404, json=told("77"))
    assert refused["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_a_trace_stays_in_its_experiment(client: TestClient, kept: str) -> None:
    refused = send(client, "POST", "/api/3.0/mlflow/traces", 400, json=told("0"))
    assert "another experiment" in refused["message"]


def test_a_model_is_made_described_and_named(client: TestClient) -> None:
    experiment = make_experiment(client)
    models = "/api/2.0/mlflow/logged-models"
    asked = {"experiment_ids": [experiment], "filter": "name='my-app'", "max_results": 2}
    assert send(client, "POST", f"{models}/search", json=asked) == {"models": []}
    made = send(client, "POST", models, json={"experiment_id": experiment, "name": "my-app", "tags": []})
    info = made["model"]["info"]
    model_id, place = info["model_id"], info["artifact_uri"].removeprefix("mlflow-artifacts:/")
    file = f"/api/2.0/mlflow-artifacts/artifacts/{place}/MLmodel"
    assert send(client, "PUT", file, content=b"name: my-app\n") == {}
    assert client.get(file).text == "name: my-app\n"
    ready = send(client, "PATCH", f"{models}/{model_id}", json={"model_id": model_id, "status": "LOGGED_MODEL_READY"})
    assert ready["model"]["info"]["status"] == "LOGGED_MODEL_READY"
    (found,) = send(client, "POST", f"{models}/search", json=asked)["models"]
    assert found["info"]["model_id"] == model_id


def test_spans_that_come_as_a_file_are_spans(client: TestClient) -> None:
    with tracehound.start_span("answer", span_type="LLM") as live:
        live.set_inputs({"big": 2**64})
    trace = tracehound.get_trace(live.trace_id)
    assert trace is not None
    tracehound.delete_traces("0", trace_ids=[live.trace_id])
    text = trace.to_json().replace(live.trace_id, TRACE_ID)
    (form,) = json.loads(text)["data"]["spans"]
    form["trace_id"] = "ZBkAAAAAAAAAAAAAAAAAAQ=="
    sent = {"spans": [{**form, "trace_state": "", "new": {"in": "a newer client"}}]}
    experiment = make_experiment(client)
    send(client, "POST", "/api/3.0/mlflow/traces", json=told(experiment))
    file = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/traces/{TRACE_ID}/artifacts/traces.json"
    assert send(client, "GET", file, 404)["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert send(client, "PUT", file, content=json.dumps(sent).encode()) == {}
    assert send(client, "GET", file)["spans"] == [form]
    found = tracehound.get_trace(TRACE_ID)
    assert found is not None
    assert (found.data.spans[0].inputs, found.info.name) == ({"big": 2**64}, "outer")
    stray = file.replace(TRACE_ID, "tr-" + "1" * 32)
    assert "has one of" in send(client, "PUT", stray, 400, content=json.dumps({"spans": [form]}).encode())["message"]
    assert "JSON" in send(client, "PUT", file, 400, content=b"nonsense")["message"]


def test_spans_that_come_as_a_file_are_read_in_our_words(client: TestClient) -> None:
    span: dict[str, Any] = {
        "trace_id": "ZBkAAAAAAAAAAAAAAAAAAQ==", "span_id": "AAAAAAAAAAE=", "parent_span_id": None, "name": "chat",
        "start_time_unix_nano": START_MS * 10**6, "end_time_unix_nano": START_MS * 10**6 + 1, "events": [],
        "status": {"code": "STATUS_CODE_OK", "message": ""},
        "attributes": {"mlflow.traceRequestId": f'"{TRACE_ID}"', "gen_ai.operation.name": '"chat"',
                       "gen_ai.usage.input_tokens": "3"},
    }  # fmt: skip
    file = f"/api/2.0/mlflow-artifacts/artifacts/0/traces/{TRACE_ID}/artifacts/traces.json"
    send(client, "PUT", file, content=json.dumps({"spans": [span]}).encode())
    found = tracehound.get_trace(TRACE_ID)
    assert found is not None
    assert found.data.spans[0].span_type == "CHAT_MODEL"
    assert (found.info.token_usage or {})["input_tokens"] == 3
