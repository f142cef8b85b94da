"""The page's files, the routes that were made for it, and the command that opens it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from starlette.testclient import TestClient

import tracehound
from tests.forked import CAN_FORK
from tests.server.process import ServerProcess
from tests.server.test_rest import ask
from tests.server.test_routes import problem_of
from tracehound.entities import SpanEvent
from tracehound.server import page


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Have a folder in the place of the one that a build fills."""
    folder = tmp_path / "static"
    monkeypatch.setattr(page, "_FOLDER", str(folder))
    page._files.cache_clear()
    yield folder
    page._files.cache_clear()


def test_without_a_built_page_the_server_says_how_to_have_it(client: TestClient, built: Path) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert "./dev page" in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "load it again" in problem_of(client.get("/assets/index.js"), 404)["detail"]


def test_the_page_is_asked_for_anew_and_its_files_are_kept_for_good(client: TestClient, built: Path) -> None:
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<!doctype html>the page")
    (built / "assets" / "index-Ab12.js").write_text("1")
    (built.parent / "secret").write_text("of this machine")
    found = client.get("/")
    assert (found.text, found.headers["cache-control"]) == ("<!doctype html>the page", "no-cache")
    policy = found.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    script = client.get("/assets/index-Ab12.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "immutable" in script.headers["cache-control"]
    for path in ("/assets/..%2f..%2fsecret", "/assets/%2e%2e/secret", "/assets//etc/passwd"):
        assert client.get(path).status_code == 404


def make_trace() -> str:
    with tracehound.start_span("plan", span_type="AGENT") as root:
        root.set_inputs({"goal": 'a "quoted" lunch'})
        with tracehound.start_span("call", span_type="CHAT_MODEL") as call:
            call.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7})
            call.set_attribute("mlflow.llm.cost", {"total_cost": 0.5})
            call.set_attribute("mlflow.llm.model", "small")
            call.add_event(SpanEvent("retry", attributes={"reason": "Überlast"}))
    return root.trace_id


def test_an_outline_has_what_a_tree_shows_and_no_values(client: TestClient) -> None:
    found = ask(client, "GET", f"/traces/{make_trace()}/outline")
    root, call = found["spans"]
    assert (root["name"], root["type"], root["start_ms"], root["parent_id"]) == ("plan", "AGENT", 0, None)
    assert (call["tokens"], call["cost"], call["model"], call["parent_id"]) == (7, 0.5, "small", root["span_id"])
    assert 0 <= call["start_ms"] + call["duration_ms"] <= root["duration_ms"] + 0.001
    assert "lunch" not in json.dumps(found["spans"])
    assert found["trace"]["state"] == "OK"


def test_one_span_is_read_with_its_values(client: TestClient) -> None:
    trace = make_trace()
    root = ask(client, "GET", f"/traces/{trace}/outline")["spans"][0]
    assert ask(client, "GET", f"/traces/{trace}/spans/{root['span_id']}")["inputs"] == {"goal": 'a "quoted" lunch'}
    assert "has no span nowhere" in problem_of(client.get(f"/api/v1/traces/{trace}/spans/nowhere"), 404)["detail"]


@pytest.mark.parametrize(
    ("text", "names"),
    [("LUNCH", ["plan"]), ('a "quoted"', ["plan"]), ("überlast", ["call"]), ("l", ["plan", "call"]), ("%", [])],
)
def test_a_text_is_found_in_the_spans_of_a_trace(client: TestClient, text: str, names: list[str]) -> None:
    trace = make_trace()
    spans = {each["span_id"]: each["name"] for each in ask(client, "GET", f"/traces/{trace}/outline")["spans"]}
    response = client.get(f"/api/v1/traces/{trace}/matches", params={"text": text})
    assert [spans[each] for each in response.json()["span_ids"]] == names


def test_fields_come_with_the_keys_and_values_that_traces_have(client: TestClient) -> None:
    trace = make_trace()
    tracehound.set_trace_tag(trace, "a key", "it's")
    tracehound.log_feedback(trace_id=trace, name="helpful", value=True)
    found: dict[str, Any] = {each["field"]: each for each in ask(client, "POST", "/fields/search", {})["fields"]}
    assert found["attributes.status"]["values"] == ["'OK'", "'ERROR'", "'IN_PROGRESS'"]
    assert found["attributes.execution_time_ms"]["kind"] == "number"
    assert found["tags.`a key`"]["values"] == ["'it''s'"]
    assert found["feedback.helpful"]["values"] == ["TRUE"]
    assert found["span.type"]["values"] == ["'AGENT'", "'CHAT_MODEL'"]
    for name, field in found.items():  # each of them can be asked for as it stands there
        if field["values"]:
            asked = {"filter": f"{name} = {field['values'][0]}"}
            assert client.post("/api/v1/traces/search", json=asked).status_code == 200, asked


def test_a_range_of_time_narrows_a_search_its_pages_and_its_statistics(client: TestClient) -> None:
    tracehound.start_span_no_context("early", start_time_ns=1_000_000 * 10**6).end(end_time_ns=1_000_001 * 10**6)
    for _ in range(3):
        make_trace()
    early = ask(client, "POST", "/traces/search", {"until_ms": 1_000_001})
    assert [each["trace"]["name"] for each in early["traces"]] == ["early"]
    late: dict[str, Any] = {"since_ms": 1_000_001, "filter": "attributes.name = 'plan' OR attributes.name = 'early'"}
    page = ask(client, "POST", "/traces/search", {**late, "limit": 2})
    rest = ask(client, "POST", "/traces/search", {**late, "limit": 2, "cursor": page["next_cursor"]})
    assert [each["trace"]["name"] for each in page["traces"] + rest["traces"]] == ["plan"] * 3
    counted = ask(client, "POST", "/traces/stats", {**late, "group_by": ["name"], "metrics": ["count"], "limit": 1})
    assert counted["rows"] == [["plan", 3]]


@pytest.mark.skipif(not CAN_FORK, reason="the browser is a script of a shell")
def test_ui_serves_the_store_and_opens_the_browser_on_it(
    store_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "opened"
    os.mkfifo(pipe)
    browser = tmp_path / "browser"
    browser.write_text(f"#!{sys.executable}\nimport sys\nopen({str(pipe)!r}, 'w').write(sys.argv[1])\n")
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    running = ServerProcess(store_path, "--experiment", "a shop", command="ui")
    try:
        opened = pipe.read_text()
        assert opened == running.url
        with urlopen(opened) as response:
            assert "Tracehound" in response.read().decode()
    finally:
        running.kill()
