"""What `trace` and `start_span` capture, and that the traced program does not notice."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import unittest.mock
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace as otel

import tracehound
from tracehound import runtime
from tracehound.model.span import SpanStatus, SpanStatusCode
from tracehound.model.trace import Trace
from tracehound.settings import read_settings
from tracehound.testing import RecordedTraces, recorded_traces


def only(recorded: RecordedTraces) -> Trace:
    (trace,) = recorded.traces()
    return trace


def test_a_call_is_captured_with_its_arguments_and_its_result() -> None:
    @tracehound.trace
    def answer(question: str, top: int = 3, *rest: int, **more: str) -> dict[str, Any]:
        return {"text": question.upper(), "top": top}

    with recorded_traces() as traces:
        assert answer("why?", more="x") == {"text": "WHY?", "top": 3}
    (span,) = only(traces).data.spans
    assert span.inputs == {"question": "why?", "top": 3, "rest": [], "more": {"more": "x"}}
    assert span.outputs == {"text": "WHY?", "top": 3}
    assert span.get_attribute("mlflow.spanFunctionName") == "answer"


def test_a_failing_call_is_an_error_and_the_exception_still_reaches_the_caller() -> None:
    @tracehound.trace
    def lookup(key: str) -> None:
        raise KeyError(key)

    with recorded_traces() as traces, pytest.raises(KeyError):
        lookup("missing")
    assert traces.as_dicts() == [{"name": "lookup", "state": "ERROR", "spans": [{"name": "lookup", "status": "ERROR"}]}]


def test_an_exception_is_recorded_with_type_message_and_stack() -> None:
    with recorded_traces() as traces, pytest.raises(ValueError, match="no"), tracehound.start_span("step"):
        raise ValueError("no")
    (span,) = only(traces).data.spans
    assert span.status.description == "ValueError: no"
    (event,) = span.events
    assert event.name == "exception"
    assert event.attributes["exception.type"] == "ValueError"
    assert event.attributes["exception.message"] == "no"
    assert "test_trace.py" in event.attributes["exception.stacktrace"]


def test_a_child_that_fails_and_is_handled_leaves_the_trace_ok() -> None:
    @tracehound.trace(span_type="TOOL")
    def tool() -> None:
        raise RuntimeError

    @tracehound.trace(name="agent", span_type="AGENT", attributes={"model": "m-1"})
    def run() -> str:
        with pytest.raises(RuntimeError):
            tool()
        return "done"

    with recorded_traces() as traces:
        run()
    assert traces.as_dicts() == [
        {
            "name": "agent",
            "state": "OK",
            "spans": [{"name": "agent", "status": "OK", "spans": [{"name": "tool", "status": "ERROR"}]}],
        }
    ]
    agent, tool_span = only(traces).data.spans
    assert (agent.span_type, tool_span.span_type, agent.get_attribute("model")) == ("AGENT", "TOOL", "m-1")


def test_a_traced_function_keeps_its_signature_and_its_kind() -> None:
    def add(one: int, two: int = 2) -> int:
        """Add."""
        return one + two

    async def wait() -> None: ...

    traced = tracehound.trace(add)
    assert (traced.__name__, traced.__doc__) == ("add", "Add.")
    # With Starlette loaded the annotations are no texts any more (`capture.routes`).
    assert inspect.signature(traced, eval_str=True) == inspect.signature(add, eval_str=True)
    assert inspect.iscoroutinefunction(tracehound.trace(wait))
    assert not inspect.iscoroutinefunction(traced)


def test_a_call_that_does_not_fit_the_signature_fails_as_without_the_decorator() -> None:
    @tracehound.trace
    def add(one: int) -> int:
        return one

    with recorded_traces() as traces, pytest.raises(TypeError, match="unexpected keyword argument 'two'"):
        add(1, two=2)  # type: ignore[call-arg] # the mistake under test
    assert only(traces).info.state == "ERROR"


def test_methods_are_captured_without_self_and_cls() -> None:
    class Shop:
        @tracehound.trace
        def sell(self, item: str) -> str:
            return item

        @classmethod
        @tracehound.trace
        def make(cls, city: str) -> str:
            return city

        @staticmethod
        @tracehound.trace
        def price(item: str) -> int:
            return 3

    with recorded_traces() as traces:
        Shop().sell("bone")
        Shop.make("Bern")
        Shop.price("bone")
    assert [trace.data.spans[0].inputs for trace in traces.traces()] == [
        {"item": "bone"},
        {"city": "Bern"},
        {"item": "bone"},
    ]


def test_coroutines_that_run_together_keep_their_own_children() -> None:
    @tracehound.trace
    async def child(name: str) -> str:
        await asyncio.sleep(0)
        return name

    @tracehound.trace
    async def parent(name: str) -> list[str]:
        return list(await asyncio.gather(child(f"{name}1"), child(f"{name}2")))

    async def main() -> None:
        await asyncio.gather(parent("a"), parent("b"))

    with recorded_traces() as traces:
        asyncio.run(main())
    found = {}
    for trace in traces.traces():
        root, *children = trace.data.spans
        assert all(span.parent_id == root.span_id for span in children)
        found[root.inputs["name"]] = sorted(span.inputs["name"] for span in children)
    assert found == {"a": ["a1", "a2"], "b": ["b1", "b2"]}


def test_a_cancelled_coroutine_is_an_error_and_stays_cancelled() -> None:
    @tracehound.trace
    async def forever() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(forever())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with recorded_traces() as traces:
        asyncio.run(main())
    assert traces.as_dicts()[0]["state"] == "ERROR"


def test_a_span_that_outlives_its_root_joins_the_trace() -> None:
    @tracehound.trace
    def late() -> None:
        is_root_over.wait()
        tracehound.update_current_trace(tags={"late": "yes"})

    is_root_over = threading.Event()
    with recorded_traces() as traces:
        with tracehound.start_span("root") as root:
            thread = threading.Thread(target=contextvars.copy_context().run, args=(late,))
            thread.start()
        assert [span.name for span in only(traces).data.spans] == ["root"]
        is_root_over.set()
        thread.join()
    assert [span.name for span in only(traces).data.spans] == ["root", "late"]
    assert only(traces).info.tags["late"] == "yes"
    assert only(traces).data.spans[1].parent_id == root.span_id


def test_a_thread_begins_a_trace_of_its_own() -> None:
    @tracehound.trace
    def work() -> None: ...

    with recorded_traces() as traces, tracehound.start_span("main"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert sorted(each["name"] for each in traces.as_dicts()) == ["main", "work"]


def test_a_span_under_a_remote_parent_belongs_to_its_trace() -> None:
    remote = otel.SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=otel.TraceFlags(1))
    with recorded_traces() as traces, otel.use_span(otel.NonRecordingSpan(remote)), tracehound.start_span("handler"):
        tracehound.update_current_trace(tags={"env": "prod"})
    trace = only(traces)
    assert trace.info.trace_id == f"tr-{0xABC:032x}"
    assert trace.data.spans[0].parent_id == f"{0xDEF:016x}"
    assert (trace.info.name, trace.info.tags["env"]) == ("handler", "prod")


def test_a_span_under_a_proxy_of_one_of_ours_is_its_child() -> None:
    class Proxy(otel.NonRecordingSpan):
        """What other libraries put around the current span; only its ids count."""

    with recorded_traces() as traces, tracehound.start_span("outer") as outer:
        around = Proxy(outer.get_span_context())
        with otel.use_span(around), tracehound.start_span("inner"):
            pass
    assert [span.name for span in only(traces).data.spans] == ["outer", "inner"]


def test_outputs_that_the_body_sets_win_over_the_result() -> None:
    @tracehound.trace
    def stream() -> str:
        span = tracehound.get_current_active_span()
        assert span is not None
        span.set_outputs("what was said")
        span.set_inputs("what was asked")
        return "raw"

    with recorded_traces() as traces:
        stream()
    (span,) = only(traces).data.spans
    assert (span.inputs, span.outputs) == ("what was asked", "what was said")


def test_later_changes_to_a_value_do_not_change_the_trace() -> None:
    @tracehound.trace
    def fill(items: list[int]) -> list[int]:
        items.append(2)
        return items

    with recorded_traces() as traces:
        fill([1]).append(3)
    (span,) = only(traces).data.spans
    assert (span.inputs, span.outputs) == ({"items": [1]}, [1, 2])


def test_what_is_set_behind_the_end_counts_no_more() -> None:
    with recorded_traces() as traces:
        with tracehound.start_span("step") as span:
            span.set_status("OK")
            span.set_status("ERROR")  # OK is final
        span.set_outputs("late")
        span.set_attribute("late", value=True)
        span.end()
    (ended,) = only(traces).data.spans
    assert (ended.outputs, ended.status.status_code) == (None, "OK")
    assert "late" not in ended.attributes


def test_the_time_that_capture_takes_is_not_the_calls() -> None:
    with recorded_traces() as traces, tracehound.start_span("step") as span:
        assert span.end_time_ns is None
    (ended,) = only(traces).data.spans
    assert ended.duration_ns == 1_000_000  # one tick: the clock was read at the beginning and at the end


class Hostile:
    """Raises whatever one asks of it."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


