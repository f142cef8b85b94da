"""Traces as OTLP JSON lines: exact for ours, and read well from others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, StatusCode

import tracehound
from tests.traces import START_MS, part, span
from tracehound.model.merge import merge_parts
from tracehound.model.occurrence import RecordedEvent, RecordedLink
from tracehound.model.record import replace
from tracehound.model.span import Span, SpanStatus, SpanStatusCode
from tracehound.model.trace import Trace, TracePart, TraceState
from tracehound.model.values import encode_value
from tracehound.wire.otlp_json import DamagedLineError, from_otlp_line, to_otlp_line

FILES = Path(__file__).parents[1] / "data" / "otlp"

PLAIN_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | PLAIN_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN_TEXT, inner, max_size=3),
    max_leaves=6,
)
ODD_TEXTS = ["1E2", "1.50", '{"a":1,"a":2}', "[1, 2]", '"\\u00e9"', "-0.0"]
JSON_TEXTS = PLAIN.map(encode_value) | st.sampled_from(ODD_TEXTS)
KEYS = PLAIN_TEXT | st.sampled_from(["tracehound.json:x", "tracehound.trace.state", "service.name", "otel.scope.name"])
ATTRIBUTES = st.dictionaries(KEYS, JSON_TEXTS, max_size=3)
TIMES = st.integers(1, 2**62)
TRACE_ID = "tr-" + "0a" * 16


def spans_with_id(number: int) -> st.SearchStrategy[Span]:
    return st.builds(
        Span,
        trace_id=st.just(TRACE_ID),
        span_id=st.just(f"{number:016x}"),
        parent_id=st.none() | st.integers(1, 5).map(lambda other: f"{other:016x}"),
        name=PLAIN_TEXT,
        start_time_ns=TIMES,
        end_time_ns=st.none() | TIMES,
        status=st.builds(SpanStatus, st.sampled_from(SpanStatusCode), PLAIN_TEXT),
        span_type=st.just("UNKNOWN") | PLAIN_TEXT,
        inputs_json=st.none() | JSON_TEXTS,
        outputs_json=st.none() | JSON_TEXTS,
        attributes_json=ATTRIBUTES,
        event_records=st.lists(st.builds(RecordedEvent, PLAIN_TEXT, TIMES, ATTRIBUTES), max_size=2).map(tuple),
        link_records=st.lists(
            st.builds(RecordedLink, st.just("tr-" + "b1" * 16), st.just("c2" * 8), ATTRIBUTES), max_size=2
        ).map(tuple),
        kind=st.sampled_from(["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER", "UNSPECIFIED"]),
    )


TRACES = st.builds(
    TracePart,
    trace_id=st.just(TRACE_ID),
    experiment=st.just("shop"),
    written_ns=TIMES,
    spans=st.integers(1, 4).flatmap(lambda count: st.tuples(*map(spans_with_id, range(1, count + 1)))).map(list),
    tags=st.dictionaries(KEYS | st.just("mlflow.traceName"), PLAIN_TEXT, max_size=3),
    metadata=st.dictionaries(KEYS, PLAIN_TEXT, max_size=3),
    client_request_id=st.none() | PLAIN_TEXT,
    request_preview=st.none() | PLAIN_TEXT,
    response_preview=st.none() | PLAIN_TEXT,
    state=st.none() | st.sampled_from(TraceState),
).map(lambda whole: merge_parts([whole]))


@pytest.mark.prove
@given(TRACES)
def test_a_line_gives_back_the_trace_that_it_was_made_of(trace: Trace) -> None:
    line = to_otlp_line(trace, "shop")
    parts = from_otlp_line(line, "Default").parts
    assert merge_parts(parts) == trace
    assert to_otlp_line(merge_parts(parts), parts[0].experiment) == line


def as_otlp(*spans: Span, **said: Any) -> dict[str, Any]:
    whole = part(*spans, **said)
    form: dict[str, Any] = json.loads(to_otlp_line(merge_parts([whole]), whole.experiment))
    return form


def test_a_line_is_what_the_specification_of_otlp_json_asks_for() -> None:
    step = replace(
        span(7, 5, parent=6, name="ask", failed=True),
        span_type="LLM",
        inputs_json='{"n":1,"more":[true,null,2.5]}',
        outputs_json="123456789012345678901234567890",
        kind="CLIENT",
    )
    form = as_otlp(step, tags={"env": "prod"}, experiment="shop")
    start_ns = START_MS * 1_000_000
    assert form == {
        "resourceSpans": [
            {
                "resource": {
                    "attributes": [
                        {"key": "service.name", "value": {"stringValue": "shop"}},
                        {"key": "tracehound.trace.experiment", "value": {"stringValue": "shop"}},
                        {"key": "tracehound.trace.tag.env", "value": {"stringValue": "prod"}},
                    ]
                },
                "scopeSpans": [
                    {
                        "scope": {"name": "tracehound"},
                        "spans": [
                            {
                                "traceId": f"{5:032x}",
                                "spanId": f"{7:016x}",
                                "parentSpanId": f"{6:016x}",
                                "name": "ask",
                                "kind": 3,
                                "startTimeUnixNano": str(start_ns),
                                "endTimeUnixNano": str(start_ns + 10_000_000),
                                "attributes": [
                                    {"key": "mlflow.spanType", "value": {"stringValue": "LLM"}},
                                    {
                                        "key": "mlflow.spanInputs",
                                        "value": {
                                            "kvlistValue": {
                                                "values": [
                                                    {"key": "n", "value": {"intValue": "1"}},
                                                    {
                                                        "key": "more",
                                                        "value": {
                                                            "arrayValue": {
                                                                "values": [
                                                                    {"boolValue": True},
                                                                    {},
                                                                    {"doubleValue": 2.5},
                                                                ]
                                                            }
                                                        },
                                                    },
                                                ]
                                            }
                                        },
                                    },
                                    {
                                        "key": "tracehound.json:mlflow.spanOutputs",
                                        "value": {"stringValue": "123456789012345678901234567890"},
                                    },
                                ],
                                "status": {"code": 2},
                            }
                        ],
                    }
                ],
            }
        ]
    }


def test_the_lines_of_another_exporter_are_read_with_all_that_they_say() -> None:
    lines = (FILES / "collector.jsonl").read_bytes().splitlines()
    shop, other = (from_otlp_line(line, "imported").parts for line in lines)
    assert [len(each.spans) for each in shop] == [2, 1]
    first = shop[0]
    assert (first.trace_id, first.experiment) == ("tr-5b8efff798038103d269b633813fc60c", "imported")
    assert first.metadata == {"service.name": "shop", "service.instances": "3", "hosts": '["a","b"]'}
    root, child = first.spans
    assert (root.name, root.kind, root.parent_id, root.status) == ("POST /ask", "SERVER", None, SpanStatus())
    assert root.attributes_json == {
        "service.name": '"shop"',
        "otel.scope.name": '"my.library"',
        "otel.scope.version": '"1.0.0"',
        "http.response.status_code": "200",
        "ratio": "0.5",
        "cached": "false",
        "gen_ai.request.model": '"gpt-5"',
        "raw": '"aGVsbG8="',
        "nothing": "null",
        "not.a.number": "null",
        "mlflow.llm.model": '"gpt-5"',
        "tracehound.translatedFrom": '["GenAI"]',
    }
    assert (child.parent_id, child.kind, child.status) == (
        root.span_id,
        "CLIENT",
        SpanStatus(SpanStatusCode.ERROR, "too slow"),
    )
    assert [(event.name, event.timestamp_ns, event.attributes) for event in child.events] == [
        ("exception", 1_544_712_660_500_000_000, {"exception.type": "TimeoutError"})
    ]
    assert [(link.trace_id, link.span_id, link.attributes) for link in child.links] == [
        ("tr-5b8efff798038103d269b633813fc60d", "eee19b7ec3c1b175", {"why": "retry"})
    ]
    # Names and ids as protobuf's own JSON writes them.
    (base64,) = other
    assert (base64.trace_id, base64.spans[0].span_id) == ("tr-5b8efff798038103d269b633813fc60e", "eee19b7ec3c1b176")
    assert (base64.spans[0].parent_id, base64.spans[0].kind, base64.spans[0].end_time_ns) == (None, "SERVER", None)


def test_spans_of_an_opentelemetry_sdk_come_back_as_they_were_captured() -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(tracehound.tracing.get_span_processor())
    tracer = provider.get_tracer("my.library", "1.0")
    with tracer.start_as_current_span("outer", kind=SpanKind.SERVER, attributes={"n": 1, "list": [1.5, 2.5]}) as outer:
        outer.add_event("seen", {"deep": True})
        with tracer.start_as_current_span("inner") as inner:
            inner.set_status(StatusCode.ERROR, "no")
    (trace,) = tracehound.search_traces(return_type="list")
    (again,) = from_otlp_line(to_otlp_line(trace, "Default"), "elsewhere").parts
    assert merge_parts([again]) == trace
    assert trace.data.spans[0].attributes["otel.scope.name"] == "my.library"


GOOD = as_otlp(span(1))["resourceSpans"][0]


def with_span(**changes: Any) -> bytes:
    (step,) = GOOD["scopeSpans"][0]["spans"]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{**step, **changes}]}]}]}).encode()


def test_a_key_that_protobuf_left_out_is_the_empty_one() -> None:
    [part] = from_otlp_line(with_span(attributes=[{"value": {"boolValue": True}}]), "imported").parts
    assert part.spans[0].attributes_json == {"": "true"}


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'"resourceSpans"',
        b"\xff\xfe",
        b"{}",
        b'{"resourceLogs":[]}',
        b'{"resourceSpans":7}',
        b'{"resourceSpans":[7]}',
        b'{"resourceSpans":' + b"[" * 5000 + b"]" * 5000 + b"}",
        with_span(traceId="0" * 32),
        with_span(traceId="xyz"),
        with_span(traceId=7),
        with_span(spanId=None),
        with_span(spanId="zz" * 8),
        with_span(startTimeUnixNano="soon"),
        with_span(startTimeUnixNano="-5"),
        with_span(endTimeUnixNano=str(2**64)),
        with_span(attributes=[{"key": 7, "value": {}}]),
        with_span(attributes=[{"key": "a", "value": {"boolValue": "no"}}]),
        with_span(name=7),
        with_span(status=[1]),
        with_span(kind="SPAN_KIND_OTHER"),
    ],
)  # fmt: skip
def test_a_damaged_line_is_told_as_such(line: bytes) -> None:
    with pytest.raises(DamagedLineError, match=r"OTLP|JSON|nested"):
        from_otlp_line(line, "Default")


def test_a_span_that_has_not_ended_and_one_with_a_parent_of_zeros_are_read() -> None:
    line = with_span(endTimeUnixNano="0", parentSpanId="0" * 16, kind=99)
    (found,) = from_otlp_line(line, "Default").parts
    (step,) = found.spans
    assert (step.end_time_ns, step.parent_id, step.kind) == (None, None, "UNSPECIFIED")
