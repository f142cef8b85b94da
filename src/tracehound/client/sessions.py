"""Sessions: traces by the session that they name (`mlflow.trace.session`)."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Final

from tracehound.client.arguments import check_flag
from tracehound.client.narrowing import to_search
from tracehound.client.pages import once, read_pages
from tracehound.errors import ArgumentError
from tracehound.model.reserved import TRACE_SESSION
from tracehound.model.session import Session
from tracehound.model.trace import Trace
from tracehound.query.check import joined
from tracehound.query.fields import ATTRIBUTES
from tracehound.query.search import Search, parse_order
from tracehound.query.tree import Checked, Operator, Or, Test
from tracehound.runtime import Runtime, current
from tracehound.store.api import Store

# Sessions whose traces one search asks for: it becomes a union of as many index scans.
_AT_A_TIME: Final = 50
_SESSION: Final = ATTRIBUTES["session"]


def search_sessions(
    max_results: int = 100,
    run_id: str | None = None,
    model_id: str | None = None,
    include_spans: bool = True,  # noqa: FBT001, FBT002 - MLflow's signature
    locations: Sequence[str] | None = None,
) -> list[Session]:
    """Return sessions, that with the newest trace first, each with its traces, the oldest first.

    Without `locations`, which are ids of experiments, the active one is searched. `run_id` and `model_id` ask for
    traces of a run or a model, as in `search_traces`. Raise `ArgumentError` for an argument that makes no sense.

    >>> import tracehound
    >>> for turn in range(2):
    ...     with tracehound.tracing.context(session_id="s-1"), tracehound.start_span(f"turn {turn}"):
    ...         pass
    >>> [[trace.info.name for trace in session] for session in tracehound.search_sessions()]
    [['turn 0', 'turn 1']]
    """
    return find_sessions(current(), max_results, run_id, model_id, locations, include_spans=include_spans)


def find_sessions(
    runtime: Runtime,
    max_results: int,
    run_id: str | None,
    model_id: str | None,
    locations: Sequence[str] | None,
    *,
    include_spans: bool,
) -> list[Session]:
    """Return the sessions of a store (`search_sessions`)."""
    check_flag("include_spans", include_spans)
    if max_results is None:
        raise ArgumentError("max_results is a whole number from 0 up, not None")
    store = runtime.drained_store()
    search = to_search(runtime, store, max_results=max_results, locations=locations, run_id=run_id, model_id=model_id)
    wanted = _newest_sessions(store, search, max_results)
    traces: dict[str, list[Trace]] = {session: [] for session in wanted}
    oldest_first = dataclasses.replace(search, order=parse_order(["timestamp_ms ASC"]))
    for at in range(0, len(wanted), _AT_A_TIME):
        of_sessions: list[Checked] = [Test(_SESSION, Operator.EQ, each) for each in wanted[at : at + _AT_A_TIME]]
        narrowed = oldest_first.narrowed(joined(Or, of_sessions))
        for page in once(read_pages(store, narrowed, include_spans=include_spans)):
            for trace in page:
                session = trace.info.trace_metadata.get(TRACE_SESSION)
                if session in traces:  # it may have been edited since it was found
                    traces[session].append(trace)
    return [Session(session, _by_start(traces[session])) for session in wanted if traces[session]]


def _by_start(traces: list[Trace]) -> list[Trace]:
    """Return traces that are in the order of their milliseconds in that of their nanoseconds, where spans tell them."""
    found: list[Trace] = []
    for _, same in itertools.groupby(traces, key=lambda trace: trace.info.request_time):
        group = list(same)
        found += group if len(group) == 1 else sorted(group, key=_start_ns)
    return found


def _start_ns(trace: Trace) -> int:
    return min((span.start_time_ns for span in trace.data.spans), default=0)


def _newest_sessions(store: Store, search: Search, limit: int) -> list[str]:
    """Return the first sessions that come up where traces are read newest first."""
    found: dict[str, None] = {}
    if limit == 0:
        return []
    with_session = search.narrowed(Test(_SESSION, Operator.IS_NOT_NULL, None))
    for page in read_pages(store, with_session, include_spans=False):
        for trace in page:
            found.setdefault(trace.info.trace_metadata[TRACE_SESSION])
            if len(found) == limit:
                return list(found)
    return list(found)
