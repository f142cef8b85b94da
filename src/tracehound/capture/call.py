"""The span of one call, begun with its arguments, behind the shield."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tracehound import runtime as process
from tracehound.capture.arguments import Binder
from tracehound.capture.begin import begin_span
from tracehound.capture.live_span import LiveSpan
from tracehound.capture.shield import report_fault
from tracehound.model.occurrence import Link
from tracehound.model.span import FUNCTION_NAME
from tracehound.model.values import clean_text, encode_value
from tracehound.settings import check_ratio


class TracedFunction:
    """What is known of a function when it is decorated, so that a call pays only for what differs."""

    def __init__(
        self,
        func: Callable[..., Any],
        name: str | None,
        span_type: str,
        attributes: Mapping[str, object] | None,
        sampling_ratio: float | None,
        links: Sequence[Link] | None,
    ) -> None:
        function_name = clean_text(str(getattr(func, "__name__", type(func).__name__)))
        self._name = clean_text(str(name or function_name))
        self._span_type = clean_text(str(span_type))
        self._binder = Binder(func)
        constant = {FUNCTION_NAME: function_name, **(attributes or {})}
        self._attributes = {clean_text(str(key)): encode_value(value) for key, value in constant.items()}
        self._ratio = None if sampling_ratio is None else check_ratio(sampling_ratio, "sampling_ratio_override")
        self._links = tuple(links or ())

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> LiveSpan | None:
        """Return the span of a call, not yet started; None where the call is not traced, or a fault keeps it so."""
        if process.switch.is_off:
            return None
        try:
            span = begin_span(self._name, self._span_type, self._attributes, self._ratio)
        except Exception as fault:  # noqa: BLE001 - the shield
            report_fault("begin", fault)
            return None
        try:
            span.set_arguments(self._binder, args, kwargs)
            for link in self._links:
                span.add_link(link)
        except Exception as fault:  # noqa: BLE001 - the shield; the call is traced without its inputs
            report_fault("inputs", fault)
        return span
