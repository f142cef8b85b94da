"""The trace that is being put together while user code runs.

Any thread may end a span of it, and so may a finalizer or a signal handler in the midst of another end: there is no
lock. Appending to a list and popping from it are atomic, and a span that comes after the hand-over takes out what it
finds, so that every span is handed over once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from tracehound.model.assessment import Assessment
from tracehound.model.span import Span
from tracehound.model.trace import TracePart, TraceState

_NOTHING: Final[dict[str, str]] = {}
_NO_ASSESSMENTS: Final[dict[str, Assessment | None]] = {}


class TraceDraft:
    """The spans of one trace that have ended in this process, and what was said about the whole.

    The draft is handed over when its first span, the local root, ends. Spans that end later are handed over one by
    one, as parts of the same trace, so that a child that outlives its parent is never lost.
    """

    # What most traces never say stands here once: capture begins a draft for every trace. `say` makes mappings of the
    # draft's own.
    tags: Mapping[str, str] = _NOTHING
    metadata: Mapping[str, str] = _NOTHING
    client_request_id: str | None = None
    request_preview: str | None = None
    response_preview: str | None = None
    state: TraceState | None = None
    trace_state: Any = None  # what vendors keep beside the ids, in OpenTelemetry's form
    edited_tags: AbstractSet[str] = frozenset()
    # Assessments of the trace by id, of which there are edits too (`client.feedback`); None for one that was deleted.
    assessments: Mapping[str, Assessment | None] = _NO_ASSESSMENTS
    # When the next snapshot is due, by the clock of `context.running`; None until that has seen the trace.
    snapshot_due_s: float | None = None
    snapshot_interval_s = 0.0
    # Whether a snapshot of it was kept, or is about to be.
    is_shown = False
    # How many traces it stands for, 0 where it is not kept (`screening.choice`); None until that has been decided.
    choice: float | None = None
    _shown = 0

    def __init__(self, trace_number: int, experiment: str, root_id: str | None = None) -> None:
        self.trace_number = trace_number
        self.trace_id = f"tr-{trace_number:032x}"
        self.experiment = experiment
        self.root_id = root_id  # of the local root; known when that has ended, if not before
        self.is_inherited = False  # whether it came into this process by a fork: the parent hands over what it holds
        self._is_handed_over = False
        self._spans: list[Span] = []

    def say(self, tags: Mapping[str, str], metadata: Mapping[str, str]) -> None:
        """Add tags and metadata of the trace; later ones win."""
        # Each step is atomic, so that two threads that say something at once are both heard.
        if tags:
            vars(self).setdefault("tags", {}).update(tags)
        if metadata:
            vars(self).setdefault("metadata", {}).update(metadata)

    def edit_tag(self, key: str, value: str | None) -> None:
        """Set or remove a tag about which there will be an edit (`model.edit`) too.

        Edits beat what the trace itself says, so whatever is said of these keys from now on has to be an edit as well.
        """
        vars(self).setdefault("edited_tags", set()).add(key)
        if value is not None:
            self.say({key: value}, _NOTHING)
        else:
            vars(self).setdefault("tags", {}).pop(key, None)

    def assess(self, assessment_id: str, assessment: Assessment | None) -> None:
        """Note an assessment of the trace, or that there is none with this id any more."""
        vars(self).setdefault("assessments", {})[assessment_id] = assessment

    def has_ended(self, span_id: str) -> bool:
        """Whether a span of the trace with this id has ended and waits here to be handed over."""
        return any(span.span_id == span_id for span in list(self._spans))

    def end_span(self, span: Span, now_ns: int, is_local_root: bool) -> TracePart | None:  # noqa: FBT001 - hot
        """Take a span that has ended; return the part to hand over, if there is one now."""
        if self.is_inherited:
            return None
        if is_local_root:
            self.root_id = span.span_id
            self._is_handed_over = True
            if not self._spans:
                return self._to_part([span], now_ns, self.state)
        self._spans.append(span)
        return self._take(now_ns) if self._is_handed_over else None

    def hand_over(self, now_ns: int) -> TracePart | None:
        """Note that the local root has gone; return what came too late to go with it, if anything did."""
        self._is_handed_over = True
        return self._take(now_ns)

    def hold(self, part: TracePart) -> None:
        """Hold back a part that has ended before it was decided whether the trace is kept."""
        vars(self).setdefault("held", []).append(part)

    def release(self) -> list[TracePart]:
        """Return what no other thread has taken of the parts that were held back."""
        held: list[TracePart] = vars(self).get("held", [])
        released: list[TracePart] = []
        with contextlib.suppress(IndexError):  # another thread took the last one
            while held:
                released.append(held.pop())
        return released

    def _take(self, now_ns: int) -> TracePart | None:
        """Return what no other thread has taken of the spans that have ended."""
        taken: list[Span] = []
        try:
            while self._spans:
                taken.append(self._spans.pop())
        except IndexError:  # another thread took the last one
            pass
        if not taken:
            return None
        taken.reverse()
        return self._to_part(taken, now_ns, self.state)

    def snapshot(self, running: Iterable[Span], now_ns: int) -> tuple[TracePart, int]:
        """Return what is new since the last snapshot that was kept, with the spans that run, and how far it goes."""
        end = 0 if self._is_handed_over else len(self._spans)
        return self._to_part([*self._spans[self._shown : end], *running], now_ns, None), end

    def confirm_snapshot(self, end: int) -> None:
        """Note that the snapshot that goes so far was kept."""
        self._shown = end

    def inherit(self) -> None:
        """Leave to the parent process what began there, after a fork; what begins here goes its own way."""
        self.is_inherited = True

    def _to_part(self, spans: list[Span], now_ns: int, state: TraceState | None) -> TracePart:
        return TracePart(
            self.trace_id, self.experiment, now_ns, spans, dict(self.tags), dict(self.metadata),
            self.client_request_id, self.request_preview, self.response_preview, state,
        )  # fmt: skip
