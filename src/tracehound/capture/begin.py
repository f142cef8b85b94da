"""Where a span begins: below the current one, or as the first of a new trace; and whether it is kept at all.

Capture can be switched off for the whole process (`disable`). A trace is kept or not when it begins, by the sampling
ratio and its id, so that services that share a ratio agree; what happens below it follows, here and across processes.
"""

from __future__ import annotations

from typing import Final

from opentelemetry import trace as otel
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, Context

from tracehound import runtime as process
from tracehound.capture.live_span import LiveSpan
from tracehound.capture.no_op_span import NoOpSpan
from tracehound.capture.otel_context import SPAN_KEY, get_context
from tracehound.context.draft import TraceDraft
from tracehound.context.running import OpenSpan
from tracehound.context.scope import MODEL_ID, Scope, common, current_scope
from tracehound.model.span import UNKNOWN
from tracehound.runtime import Runtime, current

_NO_TEXTS: Final[dict[str, str]] = {}
_LOW_64_BITS: Final = 2**64 - 1


def begin_span(
    name: str,
    span_type: str = UNKNOWN,
    attributes: dict[str, str] = _NO_TEXTS,
    ratio: float | None = None,
    context: Context | None = None,
) -> LiveSpan:
    """Return a new span, not yet started: below the current span, or that of the context, or of a new trace.

    Name and type are clean, the attributes are JSON texts. `ratio` is the share of traces to keep where this begins
    one, if it is not the setting's. Where nothing is to be recorded, the span is a `NoOpSpan`.
    """
    here = get_context() if context is None else context
    scope = current_scope() if common.is_used else None
    is_off = process.switch.is_off or (scope is not None and scope.is_off)
    if is_off or (here and here.get(_SUPPRESS_INSTRUMENTATION_KEY)):
        return NoOpSpan(name, otel.get_current_span(here).get_span_context())
    runtime = current()
    if here:
        parent = here.get(SPAN_KEY)
        if type(parent) is LiveSpan and not (draft := parent.draft).is_inherited:
            return LiveSpan(runtime, name, span_type, attributes, None, draft, parent.number)
        if parent is not None:
            above = otel.get_current_span(here).get_span_context()
            if above.is_valid:
                return _begin_below(runtime, above, name, span_type, attributes, scope)
    trace_number = runtime.ids.trace_id()
    share = runtime.settings.sampling_ratio if ratio is None else ratio
    if share < 1.0 and trace_number & _LOW_64_BITS >= share * 2**64:
        return NoOpSpan(name, otel.SpanContext(trace_number, runtime.ids.span_id(), is_remote=False))
    if not runtime.is_watching:
        runtime.watch()
    if scope is None and runtime.settings.model_id is None:  # then nobody asks for a draft, mostly
        return LiveSpan(runtime, name, span_type, attributes, trace_number)
    return LiveSpan(runtime, name, span_type, attributes, trace_number, _draft(runtime, trace_number, scope))


def begin_child(
    parent: LiveSpan, name: str, span_type: str = UNKNOWN, attributes: dict[str, str] = _NO_TEXTS
) -> LiveSpan:
    """Return a new span below the one given, wherever that is current."""
    if type(parent) is LiveSpan and not process.switch.is_off and not common.is_used:  # what `begin_span` does then
        draft = parent.draft
        if not draft.is_inherited:
            return LiveSpan(current(), name, span_type, attributes, None, draft, parent.number)
    return begin_span(name, span_type, attributes, context=Context({SPAN_KEY: parent}))


def current_draft() -> TraceDraft | None:
    """Return the trace under way here, if there is one that this process is putting together."""
    span = otel.get_current_span()
    if isinstance(span, LiveSpan):  # its root may have ended: what is said now goes with this span's part
        return span.draft if span.is_recording() else None
    known = find_open_span(current(), span.get_span_context().span_id)
    return None if known is None else known.draft


def current_span() -> LiveSpan | None:
    """Return the current span if it is one of ours, or stands for one, and records."""
    span = otel.get_current_span()
    if not isinstance(span, LiveSpan):
        known = find_open_span(current(), span.get_span_context().span_id)
        return known if isinstance(known, LiveSpan) else None
    return span if span.is_recording() else None


def is_left_out() -> bool:
    """Whether what happens here is deliberately not recorded: switched off, or of a trace that is not kept."""
    scope = current_scope()
    return (
        process.switch.is_off or (scope is not None and scope.is_off) or isinstance(otel.get_current_span(), NoOpSpan)
    )


def find_open_span(runtime: Runtime, number: int) -> OpenSpan | None:
    """Return the span that runs in this process under the number of its id."""
    reference = runtime.open_spans.get(number)
    return None if reference is None else reference()


def _draft(runtime: Runtime, trace_number: int, scope: Scope | None) -> TraceDraft:
    """Return a new trace, with what is said here of those that begin here."""
    settings = runtime.settings
    experiment = settings.experiment if scope is None else scope.trace_experiment(settings.experiment)
    draft = TraceDraft(trace_number, experiment)
    if settings.model_id is not None:
        draft.say(_NO_TEXTS, {MODEL_ID: settings.model_id})
    if scope is not None:
        draft.say(scope.tags, scope.all_metadata())
    return draft


def _begin_below(
    runtime: Runtime, above: otel.SpanContext, name: str, span_type: str, attributes: dict[str, str],
    scope: Scope | None,
) -> LiveSpan:  # fmt: skip
    """Return a span below one that only its ids tell of.

    That is a proxy around one of ours, a remote parent, or a span of the OpenTelemetry SDK.
    """
    if not above.trace_flags.sampled:
        return NoOpSpan(name, above)
    known = None if above.is_remote else find_open_span(runtime, above.span_id)
    if known is not None and known.draft.trace_number == above.trace_id:
        return LiveSpan(runtime, name, span_type, attributes, None, known.draft, above.span_id)
    if not runtime.is_watching:
        runtime.watch()
    draft = _draft(runtime, above.trace_id, scope)
    span = LiveSpan(runtime, name, span_type, attributes, above.trace_id, draft, above.span_id)
    span.set_parent_context(above)
    return span
