"""Writes the files beside it with the real MLflow: run it in an environment that has MLflow, not in the suite.

    python tests/data/mlflow/record.py        # into MLFLOW_VERSION.json, beside this file

No server and no network is needed: entities are made as MLflow makes them, written by its own methods, read by them
again, and what they then write is kept as well. Each case has the text or object that was `given`, and what MLflow
`wrote` when it had read it. Spans are made of OpenTelemetry's, as MLflow's tracer makes them.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import (
    AssessmentError,
    AssessmentSource,
    Expectation,
    Feedback,
    Span,
    SpanEvent,
    Trace,
    TraceData,
    TraceInfo,
    TraceState,
)
from mlflow.entities.assessment import IssueReference
from mlflow.entities.trace_location import TraceLocation
from mlflow.tracing.utils import dump_span_attribute_value
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import Event, ReadableSpan

TRACE = 0x0123456789ABCDEF0123456789ABCDEF
TRACE_ID = f"tr-{TRACE:032x}"
START_NS = 1_763_689_194_213_456_789
START_MS = START_NS // 1_000_000
VALUES: dict[str, Any] = {
    "text": '日本語 é \U0001f600 "quoted" \\ \n\t end',
    "nested": {"list": [1, 2.5, None, True, {"deep": [[], {}, ""]}], "": "empty key"},
    "large": [2**53 + 1, -(2**63), 2**64 + 1, 10**40],
    "floats": [0.1, 1e22, 1e-7, 5e-324, -0.0, 1.0],
    "odd": [float("nan"), float("inf"), float("-inf")],
    "surrogate": "\ud800 lone",
    "nul": "a\x00b",
}


def span(
    number: int,
    parent: int | None = None,
    *,
    name: str = "step",
    attributes: dict[str, Any] | None = None,
    raw: dict[str, Any] | None = None,
    events: tuple[Event, ...] = (),
    status: otel.Status | None = None,
    end_ns: int | None = START_NS + 5_000_000,
    links: tuple[otel.Link, ...] = (),
    span_type: str | None = "CHAIN",
    kind: otel.SpanKind = otel.SpanKind.INTERNAL,
) -> Span:
    """Return a span as MLflow has it when it has ended; `raw` is set as it is, as OpenTelemetry's own API does."""

    def context(of: int) -> otel.SpanContext:
        return otel.SpanContext(TRACE, of, is_remote=False, trace_flags=otel.TraceFlags(1))

    said = {"mlflow.traceRequestId": TRACE_ID, **({"mlflow.spanType": span_type} if span_type else {})}
    texts = {key: dump_span_attribute_value(value) for key, value in {**said, **(attributes or {})}.items()}
    return Span(
        ReadableSpan(
            name,
            context=context(number),
            parent=None if parent is None else context(parent),
            attributes={**texts, **(raw or {})},
            events=events,
            links=links,
            kind=kind,
            status=status or otel.Status(otel.StatusCode.OK),
            start_time=START_NS + number,
            end_time=end_ns,
        )
    )


def info(**said: Any) -> TraceInfo:
    """Return what MLflow knows of a trace, with what is said."""
    known: dict[str, Any] = {
        "trace_id": TRACE_ID,
        "trace_location": TraceLocation.from_experiment_id("17"),
        "request_time": START_MS,
        "state": TraceState.OK,
        "execution_duration": 151,
    }
    return TraceInfo(**{**known, **said})


def failing() -> Event:
    """Return the event of an exception that was raised."""
    try:
        raise KeyError("missing ключ")  # noqa: TRY301 - it is wanted with a stack
    except KeyError as error:
        event = SpanEvent.from_exception(error)
    return Event(event.name, event.attributes, START_NS + 7)


