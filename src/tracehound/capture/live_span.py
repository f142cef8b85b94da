"""A span while it runs: an OpenTelemetry API span, so that other people's instrumentation nests under ours.

Values become JSON text when they are set, so that later changes to them cannot change the trace. The methods of
MLflow's live span are here as well; where both APIs have a method, it takes the arguments of both.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace as otel

from tracehound.capture.shield import report_fault
from tracehound.context.draft import TraceDraft
from tracehound.errors import ArgumentError
from tracehound.model.ids import format_span_id
from tracehound.model.span import UNKNOWN, Link, Span, SpanEvent, SpanStatus, SpanStatusCode
from tracehound.model.values import clean_text, decode_value, encode_value
from tracehound.runtime import Runtime, current
from tracehound.settings import Settings

_logger = logging.getLogger("tracehound.capture")

_MAX_STACK_CHARACTERS: Final = 20_000
_SAMPLED: Final = otel.TraceFlags(otel.TraceFlags.SAMPLED)


class LiveSpan(otel.Span):
    """One step of a trace while it runs; get one from `start_span` or inside a traced function."""

    def __init__(
        self,
        runtime: Runtime,
        draft: TraceDraft,
        parent_number: int | None,
        name: str,
        span_type: str,
        attributes: Mapping[str, str] | None = None,
        *,
        is_root: bool,
    ) -> None:
        self._runtime = runtime
        self._draft = draft
        self._number = runtime.ids.span_id()
        self._parent_number = parent_number
        self._is_local_root = is_root
        self._name = name
        self._span_type = span_type
        self._status = SpanStatus()
        self._inputs: str | None = None
        self._outputs: str | None = None
        self._attributes = dict(attributes) if attributes else {}
        self._events: list[SpanEvent] = []
        self._links: list[Link] = []
        self._context: otel.SpanContext | None = None
        self._end_ns: int | None = None
        self._start_ns = runtime.clock_ns()

    def now_ns(self) -> int:
        """Return the time by the clock that the span is measured with."""
        return self._runtime.clock_ns()

    def start(self) -> None:
        """Begin the step's time now: what capture did to get here is not a part of it."""
        self._start_ns = self._runtime.clock_ns()

    @property
    def draft(self) -> TraceDraft:
        """The trace that this span is a part of."""
        return self._draft

    @property
    def number(self) -> int:
        """The span id as a number."""
        return self._number

    @property
    def trace_id(self) -> str:
        """The id of the trace: `tr-` and 32 hexadecimal digits."""
        return self._draft.trace_id

    @property
    def span_id(self) -> str:
        """The id of the span: 16 hexadecimal digits."""
        return format_span_id(self._number)

    @property
    def parent_id(self) -> str | None:
        """The id of the span above, or None."""
        return None if self._parent_number is None else format_span_id(self._parent_number)

    @property
    def name(self) -> str:
        """What the step is called."""
        return self._name

    @property
    def span_type(self) -> str:
        """What kind of step it is: LLM, TOOL, RETRIEVER, …"""
        return self._span_type

    @property
    def status(self) -> SpanStatus:
        """How the step ended, as far as is known."""
        return self._status

    @property
    def start_time_ns(self) -> int:
        """When the step began, in nanoseconds since the epoch."""
        return self._start_ns

    @property
    def end_time_ns(self) -> int | None:
        """When the step ended, in nanoseconds since the epoch; None while it runs."""
        return self._end_ns

    @property
    def inputs(self) -> Any:
        """What was recorded as going in, as plain values."""
        return None if self._inputs is None else decode_value(self._inputs)

    @property
    def outputs(self) -> Any:
        """What was recorded as coming out, as plain values."""
        return None if self._outputs is None else decode_value(self._outputs)

    @property
    def max_value_bytes(self) -> int:
        """How long the JSON text of one value may be."""
        return self._runtime.settings.max_value_bytes

    @property
    def has_outputs(self) -> bool:
        """Whether outputs were recorded: those that user code set win over a returned value."""
        return self._outputs is not None

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes set so far, as plain values."""
        return {key: decode_value(text) for key, text in self._attributes.items()}

    def set_inputs(self, inputs: object) -> None:
        """Record what goes in: any value, as it is now."""
        if self._end_ns is None:
            self._inputs = self._encode(inputs)

    def set_outputs(self, outputs: object) -> None:
        """Record what comes out: any value, as it is now."""
        if self._end_ns is None:
            self._outputs = self._encode(outputs)

    def set_outputs_json(self, text: str) -> None:
        """Record what comes out, as a JSON text that is already made."""
        if self._end_ns is None:
            self._outputs = text

    def set_span_type(self, span_type: str) -> None:
        """Say what kind of step this is: LLM, TOOL, RETRIEVER, …"""
        if self._end_ns is None:
            self._span_type = clean_text(str(span_type))

    def set_attribute(self, key: str, value: object) -> None:
        """Record one attribute: any value, as it is now."""
        if self._end_ns is None:
            self._attributes[clean_text(str(key))] = self._encode(value)

    def set_attributes(self, attributes: Mapping[str, object]) -> None:
        """Record several attributes."""
        for key, text in self._encode_all(attributes).items():
            if self._end_ns is None:
                self._attributes[key] = text

    def add_event(
        self, name: str, attributes: Mapping[str, object] | None = None, timestamp: int | None = None
    ) -> None:
        """Record that something happened, now or at a time in nanoseconds since the epoch."""
        if self._end_ns is None:
            time_ns = _to_ns(timestamp, self._runtime.clock_ns())
            self._events.append(SpanEvent(clean_text(str(name)), time_ns, self._encode_all(attributes)))

    def add_link(self, context: otel.SpanContext, attributes: Mapping[str, object] | None = None) -> None:
        """Refer to a span of another trace."""
        if self._end_ns is None:
            trace_id = f"tr-{context.trace_id:032x}"
            self._links.append(Link(trace_id, format_span_id(context.span_id), self._encode_all(attributes)))

    def update_name(self, name: str) -> None:
        """Call the step something else."""
        if self._end_ns is None:
            self._name = clean_text(str(name))

    def set_status(self, status: object, description: str | None = None) -> None:
        """Say how the step ends: "OK" or "ERROR", a `SpanStatus`, or OpenTelemetry's status. OK is final."""
        if self._end_ns is None and self._status.status_code is not SpanStatusCode.OK:
            self._status = _to_status(status, description)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, object] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 - OpenTelemetry's signature
    ) -> None:
        """Record an exception as an event; whether the step failed is for `set_status` to say."""
        stack = "".join(traceback.format_exception(type(exception), exception, exception.__traceback__))
        told: dict[str, object] = {
            "exception.type": type(exception).__qualname__,
            "exception.message": _message(exception),
            "exception.stacktrace": stack[-_MAX_STACK_CHARACTERS:],
        }
        if escaped:
            told["exception.escaped"] = True
        self.add_event("exception", {**told, **(attributes or {})}, timestamp)

    def fail(self, exception: BaseException) -> None:
        """Record the exception that ends the step, and that the step failed by it."""
        self.record_exception(exception)
        self.set_status(SpanStatus(SpanStatusCode.ERROR, f"{type(exception).__name__}: {_message(exception)}"))

    def get_span_context(self) -> otel.SpanContext:
        """Return the ids in OpenTelemetry's form."""
        if self._context is None:
            self._context = otel.SpanContext(
                self._draft.trace_number, self._number, is_remote=False, trace_flags=_SAMPLED
            )
        return self._context

    def is_recording(self) -> bool:
        """Whether what is set still counts: until the end."""
        return self._end_ns is None

    def end(
        self,
        end_time: int | None = None,
        *,
        outputs: object = None,
        attributes: Mapping[str, object] | None = None,
        status: object = None,
        end_time_ns: int | None = None,
    ) -> None:
        """End the step, now or at a time in nanoseconds since the epoch; ending it again does nothing."""
        if self._end_ns is not None:
            return
        if outputs is not None:
            self.set_outputs(outputs)
        if attributes is not None:
            self.set_attributes(attributes)
        if status is not None:
            self.set_status(status)
        now_ns = self._runtime.clock_ns()
        self._end_ns = _to_ns(end_time if end_time is not None else end_time_ns, now_ns)
        try:
            self._hand_over(now_ns)
        except Exception as fault:  # noqa: BLE001 - the shield
            report_fault("end", fault)

    def _hand_over(self, now_ns: int) -> None:
        """Give the span that has ended to its trace, and to the spool what the trace hands over with it."""
        if self._is_local_root:
            drafts = self._runtime.drafts
            if drafts.get(self._draft.trace_number) is self._draft:
                del drafts[self._draft.trace_number]
        part = self._draft.end_span(self._finished(), now_ns, is_local_root=self._is_local_root)
        if part is not None:
            current().submit(part)  # after a fork, or in another place than where the span began

    def _finished(self) -> Span:
        status = self._status
        if status.status_code is SpanStatusCode.UNSET:
            status = _OK
        return Span(
            self._draft.trace_id, self.span_id, self.parent_id, self._name, self._start_ns, self._end_ns, status,
            self._span_type, self._inputs, self._outputs, self._attributes, self._events, self._links,
        )  # fmt: skip

    def _encode(self, value: object) -> str:
        return encode_value(value, self.max_value_bytes)

    def _encode_all(self, values: Mapping[str, object] | None) -> dict[str, str]:
        """Return each value as JSON text; what is no mapping is said and left out."""
        if values is not None and not isinstance(values, Mapping):
            _logger.warning("attributes are a mapping such as {'k': 1}, not %r; they were left out", type(values))
            return {}
        return {clean_text(str(key)): self._encode(value) for key, value in (values or {}).items()}


