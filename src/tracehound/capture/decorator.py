"""`trace`: a function whose calls are captured.

It behaves as if it were not there: the same result, the same exception, the same signature, the same kind of function.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar, overload

from tracehound.capture.call import TracedFunction
from tracehound.capture.generators import Reducer, trace_async_generator, trace_generator
from tracehound.capture.routes import UNHELD, count_holders, follow_routes
from tracehound.errors import ArgumentError
from tracehound.model.occurrence import Link
from tracehound.model.span import UNKNOWN

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound="Callable[..., Any] | Method")

if TYPE_CHECKING:
    Method: TypeAlias = classmethod[Any, Any, Any] | staticmethod[Any, Any] | property


@overload
def trace(func: Callable[P, R]) -> Callable[P, R]: ...


@overload
def trace(
    func: None = None,
    name: str | None = None,
    span_type: str = UNKNOWN,
    attributes: Mapping[str, object] | None = None,
    output_reducer: Reducer | None = None,
    sampling_ratio_override: float | None = None,
    links: Sequence[Link] | None = None,
) -> Callable[[F], F]: ...


@overload
def trace(
    func: F,
    name: str | None = None,
    span_type: str = UNKNOWN,
    attributes: Mapping[str, object] | None = None,
    output_reducer: Reducer | None = None,
    sampling_ratio_override: float | None = None,
    links: Sequence[Link] | None = None,
) -> F: ...


def trace(
    func: Callable[..., Any] | Method | None = None,
    name: str | None = None,
    span_type: str = UNKNOWN,
    attributes: Mapping[str, object] | None = None,
    output_reducer: Reducer | None = None,
    sampling_ratio_override: float | None = None,
    links: Sequence[Link] | None = None,
) -> Any:
    """Capture every call of a function, a coroutine function or a generator of either kind as a span.

    Methods are captured without `self`; properties, class and static methods may be wrapped or stand above.

    Arguments become the span's inputs by parameter name, the result its outputs; an exception is recorded and
    re-raised unchanged. A call inside another traced call becomes its child, else it begins a trace, which is safe on
    disk when the call returns. `name` is the function's own where it is not given; `span_type` says what kind of step
    it is (LLM, TOOL, RETRIEVER, …). `sampling_ratio_override` is the share of the traces begun here that is kept, in
    place of the setting's; `links` refer to spans of other traces. Signature and behaviour are those of `mlflow.trace`.

    The outputs of a generator are the items that it yielded, or what `output_reducer` makes of their list; an early
    `close` or `break` ends its span with the items up to there. Raise `ArgumentError` for an `output_reducer` on
    anything else, for a class, and for a ratio that is not between 0 and 1.

    >>> import tracehound
    >>> @tracehound.trace(span_type="TOOL")
    ... def double(number: int) -> int:
    ...     return 2 * number
    >>> double(21)
    42
    >>> [trace.info.response_preview for trace in tracehound.search_traces(return_type="list")]
    ['42']
    """

    unheld = UNHELD[func is None]

    def wrap(function: Any) -> Any:
        is_held = count_holders(function) > unheld  # now: the wrapper will hold it as well
        traced = functools.partial(
            TracedFunction, name=name, span_type=span_type, attributes=attributes,
            sampling_ratio=sampling_ratio_override, links=links,
        )  # fmt: skip
        wrapped = _wrap(function, traced, output_reducer)
        follow_routes(function, wrapped, is_held=is_held)
        return wrapped

    return wrap if func is None else wrap(func)


def _wrap(func: Any, make: Callable[[Callable[..., Any]], TracedFunction], output_reducer: Reducer | None) -> Any:
    """Return the function with capture around it, of the same kind and with the same signature."""
    if isinstance(func, (classmethod, staticmethod)):
        return type(func)(_wrap(func.__func__, make, output_reducer))
    if isinstance(func, property):
        getter, setter, deleter = (each and _wrap(each, make, None) for each in (func.fget, func.fset, func.fdel))
        return property(getter, setter, deleter, func.__doc__)
    if isinstance(func, type):  # wrapped it would be a function: nobody could derive from it or ask for its instances
        raise ArgumentError(
            f"{func.__name__} is a class, and would not be one any more: trace its methods, or its __init__ for how"
            " long it takes to make one"
        )
    if not callable(func):
        raise ArgumentError(f"only functions and methods can be traced, not {func!r}")
    traced = make(func)
    called = func.__call__ if not inspect.isroutine(func) else func
    kind = functools.partial(_is_kind, func, called)
    if kind(inspect.isgeneratorfunction):
        return trace_generator(func, traced, output_reducer)
    if kind(inspect.isasyncgenfunction):
        return trace_async_generator(func, traced, output_reducer)
    if output_reducer is not None:
        raise ArgumentError(f"output_reducer is for generators, and {func!r} is none")
    return _wrap_coroutine(func, traced) if kind(inspect.iscoroutinefunction) else _wrap_function(func, traced)


def _is_kind(func: Any, called: Any, test: Callable[[Any], bool]) -> bool:
    """Whether the function is of a kind, or the object with the `__call__` is."""
    return test(func) or test(called)


def _wrap_function(func: Callable[..., Any], traced: TracedFunction) -> Callable[..., Any]:
    @functools.wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        span = traced.begin(args, kwargs)
        if span is None:
            return func(*args, **kwargs)
        token = span.enter()
        try:
            result = func(*args, **kwargs)
        except BaseException as exception:
            span.leave(token, exception)
            raise
        span.leave(token, None, result)
        return result

    return call


def _wrap_coroutine(func: Callable[..., Any], traced: TracedFunction) -> Callable[..., Any]:
    @functools.wraps(func)
    async def call(*args: Any, **kwargs: Any) -> Any:
        span = traced.begin(args, kwargs)
        if span is None:
            return await func(*args, **kwargs)
        token = span.enter()
        try:
            result = await func(*args, **kwargs)
        except BaseException as exception:
            span.leave(token, exception)
            raise
        span.leave(token, None, result)
        return result

    return call
