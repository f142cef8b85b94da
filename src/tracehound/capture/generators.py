"""Generators, traced: one span from the first step to the end, current only while the generator's own code runs.

Whoever iterates notices nothing: what is sent, thrown and returned passes through, and closing early closes the
generator. The span's outputs are the items, as they were when they were yielded; an early close ends the span with
those that had come by then.
"""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import contextmanager, nullcontext
from types import TracebackType
from typing import Any, Final, TypeAlias

from tracehound.capture.call import TracedFunction
from tracehound.capture.live_span import LiveSpan
from tracehound.capture.otel_context import make_current, restore_current
from tracehound.model.values import encode_value

Reducer: TypeAlias = Callable[[list[Any]], Any]

# A generator that is collected closes wherever the collector happens to run. Up to Python 3.11 the interpreter crashes
# when a context variable is set while it sets one; there, spans of the closing code are not children of this one.
_CAN_SET_WHEN_COLLECTED: Final = sys.version_info >= (3, 12)

_logger = logging.getLogger("tracehound.capture")


def trace_generator(
    func: Callable[..., Generator[Any, Any, Any]], traced: TracedFunction, reducer: Reducer | None
) -> Callable[..., Generator[Any, Any, Any]]:
    """Return a generator function that behaves as the one given and captures each iteration as a span."""

    @functools.wraps(func)
    def generate(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        iteration = _Iteration(traced.begin(args, kwargs), reducer)
        with iteration:
            inner = func(*args, **kwargs)
            step = functools.partial(next, inner)
            while True:
                try:
                    with iteration.step():
                        item = step()
                except StopIteration as stop:
                    return stop.value
                iteration.add(item)
                try:
                    sent = yield item
                except GeneratorExit:
                    with iteration.step() if _CAN_SET_WHEN_COLLECTED else nullcontext():
                        return inner.close()  # from Python 3.13 on that is what the generator returned
                except BaseException as thrown:  # noqa: BLE001 - it is the generator's to handle
                    step = functools.partial(inner.throw, thrown)
                else:
                    step = functools.partial(inner.send, sent)

    return generate


def trace_async_generator(
    func: Callable[..., AsyncGenerator[Any, Any]], traced: TracedFunction, reducer: Reducer | None
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """Return an async generator function that behaves as the one given and captures each iteration as a span."""

    @functools.wraps(func)
    async def generate(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        iteration = _Iteration(traced.begin(args, kwargs), reducer)
        with iteration:
            inner = func(*args, **kwargs)
            step = inner.__anext__()
            while True:
                try:
                    with iteration.step():
                        item = await step
                except StopAsyncIteration:
                    return
                iteration.add(item)
                try:
                    sent = yield item
                except GeneratorExit:
                    with iteration.step():
                        await inner.aclose()
                    raise
                except BaseException as thrown:  # noqa: BLE001 - it is the generator's to handle
                    step = inner.athrow(thrown)
                else:
                    step = inner.asend(sent)

    return generate


class _Iteration:
    """The span of one iteration, and the items that passed; without a span it does nothing."""

    def __init__(self, span: LiveSpan | None, reducer: Reducer | None) -> None:
        self._span = span
        self._reducer = reducer
        self._items: list[Any] = []
        self._texts: list[str] = []
        self._room = 0 if span is None or not span.is_recording() else span.max_value_bytes
        self._left_out = 0

    def __enter__(self) -> None:
        if self._span is not None:
            self._span.start()

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, stack: TracebackType | None
    ) -> None:
        if self._span is None:
            return
        if self._span.is_recording() and not self._span.has_outputs:
            self._set_outputs(self._span)
        self._span.leave(None, None if isinstance(exception, GeneratorExit) else exception)

    @contextmanager
    def step(self) -> Iterator[None]:
        """Make the span current while the generator's own code runs."""
        token = None if self._span is None else make_current(self._span)
        try:
            yield
        finally:
            if token is not None:
                restore_current(token)

    def add(self, item: object) -> None:
        """Record an item as it is now; one that finds no room any more is counted."""
        if self._span is None or not self._span.is_recording():
            return
        if self._reducer is not None:
            self._items.append(item)
        text = encode_value(item, self._span.max_value_bytes)
        self._room -= len(text)
        if self._room >= 0:
            self._texts.append(text)
        else:
            self._left_out += 1

    def _set_outputs(self, span: LiveSpan) -> None:
        if self._reducer is not None:
            try:
                span.set_outputs(self._reducer(self._items))
            except Exception:
                _logger.warning("the output_reducer of %s failed; its items are kept", span.name, exc_info=True)
            else:
                return
        if self._left_out:
            self._texts.append(encode_value(f"… [cut: {self._left_out} more items]"))
        span.set_outputs_json(f"[{','.join(self._texts)}]")
