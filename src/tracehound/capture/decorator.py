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

from tracehound.capture.arguments import make_binder
from tracehound.capture.live_span import LiveSpan, begin_span, make_current, restore_current
from tracehound.capture.shield import report_fault
from tracehound.model.span import FUNCTION_NAME, UNKNOWN

P = ParamSpec("P")
R = TypeVar("R")


@overload
def trace(func: Callable[P, R]) -> Callable[P, R]: ...


@overload
def trace(
    func: None = None, name: str | None = None, span_type: str = UNKNOWN, attributes: Mapping[str, object] | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


@overload
def trace(
    func: Callable[P, R],
    name: str | None = None,
    span_type: str = UNKNOWN,
    attributes: Mapping[str, object] | None = None,
) -> Callable[P, R]: ...


def trace(
    func: Callable[..., Any] | None = None,
    name: str | None = None,
    span_type: str = UNKNOWN,
    attributes: Mapping[str, object] | None = None,
) -> Callable[..., Any]:
    """Capture every call of a function or a coroutine function as a span.

    Arguments become the span's inputs by parameter name, the result its outputs; an exception is recorded and
    re-raised unchanged. A call inside another traced call becomes its child, else it begins a trace, which is safe on
    disk when the call returns. `name` is the function's own where it is not given; `span_type` says what kind of step
    it is (LLM, TOOL, RETRIEVER, …). Signature and behaviour are those of `mlflow.trace`.

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
        return functools.partial(_wrap, name=name, span_type=span_type, attributes=attributes)
    return _wrap(func, name=name, span_type=span_type, attributes=attributes)


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
        span = begin_span(self._name, self._span_type)
        if self._attributes:
            span.set_attributes(self._attributes)
        self._open.append((span, make_current(span)))
        span.start()
        return span

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, stack: TracebackType | None
    ) -> None:
        span, token = self._open.pop()
        _finish(span, token, exception)


def _wrap(
    func: Callable[..., Any], name: str | None, span_type: str, attributes: Mapping[str, object] | None
) -> Callable[..., Any]:
    """Return the function with capture around it, of the same kind and with the same signature."""
    function_name = getattr(func, "__name__", type(func).__name__)
    bind = make_binder(func)
    constant = {FUNCTION_NAME: function_name, **(attributes or {})}

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[LiveSpan, Any] | None:
        try:
            span = begin_span(name or function_name, span_type)
            span.set_inputs(bind(args, kwargs))
            span.set_attributes(constant)
            token = make_current(span)
            span.start()
        except Exception as fault:  # noqa: BLE001 - the shield
            report_fault("begin", fault)
            return None
        return span, token

    @functools.wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        begun = begin(args, kwargs)
        if begun is None:
            return func(*args, **kwargs)
        try:
            result = func(*args, **kwargs)
        except BaseException as exception:
            _finish(*begun, exception)
            raise
        _finish(*begun, None, result)
        return result

    @functools.wraps(func)
    async def call_async(*args: Any, **kwargs: Any) -> Any:
        begun = begin(args, kwargs)
        if begun is None:
            return await func(*args, **kwargs)
        try:
            result = await func(*args, **kwargs)
        except BaseException as exception:
            _finish(*begun, exception)
            raise
        _finish(*begun, None, result)
        return result

    return cast("Callable[..., Any]", call_async if inspect.iscoroutinefunction(func) else call)


def _finish(span: LiveSpan, token: Any, exception: BaseException | None, result: object = None) -> None:
    """End the span of a call or block that has ended, with its result or its exception."""
    try:
        end_ns = span.now_ns()  # what capture does from here on is not the call's time
        restore_current(token)
        if exception is not None:
            span.fail(exception)
        elif result is not None and not span.has_outputs:
            span.set_outputs(result)
        span.end(end_ns)
    except Exception as fault:  # noqa: BLE001 - the shield
        report_fault("finish", fault)
