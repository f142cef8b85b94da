"""Spans over OTLP/HTTP: read well, answered for when they are stored, refused with the reason."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
import zstandard
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from starlette.testclient import TestClient

import tracehound
from tests.server.otlp import request_of, trace_id
from tests.server.test_routes import problem_of
from tracehound.model.limits import MAX_SPAN_ATTRIBUTES
from tracehound.model.trace import Trace, TraceState
from tracehound.server.app import create_app
from tracehound.server.limits import ServerLimits
from tracehound.settings import Settings
from tracehound.store.sqlite.store import SqliteStore

PROTOBUF = "application/x-protobuf"
JSON = "application/json"


def send(client: TestClient, content: bytes, kind: str = PROTOBUF, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/v1/traces", content=content, headers={"Content-Type": kind, **named})


def answer_to(response: Any) -> ExportTraceServiceResponse:
    assert (response.status_code, response.headers["content-type"]) == (200, PROTOBUF), response.text
    return ExportTraceServiceResponse.FromString(response.content)


def stored() -> list[Trace]:
    everywhere = [each.experiment_id for each in tracehound.search_experiments()]
    return tracehound.search_traces(everywhere, order_by=["trace_id ASC"], return_type="list")


def names_in(trace: Trace) -> list[str]:
    return sorted(span.name for span in trace.data.spans)


def to_json(request: ExportTraceServiceRequest) -> bytes:
    """Return a request in OTLP's JSON, which writes ids in hexadecimal and enums as numbers."""
    form = MessageToDict(request, use_integers_for_enums=True)
    for message, each in zip(
        [span for rs in request.resource_spans for ss in rs.scope_spans for span in ss.spans],
        [span for rs in form["resourceSpans"] for ss in rs["scopeSpans"] for span in ss["spans"]],
        strict=True,
    ):
        each["traceId"], each["spanId"] = message.trace_id.hex(), message.span_id.hex()
        each["parentSpanId"] = message.parent_span_id.hex()
    return json.dumps(form).encode()


def test_spans_are_stored_when_they_are_answered_for(client: TestClient) -> None:
    answer = answer_to(send(client, request_of((1, 1), (1, 2), (2, 1)).SerializeToString()))
    assert answer == ExportTraceServiceResponse()
    first, second = stored()
    assert (first.info.trace_id, first.info.name, first.info.state) == (trace_id(1), "step 1", TraceState.OK)
    assert (names_in(first), names_in(second)) == (["step 1", "step 2"], ["step 1"])
    assert first.info.trace_metadata["service.name"] == "shop"
    assert first.data.spans[1].attributes["number"] == 2


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
        ("zstd", zstandard.ZstdCompressor(write_content_size=False).compress),
        ("identity", bytes),
        ("gzip, zstd", lambda data: zstandard.ZstdCompressor().compress(gzip.compress(data))),
    ],
    ids=["gzip", "deflate", "zstd", "zstd in a stream", "none", "two"],
)
@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
def test_bodies_may_be_compressed(client: TestClient, kind: str, encoding: str, compress: Any) -> None:
    request = request_of(*((7, number) for number in range(1, 200)))
    content = request.SerializeToString() if kind == PROTOBUF else to_json(request)
    response = send(client, compress(content), kind, Content_Encoding=encoding)
    assert (response.status_code, response.headers["content-type"]) == (200, kind)
    assert [len(trace.data.spans) for trace in stored()] == [199]


def test_a_bare_deflate_is_read_as_well(client: TestClient) -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    content = packer.compress(request_of((7, 1)).SerializeToString()) + packer.flush()
    assert answer_to(send(client, content, Content_Encoding="deflate")) == ExportTraceServiceResponse()


@pytest.mark.parametrize(
    ("headers", "experiment"),
    [
        ({}, "Default"),
        ({"x_tracehound_experiment": "shop"}, "shop"),
        ({"x_tracehound_experiment": "caf%C3%A9%20au%20lait"}, "café au lait"),
        ({"x_mlflow_experiment_id": "0"}, "Default"),
    ],
)
def test_a_header_names_the_experiment(client: TestClient, headers: dict[str, str], experiment: str) -> None:
    send(client, request_of((1, 1)).SerializeToString(), **headers)
    assert stored()[0].info.experiment_id == tracehound.get_experiment_by_name(experiment).experiment_id  # type: ignore[union-attr]


def test_mlflow_names_an_experiment_by_its_id(client: TestClient) -> None:
    number = tracehound.create_experiment("shop")
    send(client, request_of((1, 1)).SerializeToString(), x_mlflow_experiment_id=number, x_mlflow_run_id="r-1")
    assert len(tracehound.search_traces([number], "attributes.run_id = 'r-1'", return_type="list")) == 1
    problem = problem_of(send(client, request_of((2, 1)).SerializeToString(), x_mlflow_experiment_id="12"), 404)
    assert "no experiment with the id '12'" in problem["detail"]
    assert len(stored()) == 1


