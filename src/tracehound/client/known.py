"""What is known of a trace that is to be edited: what the store has of it, and what runs of it in this process."""

from __future__ import annotations

from dataclasses import dataclass

from tracehound.context.draft import TraceDraft
from tracehound.context.running import find_drafts
from tracehound.errors import NotFoundError
from tracehound.model.assessment import Assessment
from tracehound.model.trace import TRACE_NAME, Trace
from tracehound.runtime import Runtime


@dataclass(frozen=True)
class KnownTrace:
    """A trace: as it is stored, None before its first part is; and what this process puts together of it."""

    trace_id: str
    stored: Trace | None
    drafts: list[TraceDraft]
    open_spans: frozenset[str]

    def tags(self) -> dict[str, str]:
        """Return the tags; a name it always has, whatever that will be."""
        tags = {TRACE_NAME: ""} if self.stored is None else dict(self.stored.info.tags)
        for draft in self.drafts:
            tags.update(draft.tags)
        return tags

    def metadata(self) -> dict[str, str]:
        """Return the metadata."""
        metadata = {} if self.stored is None else dict(self.stored.info.trace_metadata)
        for draft in self.drafts:
            metadata.update(draft.metadata)
        return metadata

    def assessments(self) -> dict[str, Assessment]:
        """Return the assessments by id. Edits of a trace that is not stored wait for it: the draft knows them."""
        stored = [] if self.stored is None else self.stored.info.assessments
        found: dict[str, Assessment | None] = {str(each.assessment_id): each for each in stored}
        for draft in self.drafts:
            found.update(draft.assessments)
        return {key: each for key, each in found.items() if each is not None}

    def has_span(self, span_id: str) -> bool:
        """Whether a span with this id is part of the trace."""
        if span_id in self.open_spans or any(draft.has_ended(span_id) for draft in self.drafts):
            return True
        return self.stored is not None and any(span.span_id == span_id for span in self.stored.data.spans)


def read_known(runtime: Runtime, trace_id: str, *, must_be_current: bool = False) -> KnownTrace | None:
    """Return what is known of a trace; None where the store is locked, so that nobody can tell whether there is one.

    Raise `NotFoundError` for one that is not there, and `StoreBusyError` for a locked store if it must be current.
    What runs here is looked at first: when it has ended meanwhile, it is kept already.
    """
    drafts = find_drafts(runtime.open_spans, trace_id)
    store, is_all_there = runtime.drain(must_succeed=must_be_current)
    stored = store.read_traces([trace_id]).get(trace_id)
    if stored is None and not drafts:
        if is_all_there:
            raise NotFoundError(f"there is no trace {trace_id}")
        return None
    return KnownTrace(trace_id, stored, drafts, _open_spans(runtime, trace_id) if drafts else frozenset())


def _open_spans(runtime: Runtime, trace_id: str) -> frozenset[str]:
    """Return the ids of the spans of a trace that run in this process."""
    spans = [(number, reference()) for number, reference in list(runtime.open_spans.items())]
    return frozenset(f"{number:016x}" for number, span in spans if span is not None and span.draft.trace_id == trace_id)
