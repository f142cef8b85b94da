"""Every row of the route table answers, and says what is wrong with what it is sent."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import tracehound
from tracehound.server.app import create_app
from tracehound.server.problems import MEDIA_TYPE, PROBLEMS
from tracehound.server.routes import ROUTES
from tracehound.server.rows import Call, Endpoint, Nothing, Right, Row
from tracehound.server.served import Served

CALLS = [row for row in ROUTES if isinstance(row, Call)]
WITH_BODY = [row for row in CALLS if row.has_body]


def name_of(row: Row) -> str:
    return f"{row.method} {row.path}"


def address_of(row: Row) -> str:
    """Return an address of the row, with names of things that are not there."""
    return re.sub(r"\{\w+(:\w+)?\}", "nowhere", row.path)


def problem_of(response: Any, status: int) -> dict[str, Any]:
    assert (response.status_code, response.headers["content-type"]) == (status, MEDIA_TYPE), response.text
    told: dict[str, Any] = response.json()
    assert told["status"] == status
    assert not re.search(r"\b(SELECT|sqlite|Traceback|NoneType|dict|str object)\b", told["detail"]), told
    return told


@pytest.mark.parametrize("row", [row for row in ROUTES if not row.path.endswith("/events")], ids=name_of)
def test_each_route_answers_something_that_is_no_fault_of_the_server(row: Row, client: TestClient) -> None:
    body: dict[str, Any] = {"json": {}} if row.method in ("POST", "PUT", "PATCH") else {}
    response = client.request(row.method, address_of(row), **body, follow_redirects=False)
    assert response.status_code in (200, 303, 400, 404), response.text
    if response.status_code != 200 and not (isinstance(row, Endpoint) and row.gives == ("text/html",)):
        assert problem_of(response, response.status_code)["detail"]


@pytest.mark.parametrize("row", WITH_BODY, ids=name_of)
@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (b"{", 400, "no JSON"),
        (b"[]", 400, "JSON object"),
        (b'{"nonsense": 1}', 400, "nonsense"),
        (b"[" * 100_000, 400, "nested too deep"),
        (b'{"a":' * 2_000 + b"1" + b"}" * 2_000, 400, "nested too deep"),
        (b'"\xff"', 400, "no JSON"),
        (b" " * 1_000_001, 413, "1,000,001 bytes"),
    ],
    ids=["cut off", "a list", "an unknown field", "brackets", "deep", "no UTF-8", "too large"],
)
def test_a_bad_body_is_told_as_such(row: Call, content: bytes, status: int, told: str, client: TestClient) -> None:
    response = client.request(
        row.method, address_of(row), content=content, headers={"Content-Type": "application/json"}
    )
    assert told in problem_of(response, status)["detail"]


def test_a_body_has_to_say_that_it_is_json(client: TestClient) -> None:
    response = client.post("/api/v1/traces/search", content=b"{}", headers={"Content-Type": "text/plain"})
    assert "application/json" in problem_of(response, 415)["detail"]


def test_what_is_of_the_wrong_kind_is_told_in_words(client: TestClient) -> None:
    def told(body: dict[str, Any]) -> str:
        return str(problem_of(client.post("/api/v1/traces/search", json=body), 400)["detail"])

    assert told({"limit": "3"}) == "limit: expected a whole number, got a text"
    assert told({"order_by": ["name", 3]}) == "order_by[1]: expected a text, got a whole number"
    assert told({"limit": 0}) == "limit is a number from 1 to 1000, not 0"
    assert "experiments" in told({"experiments": ["a"], "experiment_ids": ["0"]})


def test_a_filter_that_is_wrong_is_answered_with_its_place(client: TestClient) -> None:
    problem = problem_of(client.post("/api/v1/traces/search", json={"filter": "status = 'OK'"}), 400)
    assert (problem["code"], problem["detail"]) == (
        "INVALID_FILTER",
        "'status' needs a prefix: write attributes.status",
    )
    place = problem["filter"]
    assert (place["start"], place["end"], place["corrected"]) == (0, 6, "attributes.status = 'OK'")
    assert "    ^~~~~~" in place["shown"].splitlines()


def test_addresses_and_methods_that_are_not_there_are_told(client: TestClient) -> None:
    assert problem_of(client.get("/api/v1/nothing"), 404)["code"] == "NOT_FOUND"
    refused = client.put("/api/v1/traces/nowhere")
    assert problem_of(refused, 405)["code"] == "METHOD_NOT_ALLOWED"
    assert refused.headers["allow"] == "DELETE, GET, HEAD"


def test_each_route_says_which_right_it_needs() -> None:
    open_to_all = {row.path for row in ROUTES if row.right is Right.NONE}
    assert open_to_all == {"/", "/login", "/logout", "/health", "/ready"}
    assert {row.method for row in ROUTES if row.path == "/" and row.right is Right.NONE} == {"POST"}  # of the login
    for row in ROUTES:
        is_reading = row.method == "GET" or row.path.endswith(("/search", "/stats", "/compare", "/facets", "/groups"))
        if not row.path.startswith("/api/v1/store") and row.right is not Right.NONE:  # where all is asked by POST
            assert is_reading == (row.right is Right.READ), row.path


def test_what_a_client_asks_of_its_store_needs_a_right_to_change_nothing_but_where_it_does() -> None:
    rights = {row.path.rpartition("/")[2]: row.right for row in ROUTES if row.path.startswith("/api/v1/store/")}
    assert {name for name, right in rights.items() if right is not Right.READ} == {
        "position", "segments", "forget-segment", "running-owners", "end-owner", "reclaim",
        "changes",  # all that is kept, of whatever experiment, and what was deleted
    }  # fmt: skip


def test_a_fault_of_ours_is_logged_and_not_told(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(client.app.state.served.store, "version", fail)  # type: ignore[attr-defined] # a Starlette
    problem = problem_of(client.get("/ready"), 500)
    assert problem["detail"] == "the server has a fault; its log says more"
    assert "secret" in caplog.text


def test_the_description_names_each_route_with_what_it_takes_and_gives(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    described = [row for row in ROUTES if isinstance(row, Call) or row.is_described]
    assert told == {(row.method, row.path.replace(":path", "")) for row in described}
    assert {row.path for row in ROUTES} - {row.path for row in described} == {
        "/",
        "/assets/{name}",
        "/login",
        "/logout",
    }
    search = document["paths"]["/api/v1/traces/search"]["post"]
    body = search["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["limit"] == {"type": "integer", "default": 100}
    assert search["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/SearchPage"
    }
    get = document["paths"]["/api/v1/traces/{trace_id}"]["get"]
    assert get["parameters"] == [{"name": "trace_id", "in": "path", "required": True, "schema": {"type": "string"}}]
    operations = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(operations) == len(set(operations))


def test_all_that_the_description_refers_to_is_in_it(client: TestClient) -> None:
    text = client.get("/api/v1/openapi.json").text
    schemas = client.get("/api/v1/openapi.json").json()["components"]["schemas"]
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) == set(schemas)


def test_health_is_about_the_process_and_readiness_about_the_store(client: TestClient) -> None:
    assert client.get("/health").text == "OK"
    assert client.get("/ready").json() == {"status": "ready", "version": tracehound.__version__, "waiting_bytes": 0}
    client.app.state.served.store.close()  # type: ignore[attr-defined] # a Starlette
    assert client.get("/health").text == "OK"
    assert problem_of(client.get("/ready"), 503)["code"] == "STORE_UNUSABLE"


def test_the_page_about_the_server_shows_problems_as_they_are(client: TestClient) -> None:
    page = (Path(__file__).parents[2] / "docs" / "server.md").read_text(encoding="utf-8")
    told = re.search(r'^    (\{"status": 400.*?\}\})$', page, re.DOTALL | re.MULTILINE)
    assert told is not None
    shown = json.loads(told[1])
    problem = problem_of(client.post("/api/v1/traces/search", json={"filter": shown["filter"]["text"]}), 400)
    problem["filter"]["shown"] = shown["filter"]["shown"]  # several lines
    assert problem == shown


def test_the_page_about_the_server_names_the_statuses_that_there_are() -> None:
    page = (Path(__file__).parents[2] / "docs" / "server.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([0-9, ]+) \|", page, re.MULTILINE)
    told = {int(status) for row in rows for status in row.split(", ")}
    assert told >= {each.status for each in PROBLEMS.values()} - {403, 422, 504}


def test_what_nobody_waits_for_any_more_is_cancelled(client: TestClient) -> None:
    seen: list[bool] = []

    def work(served: Served, _asked: Nothing) -> Nothing:
        while not served.time_limit.is_over():
            pass
        seen.append(True)
        return Nothing()

    async def ask_and_leave() -> None:
        left: list[dict[str, Any]] = [
            {"type": "http.disconnect"},
            {"type": "http.request", "body": b"{}", "more_body": False},
        ]

        async def receive() -> dict[str, Any]:
            return left.pop()

        async def send(_message: object) -> None: ...

        scope = {"type": "http", "method": "POST", "path": "/work", "query_string": b"", "http_version": "1.1",
                 "headers": [(b"content-type", b"application/json")]}  # fmt: skip
        served: Served = client.app.state.served  # type: ignore[attr-defined] # a Starlette
        row = Call("POST", "/work", work, Nothing, Nothing, Right.READ)
        app = create_app(served.store, served.runtime.settings, routes=[row])
        await app(scope, receive, send)

    asyncio.run(ask_and_leave())
    assert seen == [True]
