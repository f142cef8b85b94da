"""Reads what Tracehound wrote with the real MLflow: run it in an environment that has MLflow, not in the suite.

    python tests/data/mlflow/check.py FILE...

Each file holds a JSON list of traces, and of each what its reader should find (`expected`). What MLflow's own classes
make of a trace is compared with that, and so is what they write again. The last line says how many traces agreed; the
exit code is 1 if one did not, and each that did not is named.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

from mlflow.entities import Expectation, Span, Trace, TraceInfo

# What MLflow cuts when it writes a trace again: it is compared up to there.
MOST_METADATA = 250
MOST_TAG = 4096


def seen(trace: Trace) -> dict[str, Any]:
    """Return what a user sees of a trace, through MLflow's classes."""
    info = trace.info
    return {
        "trace_id": info.trace_id,
        "experiment_id": info.experiment_id,
        "request_time": info.request_time,
        "execution_duration": info.execution_duration,
        "state": str(info.state),
        "request_preview": info.request_preview,
        "response_preview": info.response_preview,
        "client_request_id": info.client_request_id,
        "trace_metadata": info.trace_metadata,
        "tags": info.tags,
        "request": trace.data.request,
        "response": trace.data.response,
        "spans": [seen_span(span) for span in trace.data.spans],
        "assessments": [seen_assessment(each) for each in info.assessments],
    }


def seen_span(span: Span) -> dict[str, Any]:
    """Return what a user sees of a span."""
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "name": span.name,
        "start_time_ns": span.start_time_ns,
        "end_time_ns": span.end_time_ns,
        "status": [str(span.status.status_code.value), span.status.description],
        "span_type": span.span_type,
        "inputs": span.inputs,
        "outputs": span.outputs,
        "attributes": span.attributes,
        "events": [[event.name, event.timestamp, plain(event.attributes)] for event in span.events],
        "links": [[link.trace_id, link.span_id, link.attributes] for link in span.links],
    }


def seen_assessment(assessment: Any) -> dict[str, Any]:
    """Return what a user sees of an assessment."""
    error = getattr(assessment, "error", None)
    return {
        "kind": type(assessment).__name__,
        "name": assessment.name,
        "value": getattr(assessment, "value", None),
        "issue_name": getattr(assessment, "issue_name", None),
        "error": None if error is None else [error.error_code, error.error_message, error.stack_trace],
        "source": [assessment.source.source_type, assessment.source.source_id],
        "assessment_id": assessment.assessment_id,
        "span_id": assessment.span_id,
        # MLflow forgets the rationale of an expectation when it reads JSON.
        "rationale": None if isinstance(assessment, Expectation) else assessment.rationale,
        "metadata": assessment.metadata,
        "times": [assessment.create_time_ms, assessment.last_update_time_ms],
    }


def plain(value: Any) -> Any:
    """Return a value with JSON types only: OpenTelemetry makes tuples of lists, and cleans what it does not like."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def written_again(form: dict[str, Any]) -> dict[str, Any]:
    """Return a trace as MLflow should write it again: cut where it cuts, without the kinds that 3.17 does not know.

    Assessments are left to `seen_assessment`: MLflow passes them through protobuf, where whole numbers become others.
    """
    info = {key: value for key, value in form["info"].items() if key != "assessments"}
    for key, most in (("trace_metadata", MOST_METADATA), ("tags", MOST_TAG)):
        if key in info:
            info[key] = {name[:250]: value[:most] for name, value in info[key].items()}
    return {"info": info, "data": {"spans": [{**span, "kind": None} for span in form["data"]["spans"]]}}


def faults(case: dict[str, Any]) -> list[str]:
    """Return in which ways MLflow reads one trace differently."""
    trace = Trace.from_json(case["written"])
    form = json.loads(case["written"])
    again = json.loads(trace.to_json())
    found = {
        "what is seen": (text(seen(trace)), text(case["expected"])),
        "what is written again": (text(written_again(again)), text(written_again(form))),
        "TraceInfo.from_dict": (text(TraceInfo.from_dict(form["info"]).to_dict()), text(trace.info.to_dict())),
        "Span.from_dict": (
            text([Span.from_dict(span).to_dict() for span in form["data"]["spans"]]),
            text(again["data"]["spans"]),
        ),
    }
    return [f"{name}: {difference(ours, theirs)}" for name, (ours, theirs) in found.items() if ours != theirs]


def text(value: Any) -> str:
    """Return a value as text that is equal for equal JSON values only: 1, 1.0 and true are three."""
    return json.dumps(value, sort_keys=True, indent=0)


def difference(ours: str, theirs: str) -> str:
    """Return the first line that differs, of both."""
    lines = zip(ours.split("\n"), theirs.split("\n"), strict=False)
    return next((f"{one[:200]} | {other[:200]}" for one, other in lines if one != other), "one is longer")


def main(paths: list[str]) -> int:
    """Check the files; return the exit code."""
    warnings.simplefilter("ignore")
    good = bad = 0
    for path in paths:
        for number, case in enumerate(json.loads(Path(path).read_text("utf-8"))):
            wrong = faults(case)
            good, bad = good + (not wrong), bad + bool(wrong)
            for line in wrong:
                sys.stdout.write(f"{path} {number}: {line}\n")
    import mlflow

    sys.stdout.write(f"MLflow {mlflow.__version__}: {good} traces agree, {bad} do not\n")
    return 1 if bad or not good else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
