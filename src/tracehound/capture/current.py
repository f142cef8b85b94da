"""What user code can do with the span and the trace under way."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from tracehound.capture.begin import current_draft, current_span, is_left_out
from tracehound.capture.live_span import LiveSpan
from tracehound.capture.shield import report_fault
from tracehound.context.draft import TraceDraft
from tracehound.context.scope import MODEL_ID
from tracehound.errors import ArgumentError, StoreError
from tracehound.model.edit import Edit
from tracehound.model.limits import MAX_TAG_CHARACTERS
from tracehound.model.reserved import IMMUTABLE_TAGS, TRACE_SESSION, TRACE_USER, session_text
from tracehound.model.trace import TraceState
from tracehound.model.values import clean_text, to_text
from tracehound.runtime import current, last_trace

_logger = logging.getLogger("tracehound.capture")


def get_current_active_span() -> LiveSpan | None:
    """Return the span under way here, or None.

    >>> import tracehound
    >>> with tracehound.start_span("outer") as span:
    ...     tracehound.get_current_active_span() is span
    True
    """
    return current_span()


def get_active_trace_id() -> str | None:
    """Return the id of the trace under way here, or None.

    >>> import tracehound
    >>> with tracehound.start_span("outer") as span:
    ...     tracehound.get_active_trace_id() == span.trace_id
    True
    """
    draft = current_draft()
    return None if draft is None else draft.trace_id


def get_last_active_trace_id(thread_local: bool = False) -> str | None:  # noqa: FBT001, FBT002 - MLflow's signature
    """Return the id of the trace that finished last, in this process or in this thread; None before the first.

    >>> import tracehound
    >>> with tracehound.start_span("outer") as span:
    ...     pass
    >>> tracehound.get_last_active_trace_id(thread_local=True) == span.trace_id
    True
    """
    return last_trace.in_this_thread() if thread_local else last_trace.anywhere


def update_current_trace(
    tags: Mapping[str, object] | None = None,
    metadata: Mapping[str, object] | None = None,
    client_request_id: str | None = None,
    request_preview: str | None = None,
    response_preview: str | None = None,
    state: TraceState | str | None = None,
    model_id: str | None = None,
    session_id: str | Sequence[str] | None = None,
    user: str | None = None,
) -> None:
    """Say something about the trace under way: tags, metadata, previews, how it ended.

    Values that are no text become JSON (`3`, `true`, `{"a":1}`); a tag or metadata value of None is not set. `state`
    is OK or ERROR and overrides what the root span says. `model_id`, `session_id` and `user` are the metadata
    `mlflow.modelId`, `mlflow.trace.session` (a list becomes a JSON array) and `mlflow.trace.user`. Tags that belong to
    the store (`model.reserved`) are not set, with a warning. Outside of a trace nothing happens but a warning.

    Raise `ArgumentError` for what is no mapping, for any other state, and for a session that is no text.

    >>> import tracehound
    >>> with tracehound.start_span("answer"):
    ...     tracehound.update_current_trace(tags={"env": "test", "attempt": 2})
    >>> tracehound.search_traces("tags.attempt = 2", return_type="list")[0].info.tags["env"]
    'test'
    """
    new_tags = to_tags(tags)
    new_metadata = to_texts("metadata", metadata) | about(model_id, session_id, user)
    new_state = None if state is None else _to_state(state)
    draft = current_draft()
    if draft is None:
        if not is_left_out():
            _logger.warning("update_current_trace was called where no trace is under way; nothing was changed")
        return
    say(draft, new_tags, new_metadata)
    if draft.is_inherited and (new_metadata or client_request_id or request_preview or response_preview or state):
        _logger.warning("update_current_trace: of a trace that began before the fork, only tags can be changed here")
    if client_request_id is not None:
        draft.client_request_id = clean_text(str(client_request_id))
    if request_preview is not None:
        draft.request_preview = clean_text(str(request_preview))
    if response_preview is not None:
        draft.response_preview = clean_text(str(response_preview))
    if new_state is not None:
        draft.state = new_state


def about(model_id: object, session_id: object, user: object) -> dict[str, str]:
    """Return as metadata what model, session and user a trace is of; raise `ArgumentError` for no session."""
    session = None if session_id is None else session_text(session_id)
    said = {MODEL_ID: model_id, TRACE_SESSION: session, TRACE_USER: user}
    return {key: to_text(value) for key, value in said.items() if value is not None}


def to_tags(tags: Mapping[str, object] | None) -> dict[str, str]:
    """Return tags as texts, without those that belong to the store, about which a warning is given."""
    texts = to_texts("tags", tags)
    for key in texts.keys() & IMMUTABLE_TAGS:
        _logger.warning("the tag %r belongs to the store and cannot be set", key)
        del texts[key]
    return texts


def say(draft: TraceDraft, tags: Mapping[str, str], metadata: Mapping[str, str]) -> None:
    """Add tags and metadata of a trace; a tag that was edited while the trace ran is edited again (`model.edit`).

    So is every tag of a trace that another process hands over, the one that this was forked from.
    """
    draft.say(tags, metadata)
    edited = tags.keys() if draft.is_inherited else draft.edited_tags & tags.keys()
    if edited:
        runtime = current()
        try:
            for key in edited:
                runtime.keep_edit(Edit(draft.trace_id, key, tags[key], runtime.edit_time_ns()))
        except StoreError as fault:
            report_fault("update_current_trace", fault)


def to_texts(argument: str, values: Mapping[str, object] | None) -> dict[str, str]:
    """Return tags or metadata as texts; raise `ArgumentError`, with the argument's name, for what is no mapping.

    Of a value that is too long the beginning is kept, which is said: a program does not end for the length of a text.
    """
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise ArgumentError(f"{argument} is a mapping such as {{'env': 'prod'}}, not {values!r}")
    return {
        clean_text(str(key)): text if len(text := to_text(value)) <= MAX_TAG_CHARACTERS else _cut(argument, key, text)
        for key, value in values.items()
        if value is not None
    }


def _cut(argument: str, key: object, text: str) -> str:
    message = "%s: of the %d characters of %r the first %d are kept; the inputs and outputs of a span hold more"
    _logger.error(message, argument, len(text), key, MAX_TAG_CHARACTERS)
    return f"{text[: MAX_TAG_CHARACTERS - 1]}…"


def _to_state(state: TraceState | str) -> TraceState:
    if state not in (TraceState.OK, TraceState.ERROR):
        raise ArgumentError(f"state is OK or ERROR, not {state!r}")
    return TraceState(state)
