"""`MlflowClient`: MLflow's client over one store, and capture by ids, for programs that begin and end spans apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from tracehound.capture.current import get_current_active_span
from tracehound.capture.live_span import LiveSpan
from tracehound.capture.manual import start_span_no_context
from tracehound.client.runs import experiment_name, find_run
from tracehound.client.store_client import StoreClient
from tracehound.context.running import find_drafts
from tracehound.context.scope import own_scope, within
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.ids import NO_OP_TRACE_ID
from tracehound.model.occurrence import Link
from tracehound.model.span import UNKNOWN
from tracehound.runtime import current

# The spans that were begun here, by trace: who ends them may keep nothing but their ids, and the runtime holds none.
_held: Final[dict[str, dict[str, LiveSpan]]] = {}


class MlflowClient(StoreClient):
    """MLflow's client: search, edit and describe what a store holds; begin and end traces by their ids.

    Without `tracking_uri` it is about the active store. Traces go into the active store only.

    >>> client = MlflowClient()
    >>> root = client.start_trace("answer", inputs={"question": "why?"})
    >>> step = client.start_span("look up", root.trace_id, parent_id=root.span_id)
    >>> client.end_span(root.trace_id, step.span_id)
    >>> client.end_trace(root.trace_id, outputs="because")
    >>> [span.name for span in client.get_trace(root.trace_id).data.spans]
    ['answer', 'look up']
    """

    def start_trace(
        self,
        name: str,
        span_type: str = UNKNOWN,
        inputs: object = None,
        attributes: Mapping[str, object] | None = None,
        tags: Mapping[str, object] | None = None,
        experiment_id: str | None = None,
        start_time_ns: int | None = None,
        run_id: str | None = None,
        links: Sequence[Link] | None = None,
    ) -> LiveSpan:
        """Begin a trace and return its first span, which is not made current; it ends with `end_trace`.

        It goes into the experiment given, else the one of the run given, else the one that counts here. Raise
        `ArgumentError` where a span is current already: that one's trace is the one to go on with (`start_span`).
        """
        runtime = current()
        if self._runtime() is not runtime:
            raise ArgumentError("traces go into the active store: call set_tracking_uri, or leave tracking_uri out")
        if get_current_active_span() is not None:
            raise ArgumentError("a trace is under way here: begin a span of it with start_span")
        scope = own_scope()
        if run_id is not None:
            number = experiment_id or find_run(runtime, run_id).info.experiment_id
            scope = replace(scope, run_id=run_id, experiment=experiment_name(runtime, number))
        elif experiment_id is not None:
            scope = replace(scope, experiment=experiment_name(runtime, experiment_id))
        with within(scope):
            span = start_span_no_context(
                name, span_type, None, inputs, attributes, tags, start_time_ns=start_time_ns, links=links
            )
        return _hold(span)

    def start_span(
        self,
        name: str,
        trace_id: str | None = None,
        parent_id: str | None = None,
        span_type: str = UNKNOWN,
        inputs: object = None,
        attributes: Mapping[str, object] | None = None,
        start_time_ns: int | None = None,
        links: Sequence[Link] | None = None,
        *,
        request_id: str | None = None,
    ) -> LiveSpan:
        """Begin a span below one that runs, and return it; it ends with `end_span`.

        Raise `ArgumentError` for a parent that has ended, `NotFoundError` for one that is not there.
        """
        if parent_id is None:
            raise ArgumentError(
                "start_span takes parent_id=, the span that it stands below; start_trace begins a trace"
            )
        wanted = _trace_id(trace_id, request_id)
        if wanted == NO_OP_TRACE_ID:
            return start_span_no_context(name)
        parent = self._running(wanted, parent_id)
        return _hold(
            start_span_no_context(name, span_type, parent, inputs, attributes, start_time_ns=start_time_ns, links=links)
        )

    def end_span(
        self,
        trace_id: str | None = None,
        span_id: str | None = None,
        outputs: object = None,
        attributes: Mapping[str, object] | None = None,
        status: object = "OK",
        end_time_ns: int | None = None,
        *,
        request_id: str | None = None,
    ) -> None:
        """End a span; raise `ArgumentError` for one that has ended, `NotFoundError` for one that is not there."""
        if span_id is None:
            raise ArgumentError("end_span takes span_id=, the span to end")
        wanted = _trace_id(trace_id, request_id)
        if wanted == NO_OP_TRACE_ID:
            return
        span = self._running(wanted, span_id)
        span.end(outputs=outputs, attributes=attributes, status=status, end_time_ns=end_time_ns)
        _release(wanted, span_id)

    def end_trace(
        self,
        trace_id: str | None = None,
        outputs: object = None,
        attributes: Mapping[str, object] | None = None,
        status: object = "OK",
        end_time_ns: int | None = None,
        *,
        request_id: str | None = None,
    ) -> None:
        """End the first span of a trace; spans of it that run still are added when they end.

        Raise `ArgumentError` for a trace that has ended, `NotFoundError` for one that is not there.
        """
        wanted = _trace_id(trace_id, request_id)
        if wanted == NO_OP_TRACE_ID:
            return
        root = next((span for span in _open_spans(wanted) if span.parent_id is None), None)
        if root is None:
            raise self._not_running(wanted, "the trace")
        self.end_span(wanted, root.span_id, outputs, attributes, status, end_time_ns)

    def _running(self, trace_id: str, span_id: str) -> LiveSpan:
        """Return a span that runs, whoever began it."""
        found = next((span for span in _open_spans(trace_id) if span.span_id == span_id), None)
        if found is None:
            raise self._not_running(trace_id, f"the span {span_id} of the trace")
        return found

    def _not_running(self, trace_id: str, what: str) -> ArgumentError | NotFoundError:
        """Return the error for what does not run: it has ended, or never began."""
        runtime = self._runtime()
        store = runtime.drained_store()
        if store.read_traces([trace_id]) or find_drafts(runtime.open_spans, trace_id):
            return ArgumentError(f"{what} {trace_id} does not run: it has ended already, or is of another process")
        return NotFoundError(f"there is no trace {trace_id}")


def _trace_id(trace_id: str | None, request_id: str | None) -> str:
    """Return the id of the trace, which MLflow 2 calls `request_id`."""
    wanted = trace_id if trace_id is not None else request_id
    if not isinstance(wanted, str):
        raise ArgumentError(f"trace_id is a text, not {wanted!r}")
    return wanted


def _open_spans(trace_id: str) -> list[LiveSpan]:
    """Return the spans of a trace that run in this process, whoever began them."""
    spans = [reference() for reference in list(current().open_spans.values())]
    return [span for span in spans if isinstance(span, LiveSpan) and span.draft.trace_id == trace_id]


def _hold(span: LiveSpan) -> LiveSpan:
    if span.is_recording():
        _held.setdefault(span.trace_id, {})[span.span_id] = span
    return span


def _release(trace_id: str, span_id: str) -> None:
    held = _held.get(trace_id, {})
    held.pop(span_id, None)
    if not held:
        _held.pop(trace_id, None)
