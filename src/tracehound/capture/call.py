"""The span of one call: begun with its arguments, ended with its result or its exception, behind the shield."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tracehound.capture.arguments import make_binder
from tracehound.capture.live_span import LiveSpan, begin_span, restore_current
from tracehound.capture.shield import report_fault
from tracehound.model.span import FUNCTION_NAME
from tracehound.model.values import encode_value


class TracedFunction:
    """What is known of a function when it is decorated, so that a call pays only for what differs."""

    def __init__(
        self, func: Callable[..., Any], name: str | None, span_type: str, attributes: Mapping[str, object] | None
    ) -> None:
        function_name = getattr(func, "__name__", type(func).__name__)
        self._name = name or function_name
        self._span_type = span_type
        self._bind = make_binder(func)
        constant = {FUNCTION_NAME: function_name, **(attributes or {})}
        self._attributes = {key: encode_value(value) for key, value in constant.items()}

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> LiveSpan | None:
        """Return the span of a call, not yet current; None where a fault of ours leaves the call untraced."""
        try:
            span = begin_span(self._name, self._span_type, self._attributes)
        except Exception as fault:  # noqa: BLE001 - the shield
            report_fault("begin", fault)
            return None
        try:
            span.set_inputs(self._bind(args, kwargs))
        except Exception as fault:  # noqa: BLE001 - the shield; the call is traced without its inputs
            report_fault("inputs", fault)
        return span


def finish(span: LiveSpan, token: object, exception: BaseException | None, result: object = None) -> None:
    """End the span of a call or block with its result or its exception; make current what was so before."""
    try:
        end_ns = span.now_ns()  # what capture does from here on is not the call's time
        if token is not None:
            restore_current(token)
        if exception is not None:
            span.fail(exception)
        elif result is not None and not span.has_outputs:
            span.set_outputs(result)
        span.end(end_ns)
    except Exception as fault:  # noqa: BLE001 - the shield
        report_fault("finish", fault)