def test_a_resource_names_the_experiment_before_any_header(client: TestClient) -> None:
    request = request_of((1, 1))
    attribute = request.resource_spans[0].resource.attributes.add(key="tracehound.experiment")
    attribute.value.string_value = "kitchen"
    send(client, request.SerializeToString(), x_tracehound_experiment="shop")
    assert [each.name for each in tracehound.search_experiments() if each.name != "Default"] == ["kitchen"]


def test_damaged_spans_are_counted_and_the_good_ones_kept(client: TestClient) -> None:
    request = request_of((1, 1), (1, 2), (1, 3), (2, 1))
    spans = request.resource_spans[0].scope_spans[0].spans
    spans[1].span_id = b"short"
    spans[3].trace_id = bytes(16)
    for content, kind in ((request.SerializeToString(), PROTOBUF), (to_json(request), JSON)):
        response = send(client, content, kind)
        if kind == PROTOBUF:
            partial = answer_to(response).partial_success
            told = (str(partial.rejected_spans), partial.error_message)
        else:
            told = tuple(response.json()["partialSuccess"].values())
        assert told == ("2", "a span has an id, a time, a kind or a value that is none of OTLP")
        assert [names_in(trace) for trace in stored()] == [["step 1", "step 3"]]
    metrics = client.get("/metrics").text
    assert "tracehound_spans_accepted_total 4.0" in metrics
    assert "tracehound_spans_refused_total 4.0" in metrics


@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
def test_what_is_sent_again_is_there_once(client: TestClient, kind: str) -> None:
    request = request_of((1, 1), (1, 2))
    for _ in range(3):
        send(client, request.SerializeToString() if kind == PROTOBUF else to_json(request), kind)
    assert [names_in(trace) for trace in stored()] == [["step 1", "step 2"]]


def test_a_trace_comes_in_any_order_and_runs_until_its_root_is_there(client: TestClient) -> None:
    for number in (3, 2):
        send(client, request_of((1, number)).SerializeToString())
    assert names_in(stored()[0]) == ["step 2", "step 3"]
    send(client, request_of((1, 1)).SerializeToString())
    [trace] = stored()
    assert (trace.info.name, names_in(trace)) == ("step 1", ["step 1", "step 2", "step 3"])
    assert [span.parent_id for span in trace.data.spans] == [None, "0000000000000001", "0000000000000001"]


def test_two_services_make_one_trace_and_each_span_says_whose_it_is(client: TestClient) -> None:
    send(client, request_of((1, 2), service="kitchen").SerializeToString())
    send(client, request_of((1, 1), service="shop").SerializeToString())
    [trace] = stored()
    assert [span.attributes["service.name"] for span in trace.data.spans] == ["shop", "kitchen"]
    assert trace.info.trace_metadata["service.name"] == "shop"


def test_scopes_are_kept_with_their_spans(client: TestClient) -> None:
    request = request_of((1, 1))
    scope = request.resource_spans[0].scope_spans[0].scope
    scope.name, scope.version = "my.library", "1.2"
    scope.attributes.add(key="flavour").value.string_value = "plain"
    send(client, request.SerializeToString())
    attributes = stored()[0].data.spans[0].attributes
    assert {key: attributes[key] for key in attributes if key.startswith("otel.scope.")} == {
        "otel.scope.name": "my.library",
        "otel.scope.version": "1.2",
        "otel.scope.flavour": "plain",
    }


def test_a_call_of_a_model_is_told_as_our_sdk_tells_it(client: TestClient) -> None:
    request = request_of((1, 1))
    span = request.resource_spans[0].scope_spans[0].spans[0]
    for key, text in {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m-1",
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Why is the sky blue?"}]}]',
        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"It scatters light."}]}]',
        "user.id": "Tom",
        "gen_ai.conversation.id": "s-1",
    }.items():
        span.attributes.add(key=key).value.string_value = text
    for key, count in {"gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 5}.items():
        span.attributes.add(key=key).value.int_value = count
    send(client, request.SerializeToString())
    [trace] = tracehound.search_traces(
        "attributes.user = 'Tom' AND attributes.session = 's-1' AND attributes.total_tokens = 17", return_type="list"
    )
    info = trace.info
    assert (info.name, info.request_preview, info.response_preview) == (
        "step 1", "Why is the sky blue?", "It scatters light."
    )  # fmt: skip
    assert info.token_usage == {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17}
    assert trace.data.spans[0].span_type == "CHAT_MODEL"


@pytest.mark.parametrize("experiment", ["tracehound.experiment", "tracehound.trace.experiment"])
def test_secrets_are_taken_out_where_the_server_is_told_to(store_path: Path, experiment: str) -> None:
    request = request_of((1, 1))
    request.resource_spans[0].resource.attributes.add(key=experiment).value.string_value = "shop"
    request.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="to").value.string_value = "tom@example.com"
    store = SqliteStore(store_path)
    with TestClient(create_app(store, Settings(str(store_path), redact=("email",)))) as client:
        send(client, request.SerializeToString())
    store.close()
    [trace] = stored()
    assert trace.data.spans[0].attributes["to"].startswith("[EMAIL_")


