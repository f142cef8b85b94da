"""A span while it runs: an OpenTelemetry API span, so that other people's instrumentation nests under ours.

Values become JSON text when they are set, so that later changes to them cannot change the trace. The methods of
MLflow's live span are here as well; where both APIs have a method, it takes the arguments of both. Instrumentations
read more of a span than the API has: what they read of the span of OpenTelemetry's SDK, they find here (`SdkView`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, cast
from weakref import ref

from opentelemetry import trace as otel
from opentelemetry.context import Context

from tracehound.capture.arguments import Binder
from tracehound.capture.otel_context import SPAN_KEY, get_context, reset_context, restore_current, set_context
from tracehound.capture.sdk_view import InstrumentationScope
from tracehound.capture.shield import report_fault
from tracehound.capture.span_view import SpanView
from tracehound.capture.status import OnException, message_of, stack_of, to_ns, to_status, type_of
from tracehound.context.draft import TraceDraft
from tracehound.model.ids import format_span_id, format_trace_id
from tracehound.model.occurrence import Link, RecordedEvent, RecordedLink, SpanEvent
from tracehound.model.record import replace
from tracehound.model.span import INPUTS, OUTPUTS, SPAN_TYPE, TRACE_REQUEST_ID, Span, SpanStatus, SpanStatusCode
from tracehound.model.trace import TracePart
from tracehound.model.values import clean_text, decode_value, encode_value
from tracehound.runtime import Runtime, current, last_trace

_logger = logging.getLogger("tracehound.capture")

_SAMPLED: Final = otel.TraceFlags(otel.TraceFlags.SAMPLED)
_UNSET: Final = SpanStatus()
_OK: Final = SpanStatus(SpanStatusCode.OK)
# These stand for empty ones in records, which are never changed.
_NO_ITEMS: Final[list[Any]] = []
_NO_TEXTS: Final[dict[str, str]] = {}
_APART: Final = frozenset((INPUTS, OUTPUTS, SPAN_TYPE, TRACE_REQUEST_ID))  # attributes that a span keeps elsewhere


class LiveSpan(SpanView):
    """One step of a trace while it runs; get one from `start_span` or inside a traced function."""

    # What hardly any span sets, and what only some are asked for. The rest stands in the span itself: Python finds it
    # there sooner than a default in the class (measured with Python 3.11).
    _start_ns = 0
    _parent_context: otel.SpanContext | None = None
    _context: otel.SpanContext | None = None
    _on_exception = OnException(records=True, fails=True)

    def __init__(
        self,
        runtime: Runtime,
        name: str,
        span_type: str,
        attributes: dict[str, str],
        begun_trace: int | None,
        draft: TraceDraft | None = None,
        parent_number: int | None = None,
    ) -> None:
        """Make a span that has not started; name and type are clean, the attributes JSON texts that stay as they are.

        `begun_trace` is the number of the trace, if this is the first span of it in this process. The draft is that
        of the trace, if there is one already.
        """
        self._runtime = runtime
        self._settings = runtime.settings
        self._begun_trace = begun_trace
        self._draft = draft
        self._number = runtime.ids.span_id()
        self._parent_number = parent_number
        self._name = name
        self._span_type = span_type
        self._owns_texts = not attributes
        self._texts = attributes or {}
        self._kind = "INTERNAL"
        self._end_ns: int | None = None
        self._status = _UNSET
        self._inputs: str | None = None
        self._outputs: str | None = None
        self._events: list[RecordedEvent] = _NO_ITEMS
        self._links: list[RecordedLink] = _NO_ITEMS

    @property
    def draft(self) -> TraceDraft:
        """The trace that this span is a part of.

        That of a first span is made when somebody asks for it: most traces are one span, about which nothing is said.
        A span that ends says so first, and then looks for a draft; here it is the other way round. So either the span
        goes into the draft, or what comes into the draft behind it is handed over without it.
        """
        found = self._draft
        if found is None:
            number = cast("int", self._begun_trace)  # all others are given a draft
            made = TraceDraft(number, self._settings.experiment, format_span_id(self._number))
            found = self._draft = vars(self).setdefault("made_draft", made)  # atomic: other threads may ask as well
            late = None if self._end_ns is None else found.hand_over(self._runtime.clock_ns())
            if late is not None:
                current().submit(late)
        return found

    @property
    def max_value_bytes(self) -> int:
        """How long the JSON text of one value may be."""
        return self._settings.max_value_bytes

    def start(self, start_ns: int | None = None) -> None:
        """Begin the step's time now, since what capture did to get here is not a part of it, or at a time given.

        From here on the span is among those that run.
        """
        runtime = self._runtime
        now_ns = runtime.clock_ns()
        self._start_ns = now_ns if start_ns is None else to_ns(start_ns, now_ns)
        runtime.open_spans[self._number] = ref(self)

    def enter(self) -> Any:
        """Start, as the current span; return what `leave` needs to make current what was so before.

        That is `make_current` and `start`, written out: they are in every traced call.
        """
        here = get_context()
        token = set_context(Context({**here, SPAN_KEY: self} if here else {SPAN_KEY: self}))
        runtime = self._runtime
        self._start_ns = runtime.clock_ns()
        runtime.open_spans[self._number] = ref(self)
        return token

    def leave(self, token: Any, exception: BaseException | None, result: object = None) -> None:
        """End with the result or the exception of a call or block. What capture does here is not the step's time."""
        try:
            end_ns = self._runtime.clock_ns()
            if token is not None:
                try:
                    reset_context(token)
                except (ValueError, RuntimeError):
                    restore_current(token)
            try:
                if exception is not None:
                    self.fail(exception)
            finally:
                self.close(end_ns, end_ns, result)
        except Exception as fault:  # noqa: BLE001 - the shield
            report_fault("finish", fault)

    def set_inputs(self, inputs: object) -> None:
        """Record what goes in: any value, as it is now."""
        if self._end_ns is None:
            self._inputs = encode_value(inputs, self._settings.max_value_bytes)

    def set_outputs(self, outputs: object) -> None:
        """Record what comes out: any value, as it is now."""
        if self._end_ns is None:
            self._outputs = encode_value(outputs, self._settings.max_value_bytes)

    def set_arguments(self, binder: Binder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Record the arguments of a call as what goes in."""
        try:
            inputs = binder.bind(*args, **kwargs)
        except TypeError:
            inputs = binder.bind_roughly(*args, **kwargs)
        self._inputs = encode_value(inputs, self._settings.max_value_bytes)

    def set_outputs_json(self, text: str) -> None:
        """Record what comes out, as a JSON text that is already made."""
        if self._end_ns is None:
            self._outputs = text

    def set_span_type(self, span_type: str) -> None:
        """Say what kind of step this is: LLM, TOOL, RETRIEVER, …"""
        if self._end_ns is None:
            self._span_type = clean_text(str(span_type))

    def join_scope(self, scope: InstrumentationScope, kind: otel.SpanKind, on_exception: OnException) -> None:
        """Say which library the span comes from, which side of a call it is, and what its exceptions are to it."""
        self._scope = scope
        self._kind = kind.name
        self._on_exception = on_exception

    def set_parent_context(self, context: otel.SpanContext) -> None:
        """Remember the whole context of a parent of another process; what vendors keep in it goes on with the trace."""
        self._parent_context = context
        self.draft.trace_state = context.trace_state

    def set_attribute(self, key: str, value: object) -> None:
        """Record one attribute: any value, as it is now. MLflow's names of inputs, outputs and type mean those."""
        self.set_attributes({key: value})

    def set_attributes(self, attributes: Mapping[str, object]) -> None:
        """Record several attributes."""
        if self._end_ns is not None:
            return
        told = self._encode_all(attributes)
        if not _APART.isdisjoint(told):
            self._inputs = told.pop(INPUTS, self._inputs)
            self._outputs = told.pop(OUTPUTS, self._outputs)
            if SPAN_TYPE in told:
                self.set_span_type(decode_value(told.pop(SPAN_TYPE)))
            told.pop(TRACE_REQUEST_ID, None)
        self._own_texts().update(told)

    def add_event(
        self,
        name: str | SpanEvent,
        attributes: Mapping[str, object] | None = None,
        timestamp: int | None = None,
    ) -> None:
        """Record that something happened, now or at a time in nanoseconds since the epoch."""
        if self._end_ns is not None:
            return
        if isinstance(name, SpanEvent):
            self.add_event(name.name, name.attributes, name.timestamp)
            return
        time_ns = to_ns(timestamp, self._runtime.clock_ns())
        event = RecordedEvent(clean_text(str(name)), time_ns, self._encode_all(attributes))
        if self._events is _NO_ITEMS:
            self._events = []
        self._events.append(event)

    def add_link(self, context: otel.SpanContext | Link, attributes: Mapping[str, object] | None = None) -> None:
        """Refer to a span of another trace: by its context, or by a `Link`."""
        if self._end_ns is not None:
            return
        if not isinstance(context, (Link, otel.SpanContext)):
            _logger.warning("a link is the context of a span or a Link, not %r; it was left out", type(context))
            return
        if isinstance(context, Link):
            ids = (clean_text(str(context.trace_id)), clean_text(str(context.span_id)))
            attributes = context.attributes
        else:
            ids = (format_trace_id(context.trace_id), format_span_id(context.span_id))
        if self._links is _NO_ITEMS:
            self._links = []
        self._links.append(RecordedLink(*ids, self._encode_all(attributes)))

    def update_name(self, name: str) -> None:
        """Call the step something else."""
        if self._end_ns is None:
            self._name = clean_text(str(name))

    def set_status(self, status: object, description: str | None = None) -> None:
        """Say how the step ends: "OK" or "ERROR", a `SpanStatus`, or OpenTelemetry's status. OK is final.

        UNSET takes nothing back, as OpenTelemetry has it.
        """
        if self._end_ns is None and self._status.status_code is not SpanStatusCode.OK:
            said = to_status(status, description)
            if said.status_code is not SpanStatusCode.UNSET:
                self._status = said

    def record_exception(
        self,
        exception: BaseException | str,
        attributes: Mapping[str, object] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 - OpenTelemetry's signature
    ) -> None:
        """Record an exception, or its message alone, as an event; whether the step failed is for `set_status`."""
        if self._end_ns is not None:
            return
        if not isinstance(exception, BaseException):
            exception = Exception(exception)
        told: dict[str, object] = {
            "exception.type": type_of(exception), "exception.message": message_of(exception),
            "exception.stacktrace": stack_of(exception),
        }  # fmt: skip
        if escaped:
            told["exception.escaped"] = True
        self.add_event("exception", {**told, **(attributes or {})}, timestamp)

    def fail(self, exception: BaseException, told: OnException = _on_exception) -> None:
        """Record the exception that ends the step, and that the step failed by it."""
        try:
            if told.records:
                self.record_exception(exception)
        finally:  # an exception that cannot be written out is one nevertheless
            if told.fails:
                description = f"{type(exception).__name__}: {message_of(exception)}"
                self.set_status(SpanStatus(SpanStatusCode.ERROR, description))

    def get_span_context(self) -> otel.SpanContext:
        """Return the ids in OpenTelemetry's form."""
        if self._context is None:
            draft = self.draft
            self._context = otel.SpanContext(
                draft.trace_number, self._number, is_remote=False, trace_flags=_SAMPLED, trace_state=draft.trace_state
            )
        return self._context

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, stack: TracebackType | None
    ) -> None:
        if exception is not None:
            self.fail(exception, self._on_exception)
        self.end()

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
        try:
            self.close(to_ns(end_time if end_time is not None else end_time_ns, now_ns), now_ns)
        except Exception as fault:  # noqa: BLE001 - the shield
            report_fault("end", fault)

    def close(self, end_ns: int, now_ns: int, result: object = None) -> None:
        """End the step at one time and hand it over at another; faults are the caller's.

        A result is what comes out, unless user code has said what does.
        """
        if self._end_ns is not None:
            return
        if result is not None and self._outputs is None:
            try:
                self._outputs = encode_value(result, self._settings.max_value_bytes)
            except BaseException:  # Ctrl-C, in the midst of a large value: the span is kept without it
                self.close(end_ns, now_ns)
                raise
        self._end_ns = end_ns
        runtime = self._runtime
        if self._status is _UNSET:
            self._status = _OK
        try:
            draft = self._draft  # not before the end is noted: see the property
            begun_trace = self._begun_trace
            part: TracePart | None
            if draft is not None:
                trace_id = draft.trace_id
                part = draft.end_span(self._record(trace_id), now_ns, begun_trace is not None)
            else:
                trace_id = format_trace_id(begun_trace)  # type: ignore[arg-type] # where there is no draft there is this
                # `_record` and `LastTrace.set`, written out: they are in every traced call.
                above = self._parent_number
                record = Span(
                    trace_id, format_span_id(self._number), None if above is None else format_span_id(above),
                    self._name, self._start_ns, end_ns, self._status, self._span_type,
                    self._inputs, self._outputs, self._texts, tuple(self._events), tuple(self._links), self._kind,
                )  # fmt: skip
                part = TracePart(trace_id, self._settings.experiment, now_ns, [record], _NO_TEXTS, _NO_TEXTS)
            if part is not None:
                if begun_trace is not None:
                    last_trace.anywhere = last_trace.here.trace_id = trace_id
                # The place in force is another after a fork, or when another one was named meanwhile.
                (runtime if runtime.is_in_force else current()).submit(part)
        finally:  # not before: at any time the trace is found among those that run, or where they are kept
            runtime.open_spans.pop(self._number, None)

    def to_record(self) -> Span:
        """Return the span as it is now, while it runs."""
        record = self._record(self.trace_id)
        return replace(record, attributes_json=dict(self._texts))

    def _record(self, trace_id: str) -> Span:
        parent_number = self._parent_number
        return Span(
            trace_id, format_span_id(self._number), None if parent_number is None else format_span_id(parent_number),
            self._name, self._start_ns, self._end_ns, self._status, self._span_type,
            self._inputs, self._outputs, self._texts, tuple(self._events), tuple(self._links), self._kind,
        )  # fmt: skip

    def _own_texts(self) -> dict[str, str]:
        """Return the attributes, to be changed; until then a function's spans share those that it has."""
        if not self._owns_texts:
            self._texts = vars(self).setdefault("own_texts", dict(self._texts))  # atomic: one of two threads makes it
            self._owns_texts = True
        return self._texts

    def _encode_all(self, values: Mapping[str, object] | None) -> dict[str, str]:
        """Return each value as JSON text; what is no mapping is said and left out."""
        if type(values) is not dict and values is not None and not isinstance(values, Mapping):
            _logger.warning("attributes are a mapping such as {'k': 1}, not %r; they were left out", type(values))
            return {}
        most = self._settings.max_value_bytes
        return {
            key if type(key) is str and key.isascii() else clean_text(str(key)): encode_value(value, most)
            for key, value in (values or {}).items()
        }
