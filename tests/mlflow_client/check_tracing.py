"""Traces that MLflow's own exporters send: values, states, what is said of them, and files."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.entities import Trace
from mlflow.tracing.client import TracingClient

VALUES: list[Any] = [
    None,
    "",
    "日本語 \N{GRINNING FACE} é \x00 \\ \" '",
    2**53 + 1,
    -(2**63),
    2**63 - 1,
    1.5,
    -0.0,
    1e300,
    True,
    {},
    [],
    {"none": None, "empty": {}, "list": [None, [], {}, {"deep": {"er": [1, 2.5, "three", False]}}]},
    {"key with spaces": 1, "ключ": 2, "a.b": 3},
]


def kept(trace_id: str | None) -> Trace:
    """Return a trace as the server gives it, with all that was sent."""
    assert trace_id is not None
    mlflow.flush_trace_async_logging()
    found = mlflow.get_trace(trace_id)
    assert found is not None
    return found


@mlflow.trace
def outer(value: Any) -> Any:
    mlflow.update_current_trace(
        tags={"person": "Tom"}, metadata={"ver": "1.0"}, client_request_id="req-1", user="u1", session_id="s1"
    )
    return inner(value)


@mlflow.trace(span_type="TOOL", attributes={"model": "gpt-4o", "n": 2**53 + 1})
def inner(value: Any) -> Any:
    return value


@pytest.mark.parametrize("value", VALUES, ids=repr)
def check_a_value_comes_back_as_it_was(value: Any, experiment: str) -> None:
    with mlflow.start_span("values") as span:
        span.set_inputs({"value": value})
        span.set_outputs(value)
        span.set_attribute("value", value)
    root = kept(span.trace_id).data.spans[0]
    assert json.dumps(root.inputs) == json.dumps({"value": value})
    assert json.dumps(root.outputs) == json.dumps(value)
    assert json.dumps(root.get_attribute("value")) == json.dumps(value)


def check_a_trace_is_what_the_program_said_of_it(in_background: None, experiment: str) -> None:
    outer({"a": 1})
    trace = kept(mlflow.get_last_active_trace_id())
    info = trace.info
    assert (info.state, info.client_request_id, info.experiment_id) == ("OK", "req-1", experiment)
    assert info.tags["person"] == "Tom"
    assert info.tags["mlflow.traceName"] == "outer"
    assert info.tags["mlflow.trace.spansLocation"] == "TRACKING_STORE"
    assert info.trace_metadata["ver"] == "1.0"
    assert info.trace_metadata["mlflow.trace.user"] == "u1"
    assert info.trace_metadata["mlflow.trace.session"] == "s1"
    assert info.trace_metadata["mlflow.traceInputs"] == '{"value": {"a": 1}}'
    assert info.trace_metadata["mlflow.trace_schema.version"] == "3"
    assert json.loads(info.request_preview or "") == {"value": {"a": 1}}
    root, child = trace.data.spans
    assert (root.name, root.parent_id, child.name, child.parent_id) == ("outer", None, "inner", root.span_id)
    assert (child.span_type, child.get_attribute("model"), child.get_attribute("n")) == ("TOOL", "gpt-4o", 2**53 + 1)
    assert (root.status.status_code, child.status.status_code) == ("OK", "OK")
    assert info.execution_duration is not None
    assert root.start_time_ns // 1_000_000 == info.request_time


def check_an_error_is_one_with_its_exception(experiment: str) -> None:
    @mlflow.trace
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    trace = kept(mlflow.get_last_active_trace_id())
    (span,) = trace.data.spans
    assert (trace.info.state, span.status.status_code) == ("ERROR", "ERROR")
    assert span.status.description == "ValueError: no"
    (event,) = span.events
    assert (event.name, event.attributes["exception.message"]) == ("exception", "no")


def check_a_generator_keeps_what_it_yielded(experiment: str) -> None:
    @mlflow.trace
    def count() -> Iterator[int]:
        yield 1
        yield 2

    assert list(count()) == [1, 2]
    (span,) = kept(mlflow.get_last_active_trace_id()).data.spans
    assert span.outputs == [1, 2]
    assert [event.name for event in span.events] == ["mlflow.chunk.item.0", "mlflow.chunk.item.1"]


def check_a_trace_is_found_before_its_spans_are_sent(experiment: str) -> None:
    with mlflow.start_span("begun") as span:
        span.set_inputs({"a": 1})
    info = TracingClient().store.start_trace(  # what the exporter sends at once, while the spans wait for others
        mlflow.entities.TraceInfo(
            trace_id="tr-" + "12" * 16,
            trace_location=mlflow.entities.TraceLocation.from_experiment_id(experiment),
            request_time=1_735_689_600_000,
            execution_duration=5,
            state=mlflow.entities.TraceState.OK,
            tags={"mlflow.traceName": "alone"},
        )
    )
    assert info.tags["mlflow.trace.spansLocation"] == "TRACKING_STORE"
    (found,) = mlflow.search_traces(
        locations=[experiment], filter_string="name = 'alone'", return_type="list", include_spans=False
    )
    assert (found.info.trace_id, found.info.execution_duration) == (info.trace_id, 5)
    feedback = mlflow.log_feedback(trace_id=info.trace_id, name="good", value=True)
    assert feedback.trace_id == info.trace_id


PROGRAM = """
import mlflow
mlflow.set_experiment(experiment_id={experiment!r})
@mlflow.trace
def one(x):
    with mlflow.start_span("two") as span:
        span.set_outputs({{"twice": 2 * x}})
    return x
