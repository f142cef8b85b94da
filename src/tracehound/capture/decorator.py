"""`trace`: a function whose calls are captured. `start_span`: a block that is captured.

Both behave as if they were not there: the same result, the same exception, the same signature, the same kind of
function.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast, overload

from tracehound.capture.call import TracedFunction, finish
from tracehound.capture.generators import Reducer, trace_async_generator, trace_generator
from tracehound.capture.live_span import LiveSpan, NoOpSpan, begin_span, make_current
from tracehound.capture.shield import report_fault
from tracehound.errors import ArgumentError
from tracehound.model.span import UNKNOWN

P = ParamSpec("P")
R = TypeVar("R")


@overload
def trace(func: Callable[P, R]) -> Callable[P, R]: ...


@overload
def trace(
    func: None = None,
    name: str | None = None,
    span_type: str = UNKNOWN,
    attributes: Mapping[str, object] | None = None,
    output_reducer: Reducer | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


@overload
def trace(
    func: Callable[P, R],
    name: str | None = None,
    span_type: str = UNKNOWN,
    attributes: Mapping[str, object] | None = None,
    output_reducer: Reducer | None = None,
) -> Callable[P, R]: ...


def trace(
    func: Callable[..., Any] | None = None,
    name: str | None = None,
    span_type: str = UNKNOWN,
    attributes: Mapping[str, object] | None = None,
    output_reducer: Reducer | None = None,
) -> Callable[..., Any]:
    """Capture every call of a function, a coroutine function or a generator of either kind as a span.

    Arguments become the span's inputs by parameter name, the result its outputs; an exception is recorded and
    re-raised unchanged. A call inside another traced call becomes its child, else it begins a trace, which is safe on
    disk when the call returns. `name` is the function's own where it is not given; `span_type` says what kind of step
    it is (LLM, TOOL, RETRIEVER, …). Signature and behaviour are those of `mlflow.trace`.

    The outputs of a generator are the items that it yielded, or what `output_reducer` makes of their list; an early
    `close` or `break` ends its span with the items up to there. Raise `ArgumentError` for an `output_reducer` on
    anything else.

    >>> import tracehound
    >>> @tracehound.trace(span_type="TOOL")
    ... def double(number: int) -> int:
    ...     return 2 * number
    >>> double(21)
    42
    >>> [trace.info.response_preview for trace in tracehound.search_traces(return_type="list")]
    ['42']
    """
    if func is None:
        return functools.partial(
            _wrap, name=name, span_type=span_type, attributes=attributes, output_reducer=output_reducer
        )
    return _wrap(func, name, span_type, attributes, output_reducer)


def start_span(
    name: str = "span", span_type: str = UNKNOWN, attributes: Mapping[str, object] | None = None
) -> AbstractContextManager[LiveSpan]:
    """Capture a block as a span under the current one, or as the first span of a new trace.

    Inputs and outputs are what the block sets. An exception that leaves the block is recorded and goes on.

    >>> import tracehound
    >>> with tracehound.start_span("rank", span_type="RERANKER") as span:
    ...     span.set_inputs({"candidates": 3})
    ...     span.set_outputs(["b", "a", "c"])
    >>> tracehound.get_trace(span.trace_id).data.spans[0].outputs
    ['b', 'a', 'c']
    """
    return _SpanScope(name, span_type, attributes)


class _SpanScope(AbstractContextManager[LiveSpan]):
    """A span for the length of a block; each entry is a span of its own."""

    def __init__(self, name: str, span_type: str, attributes: Mapping[str, object] | None) -> None:
        self._name = name
        self._span_type = span_type
        self._attributes = attributes
        self._open: list[tuple[LiveSpan, Any]] = []

    def __enter__(self) -> LiveSpan:
        try:
            span = begin_span(self._name, self._span_type)
            if self._attributes:
                span.set_attributes(self._attributes)
        except Exception as fault:  # noqa: BLE001 - the shield
            report_fault("start_span", fault)
            span = NoOpSpan(self._name)
        self._open.append((span, make_current(span)))
        span.start()
        return span

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, stack: TracebackType | None
    ) -> None:
        span, token = self._open.pop()
        finish(span, token, exception)


def _wrap(
    func: Callable[..., Any],
    name: str | None,
    span_type: str,
    attributes: Mapping[str, object] | None,
    output_reducer: Reducer | None,
) -> Callable[..., Any]:
    """Return the function with capture around it, of the same kind and with the same signature."""
    traced = TracedFunction(func, name, span_type, attributes)
    if inspect.isgeneratorfunction(func):
        return trace_generator(func, traced, output_reducer)
    if inspect.isasyncgenfunction(func):
        return trace_async_generator(func, traced, output_reducer)
    if output_reducer is not None:
        raise ArgumentError(f"output_reducer is for generators, and {func!r} is none")

    @functools.wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        span = traced.begin(args, kwargs)
        if span is None:
            return func(*args, **kwargs)
        token = make_current(span)
        span.start()
        try:
            result = func(*args, **kwargs)
        except BaseException as exception:
            finish(span, token, exception)
            raise
        finish(span, token, None, result)
        return result

    @functools.wraps(func)
    async def call_async(*args: Any, **kwargs: Any) -> Any:
        span = traced.begin(args, kwargs)
        if span is None:
            return await func(*args, **kwargs)
        token = make_current(span)
        span.start()
        try:
            result = await func(*args, **kwargs)
        except BaseException as exception:
            finish(span, token, exception)
            raise
        finish(span, token, None, result)
        return result

    return cast("Callable[..., Any]", call_async if inspect.iscoroutinefunction(func) else call)
