"""What is said from outside of what was captured: edits of traces, deletions, and facts of other things.

An edit is laid over what the parts of its trace say: of a tag, of metadata, of an assessment. A fact says something of
an experiment, a run or a model. Of several about one thing the latest counts, and of several at the same time the one
that comes last in a total order of the records. So any order of any set of them, each any number of times, says the
same. An edit beats every part, whatever the times: who makes it is looking at the trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from tracehound.model.assessment import Assessment
from tracehound.model.record import Record, from_json, replace, to_msgpack
from tracehound.model.trace import TRACE_NAME, Trace, TracePart

TAG: Final = "tag"
METADATA: Final = "metadata"
ASSESSMENT: Final = "assessment"
DISCARD: Final = "discard"


class Edit(Record, frozen=True, array_like=True, tag="edit", gc=False):
    """Sets one thing of a trace, or removes it where the value is None.

    The kind says which: a tag or metadata of that key, or the assessment with that id, as JSON (`Assessment.to_dict`).
    An edit of the kind DISCARD takes away what the process of that key has shown of the trace while it ran there: it
    has not kept the trace (`screening.choice`).
    """

    trace_id: str
    key: str
    value: str | None
    written_ns: int
    kind: str = TAG


class Deletion(Record, frozen=True, array_like=True, tag="deletion", gc=False):
    """Removes a trace, with all that was said of it and all that arrives of it later."""

    trace_id: str
    written_ns: int


class Facts(Record, frozen=True, array_like=True, tag="facts", gc=False):
    """Says something of what is no trace: values by key, None for what is not so any more.

    The kind is that of the subject, an experiment, a run, a model, and the subject its id.
    """

    kind: str
    subject: str
    values: dict[str, str | None]
    written_ns: int


# Kinds of facts that are of a place and not of its traces: who may do what there, and what was done. None is copied.
ACCESS: Final = "token"
AUDIT: Final = "audit"
OF_THE_PLACE: Final = frozenset({ACCESS, AUDIT})

TraceChange: TypeAlias = TracePart | Edit | Deletion
Change: TypeAlias = TraceChange | Facts


def latest_edits(edits: Iterable[Edit]) -> list[Edit]:
    """Return of the edits of one trace those that count: the latest of each thing."""
    latest: dict[tuple[str, str], Edit] = {}
    for edit in sorted(edits, key=_rank):
        latest[edit.kind, edit.key] = edit
    return list(latest.values())


def without_discarded(parts: Sequence[TracePart], edits: Iterable[Edit]) -> list[TracePart]:
    """Return the parts without the snapshots of processes that have not kept the trace; there may be none left."""
    gone = {edit.key for edit in edits if edit.kind == DISCARD}
    return [part for part in parts if part.owner is None or part.owner not in gone] if gone else list(parts)


def lay_over(trace: Trace, edits: Iterable[Edit]) -> Trace:
    """Return the trace as it is with its edits, of which there is one for each thing at most."""
    said: dict[str, dict[str, str | None]] = {}
    for edit in edits:
        said.setdefault(edit.kind, {})[edit.key] = edit.value
    if METADATA in said:
        trace = replace(
            trace, info=replace(trace.info, trace_metadata=_changed(trace.info.trace_metadata, said[METADATA]))
        )
    if ASSESSMENT in said:
        texts = [text for text in said[ASSESSMENT].values() if text is not None]
        trace = replace(trace, info=replace(trace.info, assessments=read_assessments(texts)))
    return with_tags(trace, _changed(trace.info.tags, said[TAG])) if TAG in said else trace


def with_tags(trace: Trace, tags: dict[str, str]) -> Trace:
    """Return the trace with these tags in place of its own. Its name is one of them.

    A trace always has a name: without that tag it is called what its root span is called.
    """
    named = tags if TRACE_NAME in tags else {**tags, TRACE_NAME: trace.data.spans[0].name}
    return replace(trace, info=replace(trace.info, tags=named, name=named[TRACE_NAME]))


def read_assessments(texts: Iterable[str]) -> list[Assessment]:
    """Return the assessments that JSON texts hold, the oldest first."""
    found = [Assessment.from_dict(from_json(text)) for text in sorted(texts)]  # so that a tie has one order as well
    return sorted(found, key=lambda each: (each.create_time_ms, each.assessment_id or ""))


def _changed(texts: dict[str, str], said: dict[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in {**texts, **said}.items() if value is not None}


def _rank(edit: Edit) -> tuple[int, bytes]:
    return edit.written_ns, to_msgpack(edit)
