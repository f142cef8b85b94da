"""The frames of our SDK: what a batch holds is applied with the position of its segment, once, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.server.test_routes import problem_of
from tests.traces import part, span
from tracehound.model.edit import Edit
from tracehound.model.record import replace, unpacker
from tracehound.model.trace import Origin, TracePart
from tracehound.query.search import parse_search
from tracehound.store.remote import forms
from tracehound.wire.compression import compress
from tracehound.wire.frames import to_frame

BATCH = {"tracehound-spool": "s-1", "tracehound-segment": "a.seg", "tracehound-start": "0", "tracehound-end": "9"}
FRAME = to_frame(part(span(1)))
read_position = unpacker(forms.PositionForm)


def send(client: TestClient, body: bytes, **headers: str) -> Any:
    return client.post("/api/v1/frames", content=body, headers={**BATCH, **headers})


def ids(client: TestClient) -> list[str]:
    store = client.app.state.served.store  # type: ignore[attr-defined] # a Starlette
    return [info.trace_id for info in store.search(parse_search(["0"])).traces]


def test_a_batch_is_applied_once_and_its_position_told(client: TestClient) -> None:
    first, again = (read_position(send(client, FRAME).content) for _ in range(2))
    assert (first.is_applied, first.position) == (True, 9)
    assert (again.is_applied, again.position, again.incarnation) == (False, 9, first.incarnation)
    other = read_position(send(client, to_frame(part(span(1, trace=2))), **{"tracehound-spool": "s-2"}).content)
    assert (other.is_applied, other.position) == (True, 9)
    assert len(ids(client)) == 2


def test_parts_behind_an_origin_are_made_into_what_is_stored_of_them(client: TestClient) -> None:
    foreign = replace(span(1), span_type=None, attributes_json={"openinference.span.kind": '"LLM"'})
    body = to_frame(Origin({"mlflow.source.name": "app.py"})) + to_frame(part(foreign))
    assert send(client, compress(body), **{"Content-Encoding": "zstd"}).status_code == 200
    store = client.app.state.served.store  # type: ignore[attr-defined] # a Starlette
    [trace] = store.read_traces(ids(client)).values()
    assert trace.info.trace_metadata["mlflow.source.name"] == "app.py"
    assert trace.data.spans[0].span_type == "LLM"


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (FRAME[:-1], 400, "cut off"),
        (FRAME[:-1] + b"?" + FRAME, 422, "cannot be read"),
        (b"nonsense", 422, "cannot be read"),
        (to_frame(TracePart("tr-empty", "Default", 1, [])), 422, "cannot hold"),
        (FRAME * 10_000, 413, "bytes"),
    ],
    ids=["cut off", "damaged", "no frame", "a part without spans", "too large"],
)
def test_of_a_batch_that_cannot_be_applied_as_a_whole_nothing_is(
    client: TestClient, body: bytes, status: int, told: str
) -> None:
    assert told in problem_of(send(client, body), status)["detail"]
    assert ids(client) == []
    assert read_position(send(client, b"").content).is_applied


@pytest.mark.parametrize(
    "headers",
    [
        {"tracehound-spool": ""}, {"tracehound-spool": "a/b"}, {"tracehound-segment": ""}, {"tracehound-start": "x"},
        {"tracehound-end": "-1"}, {"tracehound-start": "10"}, {"tracehound-end": "9" * 30},
        {"tracehound-segment": "x" * 300},
    ],
)  # fmt: skip
def test_a_batch_names_where_it_comes_from(client: TestClient, headers: dict[str, str]) -> None:
    assert problem_of(send(client, FRAME, **headers), 400)["code"] == "INVALID_REQUEST"
    assert ids(client) == []


def test_without_a_segment_frames_are_applied_each_time(client: TestClient) -> None:
    edit = to_frame(Edit(span(1).trace_id, "k", "v", 1))
    for body in (edit, FRAME, edit):
        found = client.post("/api/v1/frames", content=body, headers={"tracehound-spool": "s-1"})
        assert read_position(found.content).is_applied
    assert ids(client) == [span(1).trace_id]


def test_who_asks_for_what_no_form_says_is_told_which_one_is_meant(client: TestClient) -> None:
    told = problem_of(client.post("/api/v1/store/search", content=b"\x91\x01"), 400)["detail"]
    assert told == "the body is not what search is asked with, as application/vnd.msgpack"