one(2**53 + 1)
print(mlflow.get_last_active_trace_id())
"""


@pytest.mark.parametrize("is_async", ["true", "false"])
def check_a_program_that_ends_has_sent_everything(is_async: str, experiment: str, folder: Path) -> None:
    environment = {**os.environ, "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": is_async}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(experiment=experiment)],
        check=True, capture_output=True, text=True, env=environment, cwd=folder,
    )  # fmt: skip
    trace = kept(done.stdout.split()[-1])
    assert [span.name for span in trace.data.spans] == ["one", "two"]
    assert trace.data.spans[1].outputs == {"twice": 2 * (2**53 + 1)}


REMOTE = """
import json, sys
import mlflow
from mlflow.tracing import set_tracing_context_from_http_request_headers
mlflow.set_experiment(experiment_id={experiment!r})
with set_tracing_context_from_http_request_headers(json.loads(sys.argv[1])):
    with mlflow.start_span("elsewhere") as span:
        span.set_outputs("far")
    mlflow.flush_trace_async_logging()  # behind the block the client forgets what it has not sent yet
"""


def check_a_trace_of_two_processes_is_one(experiment: str, folder: Path) -> None:
    from mlflow.tracing import get_tracing_context_headers_for_http_request

    with mlflow.start_span("here") as span:
        headers = json.dumps(get_tracing_context_headers_for_http_request())
        command = [sys.executable, "-c", REMOTE.format(experiment=experiment), headers]
        subprocess.run(command, check=True, cwd=folder)
    mlflow.flush_trace_async_logging()
    (trace,) = mlflow.search_traces(locations=[experiment], return_type="list")
    assert [each.name for each in trace.data.spans] == ["here", "elsewhere"]
    assert trace.data.spans[1].parent_id == span.span_id


def check_spans_that_are_uploaded_as_a_file_are_spans(experiment: str) -> None:
    with mlflow.start_span("original") as span:
        span.set_inputs({"big": 2**53 + 1, "none": None})
    trace = kept(span.trace_id)
    client = TracingClient()
    info = trace.info
    text = trace.to_json().replace(info.trace_id, "tr-" + "ab" * 16)
    copy = Trace.from_json(text.replace(trace.data.spans[0].to_dict()["trace_id"], "q6urq6urq6urq6urq6urqw=="))
    returned = client.start_trace(copy.info)
    client._upload_trace_data(returned, copy.data)
    (again,) = kept(copy.info.trace_id).data.spans
    assert again.inputs == {"big": 2**53 + 1, "none": None}
    downloaded = client._download_trace_data(returned)
    assert [each.to_dict() for each in downloaded.spans] == [each.to_dict() for each in copy.data.spans]


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


def look_at_an_image() -> Trace:
    with mlflow.start_span("look") as span:
        span.set_inputs({"messages": [{"role": "user", "content": [IMAGE]}]})
    return kept(span.trace_id)


def check_an_image_stays_in_its_value_where_the_client_does_not_take_it_out(
    experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACE_EXTRACT_ATTACHMENTS", "false")
    assert look_at_an_image().data.spans[0].inputs["messages"][0]["content"] == [IMAGE]


def check_who_sends_an_attachment_is_told_how_to_keep_it(experiment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(logging.getLogger("mlflow.tracing.client"), "warning", told.append)
    assert "mlflow-attachment" in str(look_at_an_image().data.spans[0].inputs)
    assert ["MLFLOW_TRACE_EXTRACT_ATTACHMENTS=false" in each for each in told] == [True]
