"""Which traces are kept, decided when they end: all that failed, all that took long, and a share of the others.

The decision is made when the local root of a trace ends, in its thread, before anything of it is written; what comes
later of the trace follows it. The share is chosen by a hash of the trace's id, so that all processes of a distributed
trace choose alike. What is kept has the weight with which it counts in statistics (`model.weight`).
"""

from __future__ import annotations

import contextlib
from hashlib import blake2b
from typing import Final, Protocol

from tracehound.context.draft import TraceDraft
from tracehound.context.running import OpenSpans, find_drafts
from tracehound.errors import StoreError
from tracehound.model.edit import DISCARD, Edit
from tracehound.model.record import replace
from tracehound.model.span import SpanStatusCode
from tracehound.model.trace import TracePart, TraceState
from tracehound.model.weight import WEIGHT, write_weight
from tracehound.settings import Settings

DROPPED: Final = 0.0
_NS_PER_MS: Final = 1_000_000


class Keeper(Protocol):
    """What knows the spans that run, and keeps edits; `runtime`."""

    @property
    def open_spans(self) -> OpenSpans:
        """The spans that run, by the numbers of their ids."""
        ...

    def owners(self) -> set[str]:
        """Return the names under which this process shows what runs in it."""
        ...

    def edit_time_ns(self) -> int:
        """Return the time of an edit."""
        ...

    def keep_edit(self, edit: Edit) -> None:
        """Keep an edit; raise `StoreError` where that cannot be."""
        ...


class TailChoice:
    """Decides what is kept of the traces whose spans run here, and remembers it with their drafts."""

    def __init__(self, settings: Settings, keeper: Keeper) -> None:
        self._ratio = settings.tail_sampling_ratio
        self._slower_than_ms = settings.slower_than_ms
        self._keeper = keeper

    def kept(self, part: TracePart) -> list[TracePart]:
        """Return what is kept of a finished part, and of those that have waited for it, each with its weight.

        The part with the local root decides. Another thread may end a child in between: that part waits in the draft,
        and goes with the root's, or with itself where the decision has fallen when it is there.
        """
        draft = self._draft_of(part)
        if draft is None:
            return _weighted([part], self.weight_of(part))
        draft.hold(part)
        if draft.choice is None and any(span.span_id == draft.root_id for span in part.spans):
            draft.choice = self.weight_of(part)  # before the look at what was shown: see `context.running`
            if draft.choice == DROPPED and draft.is_shown and not self._discard(part.trace_id):
                draft.choice = 1.0
        return [] if draft.choice is None else _weighted(draft.release(), draft.choice)

    def _discard(self, trace_id: str) -> bool:
        """Take away what was shown of a trace; False where that cannot be done: then the trace is kept.

        Else it would seem to run for ever.
        """
        with contextlib.suppress(StoreError):
            for owner in self._keeper.owners():
                self._keeper.keep_edit(Edit(trace_id, owner, None, self._keeper.edit_time_ns(), DISCARD))
            return True
        return False

    def weight_of(self, part: TracePart) -> float:
        """Return how many traces one stands for that ends with this part, or `DROPPED`."""
        if part.state is TraceState.ERROR or any(
            span.status.status_code is SpanStatusCode.ERROR for span in part.spans
        ):
            return 1.0
        if self._slower_than_ms is not None and _length_ns(part) >= self._slower_than_ms * _NS_PER_MS:
            return 1.0
        return 1.0 / self._ratio if is_chosen(part.trace_id, self._ratio) else DROPPED

    def _draft_of(self, part: TracePart) -> TraceDraft | None:
        """Return the draft of a part's trace: the span that has ended with it is still among those that run."""
        reference = self._keeper.open_spans.get(int(part.spans[-1].span_id, 16))
        span = None if reference is None else reference()
        if span is not None and span.draft.trace_id == part.trace_id:
            return span.draft
        return next(iter(find_drafts(self._keeper.open_spans, part.trace_id)), None)


def _weighted(parts: list[TracePart], weight: float) -> list[TracePart]:
    """Return the parts of a trace as they are kept; none where it is not."""
    if weight == DROPPED:
        return []
    said = {} if weight == 1.0 else {WEIGHT: write_weight(weight)}
    return [replace(part, metadata={**part.metadata, **said}) for part in parts]


def is_chosen(trace_id: str, ratio: float) -> bool:
    """Whether a trace is in the share of those that are kept; the same in every process.

    >>> [is_chosen("tr-00000000000000000000000000000001", ratio) for ratio in (0.2, 0.3)]
    [False, True]
    """
    return int.from_bytes(blake2b(trace_id.encode(), digest_size=8).digest(), "big") < ratio * 2**64


def _length_ns(part: TracePart) -> int:
    ends = [span.end_time_ns for span in part.spans if span.end_time_ns is not None]
    return max(ends, default=0) - min(span.start_time_ns for span in part.spans)
