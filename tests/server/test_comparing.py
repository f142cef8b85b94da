"""Comparison, saved searches and exports over HTTP."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

import tracehound
from tests.server.test_rest import ask, make_traces
from tests.server.test_routes import problem_of
from tests.traces import part, span
from tracehound.client.formats import encode_traces
from tracehound.client.named_columns import parse_columns
from tracehound.entities import Trace
from tracehound.model.record import replace, to_json_text
from tracehound.runtime import current


def test_two_values_are_compared_as_the_sdk_does(client: TestClient) -> None:
    make_traces(30)
    told = ask(client, "POST", "/traces/compare", {"by": "tags.parity", "baseline": "even", "candidate": "odd"})
    found = tracehound.compare_traces("tags.parity", "even", "odd")
    assert (told["baseline"]["count"], told["candidate"]["count"]) == (15, 15)
    for measure, shown in zip(found.measures, told["measures"], strict=True):
        assert (shown["name"], shown["difference"], shown["note"]) == (measure.name, measure.difference, measure.note)
        assert (shown["interval"] is None) == (measure.interval is None)
    assert told["baseline"]["filter"] == "tags.parity = 'even'"
    assert told["measures"][0]["interval"]["low"] < 0 < told["measures"][0]["interval"]["high"]


def test_the_traces_that_lack_the_key_are_null(client: TestClient) -> None:
    make_traces(2)
    with tracehound.start_span("bare"):
        pass
    told = ask(client, "POST", "/traces/compare", {"by": "tags.parity", "baseline": None, "candidate": "odd"})
    assert (told["baseline"]["count"], told["candidate"]["count"]) == (1, 1)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"by": "tags.a", "baseline": "1"}, "candidate"),
        ({"by": "tags.a", "baseline": "1", "candidate": "1"}, "compare two different ones"),
        ({"by": "nonsense", "baseline": "1", "candidate": "2"}, "needs a prefix"),
        ({"by": "tags.a", "baseline": "1", "candidate": "2", "level": 2.0}, "level is a number"),
        ({"by": "tags.a", "baseline": ["1"], "candidate": "2"}, "baseline"),
    ],
)
def test_a_comparison_that_cannot_be_made_is_told_why(
    client: TestClient, asked: dict[str, object], message: str
) -> None:
    assert message in problem_of(client.post("/api/v1/traces/compare", json=asked), 400)["detail"]


def test_searches_are_saved_listed_and_forgotten(client: TestClient) -> None:
    name = "slow/ü & 'more'"
    path = "/saved-searches/slow%2F%C3%BC%20%26%20'more'"
    kept = ask(
        client, "PUT", path, {"filter": "attributes.latency > 5", "order_by": ["latency DESC"], "since": "48 hours"}
    )
    assert (kept["name"], kept["since"], kept["experiments"]) == (name, "2d", [])
    assert ask(client, "GET", "/saved-searches") == {"searches": [kept]}
    assert [each.name for each in tracehound.saved_searches()] == [name]
    changed = ask(client, "PUT", path, {"filter": "attributes.latency > 6"})
    assert (changed["order_by"], changed["since"]) == ([], None)
    ask(client, "DELETE", path)
    assert ask(client, "GET", "/saved-searches") == {"searches": []}
    assert "there is no saved search" in problem_of(client.delete(f"/api/v1{path}"), 404)["detail"]


def test_a_search_that_is_none_is_not_saved(client: TestClient) -> None:
    problem = problem_of(client.put("/api/v1/saved-searches/a", json={"filter": "status = 'OK'"}), 400)
    assert problem["filter"]["corrected"] == "attributes.status = 'OK'"
    assert "24h" in problem_of(client.put("/api/v1/saved-searches/a", json={"since": "soon"}), 400)["detail"]
    assert ask(client, "GET", "/saved-searches") == {"searches": []}


def test_what_a_filter_matches_comes_as_a_file_in_each_format(client: TestClient) -> None:
    made = make_traces(450)  # more than two pages
    wanted = made[1::2]
    query = {"filter": "tags.parity = 'odd'", "order_by": "name ASC", "fields": "trace_id,tags,request,latency"}
    answers = {form: client.get("/api/v1/traces/export", params={**query, "format": form}) for form in FORMATS}
    for form, answer in answers.items():
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-disposition"] == f'attachment; filename="traces.{form}"'
    lines = [json.loads(line) for line in answers["jsonl"].text.splitlines()]
    assert sorted(each["trace_id"] for each in lines) == sorted(wanted)
    assert lines[0]["tags"]["parity"] == "odd"
    assert lines[0]["request"]["number"] % 2 == 1
    assert answers["json"].json() == lines
    rows = list(csv.DictReader(io.StringIO(answers["csv"].text)))
    assert [each["trace_id"] for each in rows] == [each["trace_id"] for each in lines]
    table = pq.read_table(io.BytesIO(answers["parquet"].content))
    assert table["trace_id"].to_pylist() == [each["trace_id"] for each in lines]
    assert table["latency"].to_pylist() == [each["latency"] for each in lines]


FORMATS = ("jsonl", "json", "csv", "parquet")


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_without_traces_is_one_too(client: TestClient, form: str) -> None:
    answer = client.get("/api/v1/traces/export", params={"format": form})
    assert answer.status_code == 200
    assert answer.text in {"jsonl": ("",), "json": ("[]\n",)}.get(form, (answer.text,))
    if form == "parquet":
        assert pq.read_table(io.BytesIO(answer.content)).num_rows == 0


def test_an_export_is_of_experiments_and_times_as_a_search_is(client: TestClient) -> None:
    shop, kitchen = make_traces(2, "shop"), make_traces(2, "kitchen")
    make_traces(1, "cellar")
    query = "experiments=shop&experiments=kitchen&fields=trace_id,experiment"
    lines = [json.loads(line) for line in client.get(f"/api/v1/traces/export?{query}").text.splitlines()]
    assert {each["trace_id"] for each in lines} == {*shop, *kitchen}
    assert {each["experiment"] for each in lines} == {"shop", "kitchen"}
    assert client.get("/api/v1/traces/export", params={"until_ms": "1"}).text == ""


def test_an_export_that_cannot_be_made_is_told_before_it_begins(client: TestClient) -> None:
    problem = problem_of(client.get("/api/v1/traces/export", params={"filter": "status = 'OK'"}), 400)
    assert problem["filter"]["corrected"] == "attributes.status = 'OK'"
    assert "format is one of" in problem_of(client.get("/api/v1/traces/export?format=xml"), 400)["detail"]
    assert "nonsense" in problem_of(client.get("/api/v1/traces/export?nonsense=1"), 400)["detail"]
    assert "no field" in problem_of(client.get("/api/v1/traces/export?fields=nme"), 400)["detail"]


def test_without_pyarrow_the_formats_say_how_to_have_parquet(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = {each["name"]: each["install"] for each in ask(client, "GET", "/export-formats")["formats"]}
    assert needed == dict.fromkeys(FORMATS)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    needed = {each["name"]: each["install"] for each in ask(client, "GET", "/export-formats")["formats"]}
    assert needed == {**dict.fromkeys(FORMATS), "parquet": "pip install 'tracehound[arrow]'"}
    problem = problem_of(client.get("/api/v1/traces/export?format=parquet"), 400)
    assert "pip install 'tracehound[arrow]'" in problem["detail"]


@pytest.mark.parametrize("form", FORMATS)
def test_no_more_is_read_than_is_asked_for(form: str, store_path: Path) -> None:
    long = to_json_text("what is asked again and again " * 500)
    current().drained_store().write([part(replace(span(1, number), inputs_json=long)) for number in range(1, 301)])
    read: list[int] = []

    def traces() -> Iterator[Trace]:
        for trace in tracehound.search_traces(return_type="iterator"):
            read.append(1)
            yield trace

    pieces = encode_traces(form, traces(), parse_columns("trace_id,spans", {}))
    seen = [(len(read), len(piece)) for piece in pieces]
    assert len(read) == 300
    assert max(now - before for (before, _), (now, _) in pairwise(seen)) <= 100
    assert max(length for _, length in seen) < 2_000_000
