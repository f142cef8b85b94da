"""Spans of an OpenTelemetry SDK, for programs that already run one: they join the traces that Tracehound keeps.

An open span of the SDK stands among the open spans of the process under its id. So a traced function finds its parent
there, and the SDK's span its own, whichever of the two is above; the trace is one. Which of the SDK's spans are
recorded is for its sampler to say, and a traced function below one that is not sampled is not recorded either.

This is the only module that imports the SDK.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from weakref import ref

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace import Span as SdkSpan

from tracehound import runtime as process
from tracehound.capture.begin import find_open_span
from tracehound.capture.provider import SCOPE_NAME, SCOPE_VERSION
from tracehound.capture.shield import report_fault
from tracehound.capture.status import to_ns, to_status
from tracehound.context.draft import TraceDraft
from tracehound.model.ids import format_span_id, format_trace_id
from tracehound.model.occurrence import RecordedEvent, RecordedLink
from tracehound.model.span import Span, SpanStatus, SpanStatusCode
from tracehound.model.values import clean_text, encode_value
from tracehound.runtime import Runtime, last_trace

_OK: Final = SpanStatus(SpanStatusCode.OK)


class OpenSdkSpan:
    """A span of the SDK while it runs, with the trace that it is a part of."""

    def __init__(self, runtime: Runtime, draft: TraceDraft, number: int, span: ReadableSpan, *, is_first: bool) -> None:
        self._runtime = runtime
        self._draft = draft
        self._number = number
        self._span = span
        self._is_local_root = is_first
        runtime.open_spans[number] = ref(self)

    @property
    def draft(self) -> TraceDraft:
        """The trace that this span is a part of."""
        return self._draft

    def to_record(self) -> Span:
        """Return the span as it is now."""
        return self._record(self._span)

    def end(self, ended: ReadableSpan) -> None:
        """Hand the span over, as the SDK shows it when it has ended."""
        runtime, draft = self._runtime, self._draft
        try:
            part = draft.end_span(self._record(ended), runtime.clock_ns(), self._is_local_root)
            if part is not None:
                if self._is_local_root:
                    last_trace.set(draft.trace_id)
                process.current().submit(part)  # after a fork, or in another place than where the span began
        finally:  # not before: at any time the trace is found among those that run, or where they are kept
            runtime.open_spans.pop(self._number, None)

    def _record(self, span: ReadableSpan) -> Span:
        max_bytes, now_ns = self._runtime.settings.max_value_bytes, self._runtime.clock_ns()
        has_ended, status = span.end_time is not None, to_status(span.status, None)
        return Span(
            trace_id=self._draft.trace_id,
            span_id=format_span_id(self._number),
            parent_id=None if span.parent is None else format_span_id(span.parent.span_id),
            name=clean_text(str(span.name)),
            start_time_ns=to_ns(span.start_time, now_ns),
            end_time_ns=to_ns(span.end_time, now_ns) if has_ended else None,
            status=_OK if has_ended and status.is_unset else status,
            attributes_json=_scope_of(span) | _encode_all(span.attributes, max_bytes),
            event_records=tuple(
                RecordedEvent(
                    clean_text(str(event.name)),
                    to_ns(event.timestamp, now_ns),
                    _encode_all(event.attributes, max_bytes),
                )
                for event in span.events
            ),
            link_records=tuple(
                RecordedLink(
                    format_trace_id(link.context.trace_id),
                    format_span_id(link.context.span_id),
                    _encode_all(link.attributes, max_bytes),
                )
                for link in span.links
            ),
            kind=span.kind.name,
        )


class TracehoundSpanProcessor(SpanProcessor):
    """Takes the spans of an OpenTelemetry SDK; get one from `tracehound.tracing.get_span_processor`."""

    def __init__(self) -> None:
        self._open: dict[int, OpenSdkSpan] = {}

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the SDK's signature
        """Take part in the trace of the span above, or begin one."""
        context = span.get_span_context()
        if process.switch.is_off or not context.trace_flags.sampled:
            return
        try:
            runtime = process.current()
            draft = _draft_above(runtime, span)
            is_first = draft is None
            if draft is None:
                runtime.watch()
                draft = TraceDraft(context.trace_id, runtime.settings.experiment)
            number = context.span_id
            self._open[number] = OpenSdkSpan(runtime, draft, number, span, is_first=is_first)
        except Exception as fault:  # noqa: BLE001 - the shield
            report_fault("on_start", fault)

    def on_end(self, span: ReadableSpan) -> None:
        """Hand the span over, if its beginning was seen."""
        try:
            context = span.get_span_context()
            began = None if context is None else self._open.pop(context.span_id, None)
            if began is not None:
                began.end(span)
        except Exception as fault:  # noqa: BLE001 - the shield
            report_fault("on_end", fault)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - a flush takes what it takes
        """Bring all finished traces into the store; return whether nothing is left to bring."""
        try:
            return process.flush().pending == 0
        except Exception as fault:  # noqa: BLE001 - the shield
            report_fault("force_flush", fault)
            return False


def _draft_above(runtime: Runtime, span: ReadableSpan) -> TraceDraft | None:
    """Return the trace of the span above, ours or the SDK's, where that runs in this process."""
    above = span.parent
    if above is None or above.is_remote:
        return None
    known = find_open_span(runtime, above.span_id)
    return known.draft if known is not None and known.draft.trace_number == above.trace_id else None


def _scope_of(span: ReadableSpan) -> dict[str, str]:
    """Return the library that the span comes from, as attributes."""
    scope = span.instrumentation_scope
    told = {} if scope is None else {SCOPE_NAME: scope.name, SCOPE_VERSION: scope.version}
    return {key: encode_value(value) for key, value in told.items() if value}


def _encode_all(values: Mapping[str, Any] | None, max_bytes: int) -> dict[str, str]:
    """Return each value as JSON text; `get`, since a key of a span that runs may go while this reads."""
    if not values:
        return {}
    return {clean_text(str(key)): encode_value(values.get(key), max_bytes) for key in list(values)}
