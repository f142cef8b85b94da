"""Everything that can be called can be traced, and stays what it was."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import trace as otel

import tracehound
from tests.traces import said_metadata
from tracehound.entities import Link
from tracehound.errors import ArgumentError
from tracehound.model.ids import RandomIds
from tracehound.model.trace import Trace
from tracehound.testing import recorded_traces


class Shop:
    """Every kind of method, traced above and below what makes it that kind."""

    def __init__(self) -> None:
        self.owner = "Ann"

    @tracehound.trace
    def __call__(self, item: str) -> str:
        return f"called {item}"

    @tracehound.trace
    @classmethod
    def class_above(cls, item: str) -> tuple[type, str]:
        return cls, item

    @classmethod
    @tracehound.trace
    def class_below(cls, item: str) -> tuple[type, str]:
        return cls, item

    @tracehound.trace(span_type="TOOL")
    @staticmethod
    def static_above(item: str) -> str:
        return item

    @staticmethod
    @tracehound.trace
    def static_below(item: str) -> str:
        return item

    def whose(self) -> str:
        """Whose it is."""
        return self.owner

    def give_to(self, owner: str) -> None:
        self.owner = owner

    property_above = tracehound.trace(property(whose, give_to), name="property_above")

    @property
    @tracehound.trace
    def property_below(self) -> str:
        return self.owner


class Bakery(Shop): ...


@pytest.mark.parametrize(
    ("call", "result", "name", "inputs"),
    [
        (lambda: Shop()("bread"), "called bread", "__call__", {"item": "bread"}),
        (lambda: Bakery.class_above("bread"), (Bakery, "bread"), "class_above", {"item": "bread"}),
        (lambda: Bakery().class_below("bread"), (Bakery, "bread"), "class_below", {"item": "bread"}),
        (lambda: Shop.static_above("bread"), "bread", "static_above", {"item": "bread"}),
        (lambda: Shop().static_below("bread"), "bread", "static_below", {"item": "bread"}),
        (lambda: Shop().property_above, "Ann", "property_above", {}),
        (lambda: Shop().property_below, "Ann", "property_below", {}),
        (lambda: tracehound.trace(Shop().static_below)("x"), "x", "static_below", {"item": "x"}),
        (lambda: tracehound.trace(functools.partial(int, base=2))("101"), 5, "partial", None),
        (lambda: tracehound.trace(len)("abc"), 3, "len", {"obj": "abc"}),
        (lambda: tracehound.trace(max)(1, 2), 2, "max", {"args": [1, 2]}),
        (lambda: tracehound.trace(Shop(), name="shop")("x"), "called x", "shop", {"item": "x"}),
    ],
)
def test_methods_and_callables_of_every_kind(
    call: Callable[[], Any], result: Any, name: str, inputs: dict[str, Any] | None
) -> None:
    with recorded_traces() as traces:
        assert call() == result
    root = traces.traces()[0].data.spans[0]
    assert root.name == name
    assert inputs is None or root.inputs == inputs


def test_a_traced_property_keeps_its_setter_and_its_text() -> None:
    shop = Shop()
    with recorded_traces():
        shop.property_above = "Bob"
        assert shop.property_above == "Bob"
    assert inspect.getdoc(Shop.property_above) == "Whose it is."


def test_an_object_whose_call_is_a_coroutine_is_awaited() -> None:
    class Agent:
        async def __call__(self, question: str) -> str:
            await asyncio.sleep(0)
            return question.upper()

    with recorded_traces() as traces:
        assert asyncio.run(tracehound.trace(Agent(), name="agent")("why?")) == "WHY?"
    assert only(traces.traces()).data.spans[0].outputs == "WHY?"


@pytest.mark.parametrize("thing", [3, "text", [len]])
def test_what_cannot_be_called_is_refused(thing: object) -> None:
    with pytest.raises(ArgumentError, match="only functions and methods can be traced"):
        tracehound.trace(thing)  # type: ignore[call-overload] # the mistake under test


@pytest.mark.parametrize("decorate", [tracehound.trace, tracehound.trace(name="agent", span_type="AGENT")])
def test_a_class_is_refused_when_it_is_decorated_and_its_methods_are_not(decorate: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^Agent is a class, and would not be one any more: trace its methods"):

        @decorate
        class Agent:
            pass

    class Traced:
        @decorate  # type: ignore[untyped-decorator] # one of two
        def __init__(self, name: str) -> None:
            self.name = name

    with recorded_traces() as traces:
        assert isinstance(Traced("Ann"), Traced)
    assert only(traces.traces()).data.spans[0].inputs == {"name": "Ann"}


def test_threads_and_executors_that_are_given_the_context_join_the_trace() -> None:
    @tracehound.trace
    def child(number: int) -> int:
        return number

    async def parent() -> None:
        with tracehound.start_span("parent"):
            thread = threading.Thread(target=contextvars.copy_context().run, args=(child, 1))
            thread.start()
            thread.join()
            with ThreadPoolExecutor() as pool:
                futures = [pool.submit(contextvars.copy_context().run, child, number) for number in (2, 3)]
                assert [future.result() for future in futures] == [2, 3]
            await asyncio.to_thread(child, 4)
            await asyncio.gather(asyncio.to_thread(child, 5), asyncio.create_task(asyncio.to_thread(child, 6)))

    with recorded_traces() as traces:
        asyncio.run(parent())
    root, *children = only(traces.traces()).data.spans
    assert sorted(span.outputs for span in children) == [1, 2, 3, 4, 5, 6]
    assert {span.parent_id for span in children} == {root.span_id}


def test_a_span_without_context_has_the_times_and_the_parent_it_is_given() -> None:
    with recorded_traces() as traces:
        root = tracehound.start_span_no_context(
            "request", span_type="CHAIN", inputs={"path": "/"}, attributes={"n": 1}, tags={"a": 1, "none": None},
            metadata={"b": "x"}, start_time_ns=1_700_000_000_000_000_000,
        )  # fmt: skip
        child = tracehound.start_span_no_context("child", parent_span=root)
        assert tracehound.get_current_active_span() is None
        child.end()
        root.end(outputs=[1], attributes={"m": 2}, status="OK", end_time_ns=1_700_000_002_500_000_000)
        root.end(status="ERROR")
    trace = only(traces.traces())
    assert (trace.info.request_time, trace.info.execution_duration) == (1_700_000_000_000, 2500)
    assert (trace.info.tags["a"], said_metadata(trace.info), trace.info.state) == ("1", {"b": "x"}, "OK")
    found, below = trace.data.spans
    assert (found.span_type, found.inputs, found.outputs) == ("CHAIN", {"path": "/"}, [1])
    assert (found.get_attribute("n"), found.get_attribute("m")) == (1, 2)
    assert below.parent_id == found.span_id


def test_a_span_without_context_stands_below_the_current_one() -> None:
    with recorded_traces() as traces:
        with tracehound.start_span("outer"):
            late = tracehound.start_span_no_context("late")
        late.end()
    outer, inner = only(traces.traces()).data.spans
    assert inner.parent_id == outer.span_id


def test_links_are_kept_in_the_words_of_either_api() -> None:
    link = Link(trace_id="tr-" + "0" * 31 + "1", span_id="0" * 15 + "2", attributes={"why": "retry"})
    context = otel.SpanContext(1, 2, is_remote=True)
    with recorded_traces() as traces:
        with tracehound.start_span("block", links=[link]) as span:
            span.add_link(context, {"why": "retry"})
        tracehound.trace(len, links=[link])("abc")
    first, second = traces.traces()
    assert first.data.spans[0].links == [link, link]
    assert second.data.spans[0].links == [link]


def test_an_exception_can_be_told_by_its_message_alone() -> None:
    with recorded_traces() as traces, tracehound.start_span("step") as span:
        span.record_exception("something odd")
    (event,) = only(traces.traces()).data.spans[0].events
    assert event.attributes["exception.message"] == "something odd"


def test_the_last_trace_is_known_in_the_process_and_in_each_thread() -> None:
    seen: list[str | None] = []

    def elsewhere() -> None:
        seen.append(tracehound.get_last_active_trace_id(thread_local=True))
        with tracehound.start_span("there") as span:
            pass
        seen.extend([span.trace_id, tracehound.get_last_active_trace_id(thread_local=True)])

    with recorded_traces():
        with tracehound.start_span("here") as span:
            assert tracehound.get_active_trace_id() == span.trace_id
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert tracehound.get_active_trace_id() is None
        assert tracehound.get_last_active_trace_id(thread_local=True) == span.trace_id
        assert seen == [None, tracehound.get_last_active_trace_id(), tracehound.get_last_active_trace_id()]


def test_a_program_that_seeds_the_global_generator_has_ids_of_its_own() -> None:
    runs = []
    for _ in range(2):
        random.seed(1)
        ids = RandomIds()
        runs.append([ids.trace_id(), ids.span_id()])
    assert not set(runs[0]) & set(runs[1])


def only(traces: list[Trace]) -> Trace:
    (trace,) = traces
    return trace
