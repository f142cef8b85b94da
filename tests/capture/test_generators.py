"""Generators behave as without the decorator, and leave one span each, however they end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracehound
from tracehound.errors import ArgumentError
from tracehound.model.span import Span
from tracehound.testing import RecordedTraces, recorded_traces


def only_span(recorded: RecordedTraces) -> Span:
    (trace,) = recorded.traces()
    return trace.data.spans[0]


@tracehound.trace
def count(stop: int) -> Iterator[int]:
    yield from range(stop)


def test_the_outputs_are_the_items() -> None:
    with recorded_traces() as traces:
        assert list(count(3)) == [0, 1, 2]
    span = only_span(traces)
    assert (span.name, span.inputs, span.outputs) == ("count", {"stop": 3}, [0, 1, 2])
    assert inspect.isgeneratorfunction(count)


def test_a_break_ends_the_span_with_the_items_up_to_there() -> None:
    with recorded_traces() as traces:
        for number in count(10):
            if number == 1:
                break
        gc.collect()
    assert only_span(traces).outputs == [0, 1]
    assert traces.as_dicts()[0]["state"] == "OK"


def test_a_generator_that_is_never_stepped_leaves_no_trace() -> None:
    with recorded_traces() as traces:
        count(3)
    assert traces.as_dicts() == []


def test_an_error_in_the_body_is_the_spans_and_reaches_the_caller() -> None:
    @tracehound.trace
    def fail() -> Iterator[int]:
        yield 1
        raise ValueError("no")

    with recorded_traces() as traces, pytest.raises(ValueError, match="no"):
        list(fail())
    span = only_span(traces)
    assert (span.status.status_code, span.status.description, span.outputs) == ("ERROR", "ValueError: no", [1])


def test_the_span_is_current_in_the_body_and_not_between_the_steps() -> None:
    @tracehound.trace
    def outer() -> Iterator[int]:
        with tracehound.start_span("inner"):
            pass
        yield 1
        with tracehound.start_span("inner"):
            pass

    with recorded_traces() as traces:
        for _ in outer():
            assert tracehound.get_current_active_span() is None
            with tracehound.start_span("between"):
                pass
    assert traces.as_dicts() == [
        {
            "name": "outer",
            "state": "OK",
            "spans": [
                {"name": "outer", "status": "OK", "spans": [{"name": "inner", "status": "OK"}] * 2},
            ],
        },
        {"name": "between", "state": "OK", "spans": [{"name": "between", "status": "OK"}]},
    ]


def test_items_are_kept_as_they_were_when_they_were_yielded() -> None:
    @tracehound.trace
    def grow() -> Iterator[list[int]]:
        items: list[int] = []
        for number in range(3):
            items.append(number)
            yield items

    with recorded_traces() as traces:
        list(grow())
    assert only_span(traces).outputs == [[0], [0, 1], [0, 1, 2]]


def test_a_reducer_makes_the_outputs_of_the_items() -> None:
    @tracehound.trace(output_reducer="".join)
    def words() -> Iterator[str]:
        yield from ["be", "cause"]

    with recorded_traces() as traces:
        list(words())
    assert only_span(traces).outputs == "because"


def test_a_reducer_that_fails_leaves_the_items(caplog: pytest.LogCaptureFixture) -> None:
    @tracehound.trace(output_reducer=lambda items: items[99])
    def words() -> Iterator[str]:
        yield "because"

    with recorded_traces() as traces:
        assert list(words()) == ["because"]
    assert only_span(traces).outputs == ["because"]
    assert "output_reducer of words failed" in caplog.text


def test_a_reducer_on_a_plain_function_is_refused() -> None:
    with pytest.raises(ArgumentError, match="output_reducer is for generators"):
        tracehound.trace(output_reducer=len)(len)


def test_items_without_end_are_cut_and_counted() -> None:
    @tracehound.trace
    def flood() -> Iterator[str]:
        for _ in range(30):
            yield "x" * 100_000

    with recorded_traces() as traces:
        assert len(list(flood())) == 30
    outputs = only_span(traces).outputs
    assert (len(outputs), outputs[-1]) == (10, "… [cut: 21 more items]")


class EchoError(Exception):
    """Thrown into generators."""


def talk() -> Generator[Any, Any, str]:
    """Answer what is sent and what is thrown, and say at the end what came."""
    heard: list[Any] = []
    while len(heard) < 4:
        try:
            heard.append((yield ("heard", list(heard))))
        except EchoError as echo:
            heard.append(repr(echo))
        except GeneratorExit:
            heard.append("closed")
            raise
    return f"done {heard}"


async def talk_async() -> AsyncGenerator[Any, Any]:
    heard: list[Any] = []
    while len(heard) < 4:
        try:
            heard.append((yield ("heard", list(heard))))
        except EchoError as echo:
            heard.append(repr(echo))
        except KeyError:
            return


THROWN = st.sampled_from([EchoError("e"), KeyError("k"), StopIteration("s")])
ACTIONS = st.lists(
    st.sampled_from(["next", "close"])
    | st.tuples(st.just("send"), st.integers())
    | st.tuples(st.just("throw"), THROWN),
    max_size=8,
)


def drive(generator: Generator[Any, Any, Any], actions: list[Any]) -> list[Any]:
    """Return what each action on the generator gave: an item or the exception."""
    steps: dict[str, Callable[..., Any]] = {
        "next": generator.__next__, "close": generator.close,
        "send": generator.send, "throw": generator.throw,
    }  # fmt: skip
    told: list[Any] = []
    for action in actions:
        name, arguments = (action, ()) if isinstance(action, str) else (action[0], action[1:])
        try:
            told.append(steps[name](*arguments))
        except BaseException as raised:
            told.append((type(raised), str(raised)))
    return told


@given(ACTIONS)
def test_whatever_is_sent_thrown_or_closed_gives_what_it_gives_untraced(actions: list[Any]) -> None:
    with recorded_traces() as traces:
        traced = tracehound.trace(talk)()
        assert drive(traced, actions) == drive(talk(), actions)
        traced.close()
    assert len(traces.traces()) <= 1
    assert tracehound.get_current_active_span() is None


async def drive_async(generator: AsyncGenerator[Any, Any], actions: list[Any]) -> list[Any]:
    steps: dict[str, Callable[..., Any]] = {
        "next": generator.__anext__, "close": generator.aclose, "send": generator.asend, "throw": generator.athrow,
    }  # fmt: skip
    told: list[Any] = []
    for action in actions:
        name, arguments = (action, ()) if isinstance(action, str) else (action[0], action[1:])
        try:
            told.append(await steps[name](*arguments))
        except BaseException as raised:
            told.append((type(raised), str(raised)))
    return told


@given(ACTIONS)
def test_an_async_generator_gives_what_it_gives_untraced(actions: list[Any]) -> None:
    async def main() -> None:
        traced = tracehound.trace(talk_async)()
        assert await drive_async(traced, actions) == await drive_async(talk_async(), actions)
        await traced.aclose()
        assert tracehound.get_current_active_span() is None

    with recorded_traces() as traces:
        asyncio.run(main())
    assert len(traces.traces()) <= 1


def test_an_async_generator_that_is_left_early_ends_its_span() -> None:
    @tracehound.trace
    async def stream() -> AsyncGenerator[int, None]:
        for number in range(10):
            await asyncio.sleep(0)
            yield number

    async def main() -> None:
        async with contextlib.aclosing(stream()) as items:
            async for number in items:
                if number == 1:
                    break

    with recorded_traces() as traces:
        asyncio.run(main())
    assert only_span(traces).outputs == [0, 1]
    assert inspect.isasyncgenfunction(stream)