class NoOpSpan(LiveSpan):
    """A span that records nothing, for a program that goes on untraced; it has ended before it began."""

    def __init__(self, name: str) -> None:
        nowhere = Runtime(Settings(tracking_uri="memory://"))
        super().__init__(nowhere, TraceDraft(0, NO_OP_TRACE_ID, ""), None, name, UNKNOWN, is_root=False)
        self._end_ns = self._start_ns

    def start(self) -> None:
        """Do nothing: no time is measured."""


def begin_span(name: str, span_type: str = UNKNOWN, attributes: Mapping[str, str] | None = None) -> LiveSpan:
    """Return a new span under the current one, or the first of a new trace. It is not made current.

    The attributes are JSON texts.
    """
    runtime = current()
    name, span_type = clean_text(str(name)), clean_text(str(span_type))
    parent = otel.get_current_span()
    if type(parent) is LiveSpan:
        return LiveSpan(runtime, parent.draft, parent.number, name, span_type, attributes, is_root=False)
    # A proxy around one of ours, a remote parent, a span of the OpenTelemetry SDK, or none: its ids tell.
    context = parent.get_span_context()
    draft = None if context.is_remote else runtime.drafts.get(context.trace_id)
    if draft is not None:
        return LiveSpan(runtime, draft, context.span_id, name, span_type, attributes, is_root=False)
    trace_number = context.trace_id or runtime.ids.trace_id()
    draft = TraceDraft(trace_number, f"tr-{trace_number:032x}", clean_text(runtime.settings.experiment))
    runtime.drafts[trace_number] = draft
    return LiveSpan(runtime, draft, context.span_id or None, name, span_type, attributes, is_root=True)


