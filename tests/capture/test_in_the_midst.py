"""What comes in the midst of capture: signals, finalizers, forks, odd exceptions, changes of place."""

from __future__ import annotations

import contextvars
import gc
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import propagate
from opentelemetry import trace as otel

import tracehound
from tests.spool.programs import start
from tracehound import runtime
from tracehound.capture.live_span import LiveSpan
from tracehound.context.draft import TraceDraft
from tracehound.model.trace import Trace, TraceState
from tracehound.testing import recorded_traces


class Interrupting:
    """A value whose encoding is interrupted, as a large one is by Ctrl-C."""

    def model_dump(self) -> dict[str, Any]:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    "begin",
    [
        lambda: tracehound.trace(lambda value: value)(Interrupting()),
        lambda: tracehound.start_span("x", attributes={"value": Interrupting()}).__enter__(),
        lambda: tracehound.start_span_no_context("x", inputs=Interrupting()),
    ],
)
def test_an_interrupted_beginning_leaves_no_span_open(begin: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        begin()
    assert runtime.current().open_spans == {}


def test_a_span_that_its_program_has_forgotten_is_forgotten() -> None:
    with tracehound.start_span("outer"):
        tracehound.start_span_no_context("never ended")
    gc.collect()
    here = runtime.current()
    here.watch()
    assert here._running is not None
    here._running.take_all()
    assert here.open_spans == {}
    (trace,) = everything()
    assert [span.name for span in trace.data.spans] == ["outer"]


def test_recorded_traces_leave_no_thread_behind() -> None:
    before = set(threading.enumerate())  # of which one may end meanwhile
    for _ in range(5):
        with recorded_traces(), tracehound.start_span("step"):
            pass
    assert set(threading.enumerate()) <= before


class NoNotesError(Exception):
    @property
    def __notes__(self) -> list[str]:  # type: ignore[override] # that is what is odd
        raise RuntimeError("no notes")


class NoTextError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def odd_exceptions() -> list[Exception]:
    malformed = SyntaxError("bad", ("file", "line", object(), 5))  # type: ignore[arg-type] # that is what is wrong
    return [NoNotesError("x"), NoTextError("x"), malformed]


@pytest.mark.parametrize("exception", odd_exceptions(), ids=lambda each: type(each).__name__)
def test_an_exception_that_cannot_be_written_out_reaches_the_caller_and_the_trace(exception: Exception) -> None:
    @tracehound.trace
    def fail() -> None:
        raise exception

    with pytest.raises(type(exception)) as raised:
        fail()
    assert raised.value is exception
    (trace,) = everything()
    assert trace.info.state is TraceState.ERROR


def test_of_a_deep_recursion_each_span_tells_the_innermost_calls() -> None:
    @tracehound.trace
    def descend(depth: int) -> None:
        if depth == 0:
            raise ValueError("the bottom")
        descend(depth - 1)

    with recorded_traces() as traces, pytest.raises(ValueError, match="the bottom"):
        descend(60)
    root = traces.traces()[0].data.spans[0]
    assert 10 <= root.events[0].attributes["exception.stacktrace"].count("File ") <= 50


def test_an_exception_is_named_with_its_module() -> None:
    with recorded_traces() as traces, pytest.raises(NoTextError), tracehound.start_span("step"):
        raise NoTextError
    event = traces.traces()[0].data.spans[0].events[0]
    assert event.attributes["exception.type"] == f"{__name__}.NoTextError"


def test_a_span_below_a_remote_parent_does_not_wait_for_the_store() -> None:
    here = runtime.current()
    with tracehound.start_span("first"):
        pass
    context = propagate.extract({"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"})
    waiting = threading.Thread(
        target=lambda: tracehound.tracing.get_tracer_provider().get_tracer("x").start_span("served", context).end()
    )
    with here._store_lock:  # as while a file is opened that another program keeps locked
        waiting.start()
        waiting.join(timeout=20)
        assert not waiting.is_alive()


def test_what_vendors_keep_beside_the_ids_goes_on_with_the_trace() -> None:
    carried: dict[str, str] = {}
    context = propagate.extract({"traceparent": f"00-{'1' * 32}-{'2' * 16}-01", "tracestate": "vendor=abc"})
    tracer = tracehound.tracing.get_tracer_provider().get_tracer("x")
    with tracer.start_as_current_span("served", context), tracehound.start_span("inner"):
        propagate.inject(carried)
    assert carried["tracestate"] == "vendor=abc"


def test_what_is_no_link_is_left_out_and_said(caplog: pytest.LogCaptureFixture) -> None:
    with tracehound.start_span("step") as span:
        span.add_link(None)  # type: ignore[arg-type] # the mistake under test
    assert "it was left out" in caplog.text


def test_mlflows_names_of_inputs_and_outputs_mean_those() -> None:
    names = {
        "mlflow.spanInputs": {"q": 1},
        "mlflow.spanOutputs": [2],
        "mlflow.spanType": "LLM",
        "mlflow.traceRequestId": 3,
    }
    with recorded_traces() as traces, tracehound.start_span("step", attributes=names) as span:
        pass
    found = traces.traces()[0].data.spans[0]
    assert (found.inputs, found.outputs, found.span_type) == ({"q": 1}, [2], "LLM")
    assert found.get_attribute("mlflow.traceRequestId") == span.trace_id
    assert traces.traces()[0].info.request_preview == '{"q":1}'


def test_a_span_that_has_ended_is_not_the_active_one() -> None:
    with tracehound.start_span("step") as span:
        span.end()
        assert tracehound.get_current_active_span() is None


def test_a_trace_that_runs_while_its_place_is_named_again_goes_on(store_path: Path) -> None:
    with tracehound.start_span("outer") as span:
        running = runtime.current()
        running.watch()
        assert running._running is not None
        running._running.take_all()
        tracehound.set_tracking_uri(str(store_path))
        assert state_of(span.trace_id) is TraceState.IN_PROGRESS
    assert state_of(span.trace_id) is TraceState.OK


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_the_spans_that_a_child_inherits_end_in_the_parent(store_path: Path) -> None:
    program = """
import os, sys, warnings, tracehound
warnings.simplefilter("ignore")
with tracehound.start_span("outer"):
    child = os.fork()
    with tracehound.start_span("child" if child == 0 else "parent"):
        pass
    if child == 0:
        sys.exit(0)
    os.waitpid(child, 0)
"""
    start(program, store_path).communicate()
    (trace,) = everything()
    assert trace.info.state is TraceState.OK
    assert sorted(span.name for span in trace.data.spans) == ["child", "outer", "parent"]


def test_closing_a_generator_gives_what_it_gives_untraced() -> None:
    def count() -> Any:
        try:
            yield 1
        except GeneratorExit:
            return 5

    def close(made: Any) -> Any:
        next(made)
        return made.close()

    assert close(tracehound.trace(count)()) == close(count()) == (5 if sys.version_info >= (3, 13) else None)


def test_a_proxy_of_a_span_that_is_gone_begins_a_part_of_its_trace() -> None:
    span = tracehound.start_span_no_context("gone")
    ids = span.get_span_context()
    del span
    with recorded_traces() as traces, otel.use_span(otel.NonRecordingSpan(ids)), tracehound.start_span("later"):
        pass
    assert traces.traces()[0].info.trace_id == f"tr-{ids.trace_id:032x}"


def test_what_begins_below_a_span_that_has_ended_joins_its_trace() -> None:
    with tracehound.start_span("root"):
        inside = contextvars.copy_context()
    assert inside.run(tracehound.trace(lambda: "late", name="late")) == "late"
    (trace,) = everything()
    assert [span.name for span in trace.data.spans] == ["root", "late"]


def test_a_root_that_ends_while_its_first_child_begins_leaves_the_child_in_the_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = LiveSpan(runtime.current(), "root", "UNKNOWN", {}, runtime.current().ids.trace_id())
    root.start()

    def make_while_another_thread_ends_the_root(trace_number: int, experiment: str, root_id: str) -> TraceDraft:
        root.end()
        return TraceDraft(trace_number, experiment, root_id)

    monkeypatch.setattr("tracehound.capture.live_span.TraceDraft", make_while_another_thread_ends_the_root)
    tracehound.start_span_no_context("child", parent_span=root).end()
    (trace,) = everything()
    assert [span.name for span in trace.data.spans] == ["root", "child"]


def test_attributes_of_one_call_are_not_those_of_the_next() -> None:
    @tracehound.trace(attributes={"shared": 1})
    def step(own: int) -> None:
        span = tracehound.get_current_active_span()
        assert span is not None
        span.set_attribute("own", own)
        span.set_attribute("shared", own)

    with recorded_traces() as traces:
        step(1)
        step(2)
    found = [trace.data.spans[0] for trace in traces.traces()]
    assert [(span.get_attribute("own"), span.get_attribute("shared")) for span in found] == [(1, 1), (2, 2)]


def everything() -> list[Trace]:
    return tracehound.search_traces(return_type="list")


def state_of(trace_id: str) -> TraceState:
    found = tracehound.get_trace(trace_id)
    assert found is not None
    return found.info.state
