"""Deleting traces, in steps small enough that nobody who writes waits for long."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from tracehound.client.patience import write_patiently
from tracehound.context.running import find_drafts
from tracehound.errors import ArgumentError
from tracehound.model.edit import Deletion
from tracehound.model.trace import TraceInfo
from tracehound.model.values import clean_text
from tracehound.query.search import Search, parse_search
from tracehound.query.tokens import quote
from tracehound.runtime import Runtime, current
from tracehound.store.api import Store

# Traces deleted in one transaction: with five spans each, that keeps the writer's lock for about a tenth of a second.
STEP: Final = 200


def _ignore(_count: int) -> None:
    """Do nothing with a progress that nobody follows."""


def delete_traces(
    experiment_id: str,
    max_timestamp_millis: int | None = None,
    max_traces: int | None = None,
    trace_ids: Sequence[str] | None = None,
) -> int:
    """Delete traces of an experiment and return how many there were: those that are named, or the oldest.

    Give either `trace_ids`, or `max_timestamp_millis` for the traces that started then or before, the oldest first,
    at most `max_traces` of them. Ids that are not in the experiment are left out. What arrives later of a trace that
    was deleted is not kept either. Raise `ArgumentError` for any other combination and for a trace that still runs
    here, `StoreError` where the store cannot be written. The rules are those of MLflow's `MlflowClient.delete_traces`.

    >>> import tracehound
    >>> with tracehound.start_span("answer") as span:
    ...     pass
    >>> tracehound.delete_traces("0", trace_ids=[span.trace_id])
    1
    """
    return delete_from(current(), experiment_id, max_timestamp_millis, max_traces, trace_ids)


def delete_from(
    runtime: Runtime,
    experiment_id: str,
    max_timestamp_millis: int | None = None,
    max_traces: int | None = None,
    trace_ids: Sequence[str] | None = None,
) -> int:
    """Delete traces of an experiment of a store (`delete_traces`)."""
    _check_arguments(max_timestamp_millis, max_traces, trace_ids)
    store = runtime.drained_store()
    if trace_ids is None:
        return delete_oldest(store, _started_by(experiment_id, max_timestamp_millis), max_traces)
    wanted = list(dict.fromkeys(clean_text(str(trace_id)) for trace_id in trace_ids))
    _check_kept(runtime, store, wanted)
    chunks = [wanted[at : at + STEP] for at in range(0, len(wanted), STEP)]
    return sum(delete_oldest(store, _with_ids(experiment_id, chunk), None) for chunk in chunks)


def _check_kept(runtime: Runtime, store: Store, trace_ids: Sequence[str]) -> None:
    """Raise for a trace that runs here and of which nothing is in the store yet: it would come after its deletion."""
    running = {each for each in trace_ids if find_drafts(runtime.open_spans, each)}
    if running and (missing := running - store.read_traces(list(running)).keys()):
        raise ArgumentError(f"the trace {min(missing)} still runs here; it can be deleted when it has ended")


def _check_arguments(max_timestamp_millis: object, max_traces: object, trace_ids: Sequence[str] | None) -> None:
    if (max_timestamp_millis is None) == (trace_ids is None):
        raise ArgumentError("give either max_timestamp_millis or trace_ids: the traces up to a time, or those named")
    if trace_ids is not None and max_traces is not None:
        raise ArgumentError("max_traces goes with max_timestamp_millis; trace_ids says itself how many")
    if isinstance(trace_ids, str):
        raise ArgumentError(f"trace_ids is a list of ids: [{trace_ids!r}]")
    for name, value in (("max_timestamp_millis", max_timestamp_millis), ("max_traces", max_traces)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise ArgumentError(f"{name} is a whole number, not {value!r}")
    if isinstance(max_traces, int) and max_traces <= 0:
        raise ArgumentError(f"max_traces is a number from 1 up, not {max_traces}")


def _before(max_timestamp_ms: int) -> str:
    return f"attributes.timestamp_ms <= {max_timestamp_ms}"


def started_before(experiment_id: str, before_ms: int) -> Search:
    """Return the search for the traces of an experiment that began before a time, the oldest first."""
    return _started_by(experiment_id, before_ms - 1)


def _started_by(experiment_id: str, max_timestamp_ms: int | None) -> Search:
    assert max_timestamp_ms is not None  # noqa: S101 - the arguments have been checked
    return parse_search([experiment_id], _before(max_timestamp_ms), ["timestamp_ms ASC"], STEP)


def _with_ids(experiment_id: str, trace_ids: Sequence[str]) -> Search:
    return parse_search([experiment_id], f"attributes.trace_id IN ({', '.join(map(quote, trace_ids))})", limit=STEP)


def delete_oldest(store: Store, search: Search, most: int | None, on_progress: Callable[[int], None] = _ignore) -> int:
    """Delete what a search finds, in its order and at most so many traces; return how many.

    `on_progress` is called after each step with how many traces it has deleted.

    What is deleted is not found any more, so each step searches from the beginning.
    """
    deleted = 0
    while found := store.search(search).traces[: None if most is None else most - deleted]:
        _delete(store, found)
        deleted += len(found)
        on_progress(len(found))
    return deleted


def _delete(store: Store, infos: Sequence[TraceInfo]) -> None:
    """Delete traces in one transaction; where others keep the store locked, wait for them."""
    now_ns = time.time_ns()
    deletions = [Deletion(info.trace_id, now_ns) for info in infos]
    write_patiently(store, deletions)
