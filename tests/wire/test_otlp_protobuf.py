"""OTLP's protobuf and its JSON mean the same."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.common.v1.common_pb2 import ArrayValue as List
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from tracehound.wire.otlp import Arrived, DamagedRequestError
from tracehound.wire.otlp_json import from_otlp_line, read_otlp_json
from tracehound.wire.otlp_protobuf import read_otlp_protobuf, write_answer

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KEYS = TEXTS | st.sampled_from(
    [
        "service.name", "mlflow.spanType", "mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.traceRequestId",
        "tracehound.json:n", "tracehound.trace.experiment", "tracehound.experiment",
        "tracehound.trace.state", "tracehound.trace.tag.env",
        "tracehound.trace.request_preview", "tracehound.trace.metadata.mlflow.trace.user", "otel.scope.name",
    ]
)  # fmt: skip
PLAIN = (
    st.builds(AnyValue)
    | st.builds(AnyValue, string_value=TEXTS | st.sampled_from(["OK", '{"a": 1}', "1e2"]))
    | st.builds(AnyValue, bool_value=st.booleans())
    | st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1))
    | st.builds(AnyValue, double_value=st.floats())
    | st.builds(AnyValue, bytes_value=st.binary(max_size=8))
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.builds(AnyValue, array_value=st.builds(List, values=st.lists(inner, max_size=3)))
        | st.builds(
            AnyValue,
            kvlist_value=st.builds(
                KeyValueList, values=st.lists(st.builds(KeyValue, key=TEXTS, value=inner), max_size=3)
            ),
        )
    ),
    max_leaves=5,
)
ATTRIBUTES = st.lists(st.builds(KeyValue, key=KEYS, value=VALUES), max_size=4)
TRACE_IDS = st.sampled_from([b"\x0a" * 16, b"\xb1" * 16, bytes(16), b"short"])
SPAN_IDS = st.sampled_from([b"\x01" * 8, b"\xc2" * 8, bytes(8), b"", b"short"])
TIMES = st.integers(0, 2**64 - 1) | st.integers(10**18, 2 * 10**18)
SPANS = st.builds(
    Span,
    trace_id=TRACE_IDS,
    span_id=SPAN_IDS,
    parent_span_id=SPAN_IDS,
    name=TEXTS,
    kind=st.integers(0, 5),
    start_time_unix_nano=TIMES,
    end_time_unix_nano=TIMES,
    attributes=ATTRIBUTES,
    events=st.lists(st.builds(Span.Event, time_unix_nano=TIMES, name=TEXTS, attributes=ATTRIBUTES), max_size=2),
    links=st.lists(st.builds(Span.Link, trace_id=TRACE_IDS, span_id=SPAN_IDS, attributes=ATTRIBUTES), max_size=2),
    status=st.builds(Status, code=st.integers(0, 2), message=TEXTS),
)
SCOPES = st.builds(InstrumentationScope, name=TEXTS, version=TEXTS, attributes=ATTRIBUTES)
REQUESTS = st.builds(
    ExportTraceServiceRequest,
    resource_spans=st.lists(
        st.builds(
            ResourceSpans,
            resource=st.builds(Resource, attributes=ATTRIBUTES),
            scope_spans=st.lists(st.builds(ScopeSpans, scope=SCOPES, spans=st.lists(SPANS, max_size=4)), max_size=2),
        ),
        max_size=2,
    ),
)


def with_hexadecimal_ids(form: Any) -> Any:
    """Return what protobuf's JSON says with ids as OTLP's JSON has them."""
    if isinstance(form, list):
        return [with_hexadecimal_ids(each) for each in form]
    if not isinstance(form, dict):
        return form
    return {
        key: base64.b64decode(value).hex() if key.endswith("Id") else with_hexadecimal_ids(value)
        for key, value in form.items()
    }


def to_json(request: ExportTraceServiceRequest, *, is_hexadecimal: bool = True) -> bytes:
    form = MessageToDict(request, use_integers_for_enums=is_hexadecimal)
    return json.dumps(with_hexadecimal_ids(form) if is_hexadecimal else form).encode()


@given(request=REQUESTS)
def test_protobuf_and_json_give_equal_parts(request: ExportTraceServiceRequest) -> None:
    found = read_otlp_protobuf(request.SerializeToString(), "shop")
    assert read_otlp_json(to_json(request), "shop") == found
    assert read_otlp_json(to_json(request, is_hexadecimal=False), "shop") == found
    spans = sum(len(scope.spans) for each in request.resource_spans for scope in each.scope_spans)
    assert found.spans + found.refused == spans


@given(request=REQUESTS)
def test_a_file_and_a_request_of_the_same_bytes_give_equal_parts(request: ExportTraceServiceRequest) -> None:
    found = read_otlp_json(to_json(request), "shop")
    if request.resource_spans and not found.refused:
        assert from_otlp_line(to_json(request), "shop").parts == found.parts


@given(data=st.binary(max_size=200))
def test_bytes_are_read_or_told_to_be_damaged(data: bytes) -> None:
    for read in (read_otlp_protobuf, read_otlp_json):
        try:
            assert isinstance(read(data, "shop"), Arrived)
        except DamagedRequestError as error:
            assert str(error)


def test_an_answer_says_how_many_were_refused() -> None:
    assert write_answer(0, "") == b""
    partial = ExportTraceServiceResponse.FromString(write_answer(3, "damaged")).partial_success
    assert (partial.rejected_spans, partial.error_message) == (3, "damaged")


@pytest.mark.parametrize("kind", [0, 6, 99])
def test_kinds_that_are_newer_than_this_program_are_unspecified(kind: int) -> None:
    span = Span(trace_id=b"\x0a" * 16, span_id=b"\x01" * 8, kind=kind)  # type: ignore[arg-type] # as it may come
    request = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])])
    [part] = read_otlp_protobuf(request.SerializeToString(), "shop").parts
    assert part.spans[0].kind == "UNSPECIFIED"
