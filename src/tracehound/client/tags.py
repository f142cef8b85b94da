"""Tags of traces that are kept, or run still: set and removed from outside of them."""

from __future__ import annotations

import logging

from tracehound.client.known import read_known
from tracehound.context.running import find_drafts
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.edit import Edit
from tracehound.model.ids import NO_OP_TRACE_ID
from tracehound.model.limits import MAX_TAG_CHARACTERS
from tracehound.model.reserved import IMMUTABLE_TAGS, REMOVABLE_TAGS
from tracehound.model.values import clean_text, to_text
from tracehound.runtime import Runtime, current

_logger = logging.getLogger("tracehound.client")


def set_trace_tag(trace_id: str, key: str, value: object) -> None:
    """Set a tag of a trace, whether the trace runs in this process or is kept already.

    A value that is no text becomes JSON (`3`, `true`, `{"a":1}`); None sets nothing. The tag is kept when this returns,
    and wins over what the trace says of itself. Setting `mlflow.traceName` changes the trace's name. Tags that belong
    to the store (`model.reserved.IMMUTABLE_TAGS`) are not set, with a warning. Raise `NotFoundError` for a trace that
    is not there, `StoreError` where the tag cannot be kept.

    >>> import tracehound
    >>> with tracehound.start_span("answer") as span:
    ...     pass
    >>> tracehound.set_trace_tag(span.trace_id, "reviewed", True)
    >>> len(tracehound.search_traces("tags.reviewed = 'true'"))
    1
    """
    set_tag(current(), trace_id, key, value)


def delete_trace_tag(trace_id: str, key: str) -> None:
    """Remove a tag of a trace, whether the trace runs in this process or is kept already.

    A trace without its tag `mlflow.traceName` is called what its root span is called. Raise `NotFoundError` for a
    trace that is not there or a tag that it does not have, `StoreError` where that cannot be kept.

    >>> import tracehound
    >>> with tracehound.start_span("answer") as span:
    ...     tracehound.update_current_trace(tags={"draft": "yes"})
    >>> tracehound.delete_trace_tag(span.trace_id, "draft")
    >>> len(tracehound.search_traces("tags.draft IS NOT NULL"))
    0
    """
    delete_tag(current(), trace_id, key)


def set_tag(runtime: Runtime, trace_id: str, key: str, value: object) -> None:
    """Set a tag of a trace (`set_trace_tag`)."""
    wanted, name = clean_text(str(trace_id)), clean_text(str(key))
    if wanted == NO_OP_TRACE_ID or _is_refused(name, IMMUTABLE_TAGS):
        return
    text = None if value is None else to_text(value)
    if text is not None and len(text) > MAX_TAG_CHARACTERS:
        raise ArgumentError(f"the tag {name!r} may have {MAX_TAG_CHARACTERS} characters, not {len(text)}")
    read_known(runtime, wanted)
    if text is not None:
        _edit(runtime, wanted, name, text)


def delete_tag(runtime: Runtime, trace_id: str, key: str) -> None:
    """Remove a tag of a trace (`delete_trace_tag`)."""
    wanted, name = clean_text(str(trace_id)), clean_text(str(key))
    if wanted == NO_OP_TRACE_ID or _is_refused(name, IMMUTABLE_TAGS - REMOVABLE_TAGS):
        return
    known = read_known(runtime, wanted)
    if known is not None and name not in known.tags():
        raise NotFoundError(f"the trace {wanted} has no tag {name!r}")
    _edit(runtime, wanted, name, None)


def _is_refused(key: str, keys: frozenset[str]) -> bool:
    if key in keys:
        _logger.warning("the tag %r belongs to the store and cannot be changed; nothing was changed", key)
    return key in keys


def _edit(runtime: Runtime, trace_id: str, key: str, value: str | None) -> None:
    """Keep the edit, and tell it to what runs here: what is said there later is to win over the edit."""
    for draft in find_drafts(runtime.open_spans, trace_id):
        draft.edit_tag(key, value)
    runtime.keep_edit(Edit(trace_id, key, value, runtime.edit_time_ns()))