VALUES = st.recursive(
    st.none() | st.binary() | st.text(st.characters(codec=None)) | st.floats() | st.integers() | st.builds(Hostile),
    lambda inner: st.lists(inner) | st.dictionaries(st.tuples(st.integers()), inner) | st.tuples(inner),
)


@given(VALUES)
def test_no_value_makes_capture_raise(value: Any) -> None:
    @tracehound.trace
    def same(value: Any) -> Any:
        return value

    with recorded_traces() as traces:
        assert same(value) is value
        tracehound.update_current_trace(tags={"outside": value})
    assert only(traces).info.state == "OK"


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let faults of capture be logged and counted, as in a user's program."""
    before = runtime.replace(runtime.Runtime(read_settings({"TRACEHOUND_TRACKING_URI": "memory://"})))
    monkeypatch.setattr(runtime, "faults", Counter())
    yield
    runtime.replace(before)


def test_a_fault_of_capture_is_said_once_and_the_program_goes_on(
    quiet: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    @tracehound.trace
    def add(one: int) -> int:
        with tracehound.start_span("inside") as span:
            span.set_inputs(one)
            tracehound.update_current_trace(tags={"env": "prod"})
        return one + 1

    @tracehound.trace
    def numbers() -> Iterator[int]:
        yield 1

    monkeypatch.setattr("tracehound.capture.call.begin_span", break_down)
    monkeypatch.setattr("tracehound.capture.manual.begin_span", break_down)
    assert [add(1), add(2), list(numbers())] == [2, 3, [1]]
    assert runtime.faults == {"begin": 3, "start_span": 2}
    assert caplog.text.count("tracing failed in begin") == 1


def test_a_setting_that_names_no_store_does_not_stop_the_program(
    quiet: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @tracehound.trace
    def add(one: int) -> int:
        return one + 1

    runtime.replace(None)
    monkeypatch.setenv("TRACEHOUND_TRACKING_URI", "mysql://localhost/x")
    assert add(1) == 2
    assert "'mysql://localhost/x' names no store" in caplog.text


class Text(str):
    """A text as libraries have them: numpy's are subclasses of str."""

    __slots__ = ()


@pytest.mark.parametrize(
    "say",
    [
        lambda span: span.add_event("e", {"n": 2**70, "long": "x" * 2_000_000}),
        lambda span: span.add_event("e", timestamp=1.5e18),
        lambda span: span.set_status(SpanStatus(SpanStatusCode.ERROR, "lone \ud800")),
        lambda span: span.set_attributes([("no", "mapping")]),
        lambda span: span.set_attribute("n", [object(), 10**5000]),
        lambda span: span.set_inputs(unittest.mock.MagicMock()),
        lambda span: span.update_name(Text("text")),
        lambda span: span.set_span_type(None),
        lambda span: span.end(end_time_ns=2**70),
        lambda span: span.end(1.7e18),
        lambda span: tracehound.update_current_trace(tags={Text("k"): Text("v"), "n": 2**70}),
    ],
)
def test_whatever_is_said_of_a_span_its_trace_arrives(say: Any) -> None:
    with tracehound.start_span("step") as span:
        say(span)
    (found,) = tracehound.search_traces(return_type="list")
    assert found.info.trace_id == span.trace_id


def test_a_call_under_a_remote_parent_is_found_when_it_returns_though_another_goes_on() -> None:
    remote = otel.SpanContext(0xABC, 0x1, is_remote=True, trace_flags=otel.TraceFlags(1))
    may_end, has_begun = threading.Event(), threading.Event()

    def handle_slowly() -> None:
        with otel.use_span(otel.NonRecordingSpan(remote)), tracehound.start_span("slow"):
            has_begun.set()
            may_end.wait()

    with recorded_traces() as traces:
        thread = threading.Thread(target=handle_slowly)
        thread.start()
        has_begun.wait()
        with otel.use_span(otel.NonRecordingSpan(remote)), tracehound.start_span("quick"):
            pass
        assert [span.name for span in only(traces).data.spans] == ["quick"]
        may_end.set()
        thread.join()
    assert [span.name for span in only(traces).data.spans] == ["slow", "quick"]
