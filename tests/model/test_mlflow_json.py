"""What MLflow wrote is read and gives the same again, and MLflow reads what is written here."""

from __future__ import annotations

import copy
import json
import math
import os
import pickle
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.model.trace_strategies import TRACES
from tracehound.entities import Expectation, Link, Span, SpanEvent, Trace, TraceInfo, TraceLocation

DATA = Path(__file__).parents[1] / "data" / "mlflow"
RECORDED: dict[str, dict[str, Any]] = {
    f"{path.stem} {case['name']}": case
    for path in sorted(DATA.glob("*.json"))
    for case in json.loads(path.read_text("utf-8"))["cases"]
}
CASES = [pytest.param(case, id=name) for name, case in RECORDED.items()]
OLD = ("MLflow 2", "MLflow 2, running", "MLflow 3.5.0, hexadecimal ids")


@pytest.mark.parametrize("case", CASES)
def test_what_mlflow_wrote_is_written_again_as_it_was(case: dict[str, Any]) -> None:
    trace = Trace.from_json(case["given"])
    newest = json.loads(case["wrote"])
    if case["name"] == "MLflow 2":  # MLflow 3.18 says a kind, 3.17 had none
        newest["data"]["spans"] = [{"kind": "SPAN_KIND_INTERNAL", **span} for span in newest["data"]["spans"]]
    assert exact(trace.to_dict()) == exact(newest)
    assert exact(strictly_valid(trace.to_json())) == exact(without_nan(newest))
    if case["name"] not in OLD:
        assert exact(trace.to_dict()) == exact(json.loads(case["given"]))


@pytest.mark.parametrize("case", CASES)
def test_what_mlflow_wrote_is_the_same_as_dict_json_pickle_and_copy(case: dict[str, Any]) -> None:
    trace = Trace.from_json(case["given"])
    assert Trace.from_dict(trace.to_dict()) == trace
    assert pickle.loads(pickle.dumps(trace)) == copy.deepcopy(trace) == trace
    written = trace.to_json()
    assert Trace.from_json(written).to_json() == written  # what JSON does not have is null from here on


@given(TRACES)
def test_any_trace_is_the_same_as_dict_json_pickle_and_copy(trace: Trace) -> None:
    assert Trace.from_dict(trace.to_dict()) == trace
    assert Trace.from_json(trace.to_json()) == trace
    assert Trace.from_json(trace.to_json(pretty=True).encode()) == trace
    assert pickle.loads(pickle.dumps(trace)) == copy.deepcopy(trace) == trace
    assert hash(copy.deepcopy(trace)) == hash(trace)
    assert TraceInfo.from_dict(trace.info.to_dict()) == trace.info
    assert [Span.from_dict(span.to_dict()) for span in trace.data.spans] == trace.data.spans
    assert [type(trace.info).from_dict(form) for form in [trace.info.to_dict()]] == [trace.info]


def test_mlflow_reads_what_is_written_here(tmp_path: Path) -> None:
    python = os.environ.get("TRACEHOUND_TEST_MLFLOW_PYTHON")
    if not python:
        pytest.skip("TRACEHOUND_TEST_MLFLOW_PYTHON does not name a Python that has MLflow")
    cases = [written(Trace.from_json(case["given"])) for case in RECORDED.values()]

    @settings(max_examples=100, database=None, derandomize=True, suppress_health_check=list(HealthCheck), deadline=None)
    @given(TRACES)
    def collect(trace: Trace) -> None:
        cases.append(written(trace))

    collect()
    path = tmp_path / "written.json"
    path.write_text(json.dumps(cases), "utf-8")
    command, environment = [python, str(DATA / "check.py"), str(path)], {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    assert f"{len(cases)} traces agree, 0 do not" in done.stdout


def test_numbers_and_texts_at_the_edges_come_back_as_they_were() -> None:
    trace = Trace.from_json(RECORDED["3.18.0 values"]["given"])
    inputs = trace.data.spans[0].inputs
    assert inputs["large"] == [2**53 + 1, -(2**63), 2**64 + 1, 10**40]
    assert math.isnan(inputs["odd"][0])
    assert inputs["odd"][1:] == [math.inf, -math.inf]
    assert (inputs["surrogate"], inputs["nul"]) == ("\ud800 lone", "a\x00b")


def test_what_json_does_not_have_is_null_in_json_and_itself_in_dicts() -> None:
    trace = Trace.from_json(RECORDED["3.18.0 errors"]["given"])
    event = trace.data.spans[1].events[1]
    assert math.isnan(event.attributes["n"])
    assert event.attributes["text"] == "é \ud800"
    again = Trace.from_json(trace.to_json()).data.spans[1].events[1]
    assert again.attributes == {**event.attributes, "n": None, "i": None}


def written(trace: Trace) -> dict[str, Any]:
    """Return the trace as JSON, and what MLflow should see of it when it reads that."""
    text = trace.to_json()
    read = Trace.from_json(text)
    info = read.info
    expected = {
        "trace_id": info.trace_id,
        "experiment_id": info.experiment_id,
        "request_time": info.request_time,
        "execution_duration": info.execution_duration,
        "state": info.state,
        "request_preview": info.request_preview,
        "response_preview": info.response_preview,
        "client_request_id": info.client_request_id,
        "trace_metadata": info.trace_metadata,
        "tags": info.tags,
        "request": roots(read)[0].inputs_json if roots(read) else None,
        "response": roots(read)[0].outputs_json if roots(read) else None,
        "spans": [seen(span) for span in read.data.spans],
        "assessments": [seen_assessment(each) for each in info.assessments],
    }
    return {"written": text, "expected": expected}


def roots(trace: Trace) -> list[Span]:
    return [span for span in trace.data.spans if span.parent_id is None]


def seen(span: Span) -> dict[str, Any]:
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "name": span.name,
        "start_time_ns": span.start_time_ns,
        "end_time_ns": span.end_time_ns,
        "status": [span.status.status_code, span.status.description],
        "span_type": span.span_type,
        "inputs": span.inputs,
        "outputs": span.outputs,
        "attributes": span.attributes,
        "events": [[event.name, event.timestamp, event.attributes] for event in span.events],
        "links": [[link.trace_id, link.span_id, link.attributes] for link in span.links],
    }


def seen_assessment(each: Any) -> dict[str, Any]:
    error = getattr(each, "error", None)
    return {
        "kind": type(each).__name__,
        "name": each.name,
        "value": getattr(each, "value", None),
        "issue_name": getattr(each, "issue_name", None),
        "error": None if error is None else [error.error_code, error.error_message, error.stack_trace],
        "source": [each.source.source_type, each.source.source_id],
        "assessment_id": each.assessment_id,
        "span_id": each.span_id,
        "rationale": None if isinstance(each, Expectation) else each.rationale,  # see check.py
        "metadata": each.metadata,
        "times": [each.create_time_ms, each.last_update_time_ms],
    }


def exact(value: Any) -> str:
    """Return a value as text that is equal for equal JSON values only: 1, 1.0 and true are three."""
    return json.dumps(value, sort_keys=True, indent=0)


def strictly_valid(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def test_links_events_and_locations_are_made_as_in_mlflow() -> None:
    link = Link("tr-" + "0" * 31 + "1", "0" * 15 + "2", {"why": "retry"})
    assert Link.from_dict(link.to_dict()) == link
    assert SpanEvent("e", 5, {"k": 1}).timestamp_ns == 5
    assert TraceLocation.from_dict(TraceLocation.from_experiment_id("7").to_dict()).mlflow_experiment is not None
