"""The tables of the documents' search pages, row by row, on traces whose true answers are known."""

from __future__ import annotations

import pytest

import tracehound
from tracehound.errors import FilterError

NOW_MS = 1_767_225_600_000  # 2026-01-01
ALICE = "alice@company.com"

# name, ms since NOW_MS, duration in ms, outputs, tags, metadata, whether it fails
TRACES = (
    ("process_request", 0, 150, "exact response text", {"environment": "production", "customer_id": "C001"},
     {"mlflow.user": ALICE, "mlflow.source.name": "app.py"}, False),
    ("process_payment", 1_000, 6_000, {"paid": True}, {"environment": "production", "version": "v2.1.0"},
     {"mlflow.trace.user": "bob", "mlflow.trace.session": "s-1"}, False),
    ("process_request", 2_000, 50, None, {"environment": "staging", "eval.requestId": "e-1"},
     {"mlflow.user": ALICE, "mlflow.sourceRun": "run-1", "mlflow.modelId": "my-model-123"}, True),
    ("foo", 3_000, 1_500, "other text", {"user_id": "U001"},
     {"mlflow.source.git.branch": "release/7", "mlflow.trace.user": "bob"}, False),
)  # fmt: skip
REQUEST, PAYMENT, FAILED, FOO = range(4)


@pytest.fixture(autouse=True)
def traces() -> list[str]:
    ids = []
    for name, at_ms, duration_ms, outputs, tags, metadata, fails in TRACES:
        start_ns = (NOW_MS + at_ms) * 1_000_000
        span = tracehound.start_span_no_context(
            name, inputs={"q": name}, tags=tags, metadata=metadata, start_time_ns=start_ns
        )
        if name == "foo":
            span.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7})
        status = "ERROR" if fails else "OK"
        span.end(outputs=outputs, status=status, end_time_ns=start_ns + duration_ms * 1_000_000)
        ids.append(span.trace_id)
    return ids


ROWS = [
    # The short reference, and "common patterns".
    ("attributes.status = 'OK'", {REQUEST, PAYMENT, FOO}),
    ("attributes.status = 'ERROR'", {FAILED}),
    (f"attributes.timestamp_ms > {NOW_MS + 1_000}", {FAILED, FOO}),
    ("attributes.execution_time_ms > 5000", {PAYMENT}),
    ("tags.environment = 'production'", {REQUEST, PAYMENT}),
    ("tags.`mlflow.traceName` = 'process_request'", {REQUEST, FAILED}),
    (f"metadata.`mlflow.user` = '{ALICE}'", {REQUEST, FAILED}),
    ("attributes.status = 'OK' AND tags.environment = 'production'", {REQUEST, PAYMENT}),
    ("tags.user_id = 'U001'", {FOO}),
    ("metadata.`mlflow.traceOutputs` != ''", {REQUEST, PAYMENT, FOO}),
    # The searchable fields and their operators.
    ("attributes.status != 'OK'", {FAILED}),
    ("attributes.status != 'ERROR'", {REQUEST, PAYMENT, FOO}),
    (f"attributes.timestamp_ms = {NOW_MS}", {REQUEST}),
    (f"attributes.timestamp_ms < {NOW_MS + 1_000}", {REQUEST}),
    (f"attributes.timestamp_ms <= {NOW_MS + 1_000}", {REQUEST, PAYMENT}),
    (f"attributes.timestamp_ms >= {NOW_MS + 3_000}", {FOO}),
    (f"attributes.timestamp > {NOW_MS} AND attributes.timestamp < {NOW_MS + 3_000}", {PAYMENT, FAILED}),
    ("attributes.execution_time_ms = 150", {REQUEST}),
    ("attributes.execution_time_ms < 100", {FAILED}),
    ("attributes.execution_time_ms <= 150", {REQUEST, FAILED}),
    ("attributes.execution_time_ms >= 1500", {PAYMENT, FOO}),
    ("attributes.execution_time_ms > 100 AND attributes.execution_time_ms < 1000", {REQUEST}),
    ("attributes.latency > 1000", {PAYMENT, FOO}),
    ("attributes.name = 'foo'", {FOO}),
    ("attributes.name != 'foo'", {REQUEST, PAYMENT, FAILED}),
    ("tags.environment != 'production'", {FAILED}),
    ("metadata.`mlflow.trace.user` = 'bob'", {PAYMENT, FOO}),
    ("metadata.`mlflow.trace.user` != 'bob'", set()),
    # The metadata and the tags that are filled in.
    ('metadata.`mlflow.traceInputs` = \'{"q":"foo"}\'', {FOO}),
    ("metadata.`mlflow.traceOutputs` = 'exact response text'", {REQUEST}),
    ("metadata.`mlflow.traceOutputs` = '\"exact response text\"'", {REQUEST}),
    ("metadata.`mlflow.traceOutputs` IN ('other text', 'no text')", {FOO}),
    ("metadata.`mlflow.traceOutputs` != 'other text'", {REQUEST, PAYMENT}),
    ("metadata.`mlflow.traceOutputs` LIKE '%text%'", {REQUEST, FOO}),
    ("metadata.`mlflow.sourceRun` = 'run-1'", {FAILED}),
    ("metadata.`mlflow.modelId` = 'my-model-123'", {FAILED}),
    ("metadata.`mlflow.trace.sizeBytes` > 0", {REQUEST, PAYMENT, FAILED, FOO}),
    ("metadata.`mlflow.trace.sizeBytes` > 100000", set()),
    ("metadata.`mlflow.trace.tokenUsage` LIKE '%\"total_tokens\":7%'", {FOO}),
    ("metadata.`mlflow.trace.tokenUsage` IS NULL", {REQUEST, PAYMENT, FAILED}),
    ("metadata.`mlflow.trace.session` = 's-1'", {PAYMENT}),
    ("metadata.`mlflow.source.name` = 'app.py'", {REQUEST}),
    ("metadata.`mlflow.source.git.branch` = 'release/7'", {FOO}),
    ("tags.`mlflow.artifactLocation` != ''", {REQUEST, PAYMENT, FAILED, FOO}),
    ("tags.`eval.requestId` = 'e-1'", {FAILED}),
    ("tags.`mlflow.eval.requestId` = 'e-1'", {FAILED}),
    ("tags.`mlflow.eval.requestId` IS NULL", {REQUEST, PAYMENT, FOO}),
    ("tags.customer_id = 'C001'", {REQUEST}),
    ("tags.version = 'v2.1.0'", {PAYMENT}),
    # "Complex filters".
    (
        f"attributes.status = 'OK' AND attributes.timestamp_ms > {NOW_MS} AND tags.environment = 'production'",
        {PAYMENT},
    ),
    (f"attributes.execution_time_ms < 100 AND metadata.`mlflow.user` = '{ALICE}'", {FAILED}),
    ("tags.`mlflow.traceName` = 'process_payment' AND attributes.execution_time_ms > 1000", {PAYMENT}),
    # What the documents call impossible.
    ("attributes.status = 'OK' OR attributes.status = 'ERROR'", {REQUEST, PAYMENT, FAILED, FOO}),
]