def assessments() -> list[Any]:
    """Return assessments of all kinds."""
    times: dict[str, Any] = {"create_time_ms": START_MS, "last_update_time_ms": START_MS + 787, "trace_id": TRACE_ID}
    human = AssessmentSource("HUMAN", "bob@example.com")
    error = AssessmentError("RATE_LIMIT", "too many", "Traceback…\n  line")
    made = [
        Feedback("correct", value=True, source=human, rationale="as in the book", metadata={"m": "1"}, **times),
        *(
            Feedback(f"value {number}", value, **times)
            for number, value in enumerate([1, 0.9, "good", "", False, [1, "a"], {"k": 2}])
        ),
        Feedback("failed", error=error, source=AssessmentSource("LLM_JUDGE", "judge-1"), **times),
        Feedback("short error", error="no answer", span_id="0000000000000001", **times),
        Feedback("replaced", 2, overrides="a-1", valid=False, **times),
        Expectation("answer", "Paris", source=human, **times),
        Expectation("facts", {"a": [1, 2.5, None], "é": "日本"}, metadata={}, **times),
        Expectation("list", ["x", {"y": 1}], **times),
        Expectation("count", 5, **times),
        IssueReference(
            "is-1", "wrong language", run_id="r1", metadata={"mlflow.assessment.sourceRunId": "r1"}, **times
        ),
        Feedback("without trace", 1, create_time_ms=0, last_update_time_ms=START_MS // 1000 * 1000),
    ]
    for number, assessment in enumerate(made):
        assessment.assessment_id = f"a-{number:032x}" if number % 2 else None
    return made


def traces() -> dict[str, Trace]:
    """Return the traces to be written, by what they show."""
    elsewhere = otel.SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=otel.TraceFlags(1))
    usage = {"input_tokens": 12, "output_tokens": 34, "total_tokens": 46}
    cost = {"input_cost": 0.001, "output_cost": 0.002, "total_cost": 0.003}
    odd_event = Event("odd", {"n": float("nan"), "i": float("inf"), "text": "é \ud800", "list": (1, 2)}, START_NS + 9)
    return {
        "plain": Trace(info(), TraceData([span(1)])),
        "everything in its info": Trace(
            info(
                client_request_id="req-1",
                request_preview='{"q": "why? 日本"}',
                response_preview="",
                trace_metadata={
                    "mlflow.trace_schema.version": "3",
                    "mlflow.trace.tokenUsage": json.dumps(usage),
                    "mlflow.trace.cost": json.dumps(cost),
                    "mlflow.trace.user": "alice",
                    "empty": "",
                },
                tags={"mlflow.traceName": "étape", "a.b": "x\x00y", "empty": ""},
            ),
            TraceData([span(1, attributes={"mlflow.chat.tokenUsage": usage, "mlflow.llm.cost": cost})]),
        ),
        "values": Trace(
            info(request_time=START_MS // 1000 * 1000),
            TraceData(
                [
                    span(1, attributes={"mlflow.spanInputs": VALUES, "mlflow.spanOutputs": VALUES["nested"], **VALUES}),
                    span(2, 1, attributes={"mlflow.spanInputs": None, "mlflow.spanOutputs": ""}, name=""),
                ]
            ),
        ),
        "errors": Trace(
            info(state=TraceState.ERROR),
            TraceData(
                [
                    span(1, events=(failing(),), status=otel.Status(otel.StatusCode.ERROR, "KeyError: 'missing ключ'")),
                    span(2, 1, events=(Event("tick", {}, START_NS + 8), odd_event)),
                    span(3, 1, status=otel.Status(otel.StatusCode.ERROR)),
                    span(4, 2, status=otel.Status(otel.StatusCode.UNSET)),
                ]
            ),
        ),
        "links": Trace(
            info(),
            TraceData([span(1, links=(otel.Link(elsewhere, {"why": "retry", "n": 2}), otel.Link(elsewhere)))]),
        ),
        "running": Trace(
            info(state=TraceState.IN_PROGRESS, execution_duration=None),
            TraceData([span(1, end_ns=None, status=otel.Status(otel.StatusCode.UNSET))]),
        ),
        "unspecified, and no spans": Trace(
            info(state=TraceState.STATE_UNSPECIFIED, execution_duration=0, request_time=0), TraceData([])
        ),
        "types, kinds and texts of others": Trace(
            info(),
            TraceData(
                [
                    span(1, span_type="my own type"),
                    span(2, 1, span_type=None, kind=otel.SpanKind.CLIENT),
                    span(3, 1, span_type=None, raw={"mlflow.spanType": "LLM", "gen_ai.system": "openai", "n": "5"}),
                    span(4, 1, attributes={"mlflow.spanType": None}),
                ]
            ),
        ),
        "assessments": Trace(info(assessments=assessments()), TraceData([span(1)])),
    }


def second_generation() -> dict[str, dict[str, Any]]:
    """Return traces as MLflow 2 and MLflow 3.5.0 wrote them, which MLflow still reads."""
    request_id = "58f287f410904031992e9fbea2e2a9db"
    attributes = {
        "mlflow.traceRequestId": f'"{request_id}"',
        "mlflow.spanType": '"TOOL"',
        "mlflow.spanInputs": '{"x": 1}',
    }
    context = {"trace_id": f"0x{TRACE:032x}", "span_id": "0x0000000000000001"}
    old = {
        "name": "step", "context": context, "parent_id": None, "start_time": START_NS, "end_time": START_NS + 5,
        "status_code": "ERROR", "status_message": "no", "attributes": attributes,
        "events": [{"name": "e", "timestamp": START_NS + 1, "attributes": {"k": "v"}}],
    }  # fmt: skip
    child = {**old, "context": {**context, "span_id": "0x0000000000000002"}, "parent_id": "0x0000000000000001",
             "status_code": "OK", "status_message": "", "events": []}  # fmt: skip
    old_info = {
        "request_id": request_id, "experiment_id": "3", "timestamp_ms": START_MS, "execution_time_ms": 7,
        "status": "OK",
        "request_metadata": {"mlflow.source.name": "app.py"}, "tags": {"mlflow.traceName": "step"},
    }  # fmt: skip
    written = traces()["errors"].to_dict()
    hexadecimal = [
        {**each.to_dict(), "trace_id": TRACE_ID, "span_id": each.span_id, "parent_span_id": each.parent_id,
         "status": {"code": str(each.status.status_code.value), "message": each.status.description}}
        for each in traces()["errors"].data.spans
    ]  # fmt: skip
    return {
        "MLflow 2": {"info": old_info, "data": {"spans": [old, child], "request": '{"x": 1}', "response": None}},
        "MLflow 2, running": {
            "info": {**old_info, "status": "TRACE_STATUS_UNSPECIFIED", "execution_time_ms": None},
            "data": {"spans": []},
        },
        "MLflow 3.5.0, hexadecimal ids": {"info": written["info"], "data": {"spans": hexadecimal}},
    }


def main() -> None:
    """Write the file of this MLflow."""
    warnings.simplefilter("ignore")
    given = {name: trace.to_json() for name, trace in traces().items()}
    given |= {name: json.dumps(form) for name, form in second_generation().items()}
    cases = [{"name": name, "given": text, "wrote": Trace.from_json(text).to_json()} for name, text in given.items()]
    path = Path(__file__).with_name(f"{mlflow.__version__}.json")
    path.write_text(json.dumps({"mlflow": mlflow.__version__, "cases": cases}, indent=1) + "\n", "utf-8")
    sys.stdout.write(f"{path}: {len(cases)} cases\n")


if __name__ == "__main__":
    main()