def test_a_request_without_spans_is_none_that_is_wrong(client: TestClient) -> None:
    assert answer_to(send(client, b"")) == ExportTraceServiceResponse()
    assert send(client, b"{}", JSON).json() == {}


@pytest.mark.parametrize(
    ("content", "kind", "encoding", "status", "told"),
    [
        (b"\xff\xff", PROTOBUF, "", 400, "no ExportTraceServiceRequest"),
        (b"{", JSON, "", 400, "no JSON"),
        (b"[]", JSON, "", 400, "no ExportTraceServiceRequest"),
        (b'{"resourceSpans": 3}', JSON, "", 400, "no ExportTraceServiceRequest"),
        (b'{"a":' * 3_000 + b"1" + b"}" * 3_000, JSON, "", 400, "too deep"),
        (b"spans", PROTOBUF, "gzip", 400, "not compressed"),
        (gzip.compress(b"spans" * 99)[:-9], PROTOBUF, "gzip", 400, "cut off"),
        (zstandard.ZstdCompressor().compress(b"spans" * 99)[:-1], PROTOBUF, "zstd", 400, "cut off"),
        (b"spans", PROTOBUF, "br", 415, "'br'"),
        (b"spans", "text/plain", "", 415, "application/x-protobuf"),
    ],
    ids=["no protobuf", "no JSON", "a list", "a number", "deep", "no gzip", "half gzip", "half zstd", "br", "a text"],
)
def test_what_is_no_request_is_told(
    client: TestClient, content: bytes, kind: str, encoding: str, status: int, told: str
) -> None:
    assert told in problem_of(send(client, content, kind, Content_Encoding=encoding), status)["detail"]


def packed_zeros(encoding: str, count: int) -> bytes:
    zeros = bytes(1_000_000)
    if encoding == "zstd":
        packer = zstandard.ZstdCompressor(level=19).compressobj()
    else:
        packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | (16 if encoding == "gzip" else 0))  # type: ignore[assignment]
    return b"".join([*(packer.compress(zeros) for _ in range(count // len(zeros))), packer.flush()])


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_what_would_become_too_large_is_refused(client: TestClient, encoding: str) -> None:
    bomb = packed_zeros(encoding, 200_000_000)
    assert len(bomb) < 250_000
    assert "when it is decompressed" in problem_of(send(client, bomb, Content_Encoding=encoding), 413)["detail"]
    assert client.get("/ready").json()["waiting_bytes"] == 0


@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
def test_a_span_with_very_many_attributes_is_refused_and_the_others_are_kept(client: TestClient, kind: str) -> None:
    request = request_of((1, 1), (1, 2))
    for number in range(MAX_SPAN_ATTRIBUTES):
        request.resource_spans[0].scope_spans[0].spans[1].attributes.add(key=f"k{number}").value.int_value = 1
    content = request.SerializeToString() if kind == PROTOBUF else to_json(request)
    answer = send(client, content, kind)
    assert b"a span has more than 10,000 attributes" in answer.content
    assert [len(trace.data.spans) for trace in stored()] == [1]


class TestBacklog:
    @pytest.fixture
    def limits(self) -> ServerLimits:
        return ServerLimits(max_body_bytes=1_000_000, max_waiting_bytes=1_000)

    def test_more_than_may_wait_is_to_be_sent_again_later(self, client: TestClient) -> None:
        response = send(client, request_of(*((1, number) for number in range(1, 100))).SerializeToString())
        assert problem_of(response, 429)["code"] == "TOO_MUCH_AT_ONCE"
        assert response.headers["retry-after"] == "1"
        assert answer_to(send(client, request_of((1, 1)).SerializeToString())) == ExportTraceServiceResponse()
        assert client.get("/ready").json()["waiting_bytes"] == 0


@given(content=st.binary(max_size=300), kind=st.sampled_from([PROTOBUF, JSON]), encoding=st.sampled_from(["", "gzip"]))
def test_no_bytes_are_a_fault_of_the_server(
    shared_client: TestClient, content: bytes, kind: str, encoding: str
) -> None:
    response = send(shared_client, content, kind, Content_Encoding=encoding)
    assert response.status_code in (200, 400), response.text


GOOD = request_of((1, 1), (1, 2), (2, 1)).SerializeToString()


@given(data=st.data(), kind=st.sampled_from([PROTOBUF, JSON]))
def test_no_damage_to_a_request_is_a_fault_of_the_server(
    shared_client: TestClient, data: st.DataObject, kind: str
) -> None:
    content = bytearray(GOOD if kind == PROTOBUF else to_json(ExportTraceServiceRequest.FromString(GOOD)))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(content)))
    response = send(shared_client, bytes(content[:cut]), kind)
    assert response.status_code in (200, 400), response.text
