"""The JSON of MLflow's REST API: values that come through, and what clients tell of traces."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.traces import part, span
from tracehound.errors import ArgumentError
from tracehound.model.assessment import AssessmentSource, Expectation, Feedback
from tracehound.model.merge import merge_parts
from tracehound.model.occurrence import RecordedEvent, RecordedLink
from tracehound.model.record import replace, to_json_text
from tracehound.model.trace import TraceState
from tracehound.model.values import encode_exactly
from tracehound.wire.mlflow.messages import Message, snake_case
from tracehound.wire.mlflow.spans import to_any_value, to_span_message
from tracehound.wire.mlflow.traces import (
    missing_spans,
    read_info_message,
    to_changes,
    to_info_message,
    to_trace_message,
)

TRACE_ID = f"tr-{1:032x}"
TOLD: dict[str, Any] = {
    "trace_id": TRACE_ID,
    "client_request_id": "req-1",
    "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}},
    "request_time": "2026-11-21T01:39:54.213Z",
    "execution_duration": "0.151s",
    "state": "OK",
    "trace_metadata": {
        "mlflow.trace_schema.version": "3",
        "appVersion": "1.0",
        "mlflow.traceInputs": '{"x": 3}',
        "mlflow.trace.sizeStats": '{"total_size_bytes": 1964, "num_spans": 2}',
    },
    "tags": {"person": "Tom", "mlflow.traceName": "outer", "mlflow.trace.spansLocation": "ARTIFACT_REPO"},
    "request_preview": '{"x": 3}',
    "response_preview": '{"v": 6}',
}


def told(**changed: Any) -> dict[str, Any]:
    return {**TOLD, **changed}


def plain(value: dict[str, Any]) -> Any:
    """Return what a client makes of a value of OTLP."""
    kind = next(iter(value), "none")
    held: Any = value.get(kind)
    if kind == "int_value":
        return int(held)
    if kind == "double_value":
        return float(held)
    if kind == "array_value":
        return [plain(each) for each in held["values"]]
    if kind == "kvlist_value":
        return {each["key"]: plain(each["value"]) for each in held["values"]}
    return held


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(VALUES)
def test_a_value_comes_through_as_it_was(value: Any) -> None:
    message = json.loads(to_json_text(to_any_value(value)))
    assert plain(message) == value


def test_a_whole_number_of_more_than_64_bits_becomes_its_text() -> None:
    assert to_any_value({"n": 2**63}) == {
        "kvlist_value": {"values": [{"key": "n", "value": {"string_value": str(2**63)}}]}
    }
    assert to_any_value(-(2**63)) == {"int_value": str(-(2**63))}


def test_numbers_that_json_does_not_have_are_words() -> None:
    assert to_any_value(float("nan")) == {"double_value": "NaN"}
    assert to_any_value(float("-inf")) == {"double_value": "-Infinity"}


def test_what_lies_deeper_than_clients_read_is_text() -> None:
    value: Any = "deep"
    for _ in range(60):
        value = {"a": value}
    message: Any = to_any_value(value)
    depth = 0
    while "kvlist_value" in message:
        message = message["kvlist_value"]["values"][0]["value"]
        depth += 1
    assert 20 < depth < 30
    assert json.loads(message["string_value"]) == json.loads(
        "{" + '"a":{' * (59 - depth) + '"a":"deep"' + "}" * (60 - depth)
    )


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert to_any_value("\ud800 lone") == {"string_value": "? lone"}


def test_a_span_has_its_ids_in_base64_and_its_values_in_otlps_form() -> None:
    full = replace(
        span(2, parent=1, failed=True),
        attributes_json={"model": '"gpt"', "n": encode_exactly(2**53 + 1)},
        event_records=(RecordedEvent("retry", 7, {"attempt": "2"}),),
        link_records=(RecordedLink(f"tr-{3:032x}", f"{4:016x}", {}),),
    )
    message = to_span_message(full)
    assert message["trace_id"] == "AAAAAAAAAAAAAAAAAAAAAQ=="
    assert (message["span_id"], message["parent_span_id"]) == ("AAAAAAAAAAI=", "AAAAAAAAAAE=")
    assert message["kind"] == "SPAN_KIND_INTERNAL"
    assert message["status"] == {"code": "STATUS_CODE_ERROR"}
    values = {each["key"]: plain(each["value"]) for each in message["attributes"]}
    assert values == {
        "mlflow.traceRequestId": TRACE_ID, "mlflow.spanType": "UNKNOWN", "mlflow.spanInputs": {"question": "why?"},
        "mlflow.spanOutputs": "because", "model": "gpt", "n": 2**53 + 1,
    }  # fmt: skip
    attempt = {"key": "attempt", "value": {"int_value": "2"}}
    assert message["events"] == [{"name": "retry", "time_unix_nano": 7, "attributes": [attempt]}]
    assert message["links"] == [{"trace_id": "AAAAAAAAAAAAAAAAAAAAAw==", "span_id": "AAAAAAAAAAQ="}]


def test_a_root_has_no_parent_and_one_that_runs_no_end() -> None:
    assert not {"parent_span_id", "end_time_unix_nano"} & to_span_message(span(1, duration_ms=None)).keys()


def test_what_is_told_of_a_trace_is_answered_as_it_was_told() -> None:
    info = read_info_message(Message(told()))
    only, _ = to_changes(info, "Default", 5)
    answer = to_info_message(merge_parts([only]).info)
    assert answer.pop("tags") == {
        "person": "Tom",
        "mlflow.traceName": "outer",
        "mlflow.artifactLocation": f"mlflow-artifacts:/0/traces/{TRACE_ID}/artifacts",
        "mlflow.trace.spansLocation": "TRACKING_STORE",
    }
    assert answer == {key: value for key, value in told().items() if key != "tags"}


def test_until_the_spans_are_there_a_trace_is_without_them_and_says_how_many_are_missing() -> None:
    whole, _ = to_changes(read_info_message(Message(told())), "Default", 5)
    alone = merge_parts([whole])
    assert (to_trace_message(alone)["spans"], missing_spans(alone)) == ([], 2)
    with_root = merge_parts([whole, part(span(1))])
    assert (len(to_trace_message(with_root)["spans"]), missing_spans(with_root)) == (1, 1)
    assert missing_spans(merge_parts([part(span(1))])) == 0


def test_assessments_that_come_with_a_trace_are_edits_of_it() -> None:
    said = [
        {
            **Feedback("quality", value=True, source=AssessmentSource("HUMAN", "bob")).to_dict(),
            "assessment_id": "a-1",
        },
        {**Expectation("answer", {"a": [1]}).to_dict(), "assessment_id": "a-2"},
    ]
    _, (first, second) = to_changes(read_info_message(Message(told(assessments=said))), "Default", 5)
    assert (first.trace_id, first.kind, first.key, second.key) == (TRACE_ID, "assessment", "a-1", "a-2")
    assert json.loads(str(first.value))["trace_id"] == TRACE_ID


def test_inputs_that_the_client_has_cut_are_left_to_the_spans() -> None:
    cut = {"mlflow.traceInputs": "x" * 247 + "...", "mlflow.traceOutputs": "short...", "other": "y" * 247 + "..."}
    only, _ = to_changes(read_info_message(Message(told(trace_metadata=cut))), "Default", 5)
    assert only.metadata.keys() == {"mlflow.traceOutputs", "other"}


@pytest.mark.parametrize(("word", "state"), [("ERROR", "ERROR"), ("IN_PROGRESS", "IN_PROGRESS"), ("NEWER", "OK")])
def test_a_state_that_is_not_known_is_none(word: str, state: str) -> None:
    only, _ = to_changes(read_info_message(Message(told(state=word))), "Default", 5)
    assert merge_parts([only]).info.state is TraceState(state)


def test_names_in_camel_case_are_read_and_keys_of_maps_are_the_users() -> None:
    camel = {
        "traceId": TRACE_ID,
        "traceLocation": {"type": "MLFLOW_EXPERIMENT", "mlflowExperiment": {"experimentId": "0"}},
        "requestTime": "2026-11-21T01:39:54Z",
        "executionDuration": None,
        "state": "OK",
        "traceMetadata": {"appVersion": "1"},
        "aNewField": {"of": "a newer client"},
    }
    info = read_info_message(Message(camel))
    assert (info.trace_id, info.experiment_id, info.execution_duration) == (TRACE_ID, "0", None)
    assert info.trace_metadata == {"appVersion": "1"}
    assert snake_case("maxTimestampMillis") == "max_timestamp_millis"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"trace_id": "abc"}, "trace_id is tr- and 32 hexadecimal digits, not 'abc'"),
        ({"request_time": "yesterday"}, "request_time is to be a time such as 2026-11-21T01:39:54.213Z"),
        ({"trace_location": {"type": "INFERENCE_TABLE"}}, "trace_location is to be an experiment"),
        ({"tags": {"n": 5}}, "tags.n is to be a text, not 5"),
        ({"request_time": None}, "request_time is missing"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message.replace("(", r"\(")):
        read_info_message(Message(told(**changed)))


def test_a_list_in_a_query_may_be_one_text() -> None:
    assert Message({"trace_ids": "a"}).list_of_texts("trace_ids") == ["a"]
    assert Message({"tags": [{"key": "a", "value": "1"}, {"key": "b"}]}).pairs("tags") == {"a": "1", "b": ""}