def make_current(span: LiveSpan) -> Any:
    """Make the span current, in OpenTelemetry's own context; return the token for `restore_current`."""
    return otel_context.attach(otel.set_span_in_context(span))


def restore_current(token: Any) -> None:
    """Make current what was so before `make_current`."""
    otel_context.detach(token)


def current_draft() -> TraceDraft | None:
    """Return the trace under way here, if there is one that this process is putting together."""
    span = otel.get_current_span()
    if isinstance(span, LiveSpan):  # its root may have ended: what is said now goes with this span's part
        return span.draft
    return current().drafts.get(span.get_span_context().trace_id)


def current_span() -> LiveSpan | None:
    """Return the current span if it is one of ours."""
    span = otel.get_current_span()
    return span if isinstance(span, LiveSpan) else None


NO_OP_TRACE_ID: Final = "MLFLOW_NO_OP_SPAN_TRACE_ID"  # the id that programs written for MLflow compare with
_OK: Final = SpanStatus(SpanStatusCode.OK)
_OTEL_STATUS: Final = {
    otel.StatusCode.UNSET: SpanStatusCode.UNSET,
    otel.StatusCode.OK: SpanStatusCode.OK,
    otel.StatusCode.ERROR: SpanStatusCode.ERROR,
}


def _to_status(status: object, description: str | None) -> SpanStatus:
    """Return the status that is meant, in whichever API's words."""
    if isinstance(status, SpanStatus):
        return _to_status(status.status_code, status.description)
    if isinstance(status, otel.Status):
        return SpanStatus(_OTEL_STATUS[status.status_code], clean_text(status.description or description or ""))
    if isinstance(status, otel.StatusCode):
        return SpanStatus(_OTEL_STATUS[status], clean_text(description or ""))
    try:
        return SpanStatus(SpanStatusCode(str(status)), clean_text(description or ""))
    except ValueError:
        raise ArgumentError(f"a span's status is OK, ERROR or UNSET, not {status!r}") from None


def _to_ns(time: float | None, now_ns: int) -> int:
    """Return a time that was given, or now where none was or it is none."""
    return int(time) if time is not None and 0 < time < 2**63 else now_ns


def _message(exception: BaseException) -> str:
    """Return what the exception says, even if saying it raises."""
    try:
        return clean_text(str(exception))
    except Exception:  # noqa: BLE001 - __str__ is user code
        return "<an exception whose message raises>"
