"""The trace that is being put together while user code runs."""

from __future__ import annotations

import threading

from tracehound.model.span import Span
from tracehound.model.trace import TracePart, TraceState


class TraceDraft:
    """The spans of one trace that have ended in this process, and what was said about the whole.

    The draft is handed over when its first span, the local root, ends. Spans that end later are handed over one by
    one, as parts of the same trace, so that a child that outlives its parent is never lost.
    """

    __slots__ = (
        "_is_handed_over", "_lock", "_spans", "client_request_id", "experiment", "metadata", "request_preview",
        "response_preview", "state", "tags", "trace_id", "trace_number",
    )  # fmt: skip

    def __init__(self, trace_number: int, trace_id: str, experiment: str) -> None:
        self.trace_number = trace_number
        self.trace_id = trace_id
        self.experiment = experiment
        self.tags: dict[str, str] = {}
        self.metadata: dict[str, str] = {}
        self.client_request_id: str | None = None
        self.request_preview: str | None = None
        self.response_preview: str | None = None
        self.state: TraceState | None = None
        self._spans: list[Span] = []
        self._lock = threading.RLock()  # a finalizer may end a span of this trace while one ends
        self._is_handed_over = False

    def end_span(self, span: Span, now_ns: int, *, is_local_root: bool) -> TracePart | None:
        """Take a span that has ended; return the part to hand over, if there is one now."""
        with self._lock:
            self._spans.append(span)
            if not (is_local_root or self._is_handed_over):
                return None
            self._is_handed_over = True
            spans, self._spans = self._spans, []
        return TracePart(
            trace_id=self.trace_id,
            experiment=self.experiment,
            written_ns=now_ns,
            spans=spans,
            tags=dict(self.tags),
            metadata=dict(self.metadata),
            client_request_id=self.client_request_id,
            request_preview=self.request_preview,
            response_preview=self.response_preview,
            state=self.state,
        )
