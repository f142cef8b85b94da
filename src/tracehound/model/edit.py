"""What is said of a trace from outside of it: edits, laid over what its parts say, and its deletion.

Of several edits of one thing the latest counts, and of several at the same time the one that comes last in a total
order of the records. So any order of any set of them, each any number of times, says the same. An edit beats every
part, whatever the times: who makes it is looking at the trace. So far tags are edited; another kind is another record
with another `kind`, and a row of the same table in a store.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from tracehound.model.record import Record, replace, to_msgpack
from tracehound.model.trace import TRACE_NAME, Trace, TracePart

TAG: Final = "tag"


class TagEdit(Record, frozen=True, array_like=True, tag=TAG, gc=False):
    """Sets one tag of a trace, or removes it where the value is None."""

    trace_id: str
    key: str
    value: str | None
    written_ns: int


class Deletion(Record, frozen=True, array_like=True, tag="deletion", gc=False):
    """Removes a trace, with all that was said of it and all that arrives of it later."""

    trace_id: str
    written_ns: int


Change: TypeAlias = TracePart | TagEdit | Deletion


def latest_edits(edits: Iterable[TagEdit]) -> list[TagEdit]:
    """Return of the edits of one trace those that count: the latest of each tag."""
    latest: dict[str, TagEdit] = {}
    for edit in sorted(edits, key=_rank):
        latest[edit.key] = edit
    return list(latest.values())


def lay_over(trace: Trace, edits: Iterable[TagEdit]) -> Trace:
    """Return the trace as it is with its edits, of which there is one for each tag at most."""
    said = {edit.key: edit.value for edit in edits}
    if not said:
        return trace
    tags = {key: value for key, value in {**trace.info.tags, **said}.items() if value is not None}
    return with_tags(trace, tags)


def with_tags(trace: Trace, tags: dict[str, str]) -> Trace:
    """Return the trace with these tags in place of its own. Its name is one of them.

    A trace always has a name: without that tag it is called what its root span is called.
    """
    named = tags if TRACE_NAME in tags else {**tags, TRACE_NAME: trace.data.spans[0].name}
    return replace(trace, info=replace(trace.info, tags=named, name=named[TRACE_NAME]))


def _rank(edit: TagEdit) -> tuple[int, bytes]:
    return edit.written_ns, to_msgpack(edit)