@pytest.mark.parametrize(("filter_string", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_a_filter_of_the_documents_finds_what_it_says(
    filter_string: str, expected: set[int], traces: list[str]
) -> None:
    for found in (
        tracehound.search_traces(filter_string),
        tracehound.search_traces(filter_string=filter_string, experiment_ids=["0"]),
    ):
        assert sorted(found["trace_id"]) == sorted(traces[number] for number in expected)


MISTAKES = [
    ("status = 'OK'", "attributes.status = 'OK'"),
    ("mlflow.user = 'alice'", "metadata.`mlflow.user` = 'alice'"),
    ("timestamp > '2024-01-01'", "attributes.timestamp > 1704067200000"),
    ('tags.env = "prod"', "tags.env = 'prod'"),
    ("status = 'OK' OR status = 'ERROR'", "attributes.status = 'OK' OR attributes.status = 'ERROR'"),
]


@pytest.mark.parametrize(("wrong", "right"), MISTAKES)
def test_a_common_mistake_is_answered_with_the_filter_that_was_meant(wrong: str, right: str) -> None:
    with pytest.raises(FilterError) as caught:
        tracehound.search_traces(wrong)
    assert caught.value.corrected == right
    tracehound.search_traces(right)


ORDERS = [
    (["attributes.timestamp_ms DESC"], [FOO, FAILED, PAYMENT, REQUEST]),
    (["attributes.execution_time_ms ASC"], [FAILED, REQUEST, FOO, PAYMENT]),
    (["attributes.timestamp_ms DESC", "attributes.execution_time_ms ASC"], [FOO, FAILED, PAYMENT, REQUEST]),
    (["attributes.status"], [FAILED, FOO, PAYMENT, REQUEST]),
    (["attributes.name", "attributes.latency DESC"], [FOO, PAYMENT, REQUEST, FAILED]),
    (["timestamp ASC"], [REQUEST, PAYMENT, FAILED, FOO]),
]


@pytest.mark.parametrize(("order_by", "expected"), ORDERS)
def test_results_are_in_the_order_that_was_asked_for(
    order_by: list[str], expected: list[int], traces: list[str]
) -> None:
    found = tracehound.search_traces(order_by=order_by)
    assert found["trace_id"].tolist() == [traces[number] for number in expected]


def test_a_text_longer_than_what_is_kept_of_it_is_no_condition_that_is_silently_false() -> None:
    with pytest.raises(FilterError, match="1000 characters at most"):
        tracehound.search_traces(f"metadata.`mlflow.traceOutputs` = '{'x' * 1000}'")


def test_a_filter_that_is_put_together_from_parameters_finds_what_it_says(traces: list[str]) -> None:
    filter_string = to_filter(
        status="OK", min_duration=100, tags={"environment": "production", "mlflow.traceName": "process_request"}
    )
    assert tracehound.search_traces(filter_string=filter_string)["trace_id"].tolist() == [traces[REQUEST]]
    assert len(tracehound.search_traces(filter_string=to_filter())) == 4


def to_filter(
    status: str | None = None, min_duration: int | None = None, tags: dict[str, str] | None = None
) -> str | None:
    conditions = [f"attributes.status = '{status}'"] if status else []
    if min_duration:
        conditions.append(f"attributes.execution_time_ms > {min_duration}")
    for key, value in (tags or {}).items():
        name = f"`{key}`" if "." in key else key
        conditions.append(f"tags.{name} = '{value}'")
    return " AND ".join(conditions) or None
