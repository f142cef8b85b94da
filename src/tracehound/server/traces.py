"""Routes of traces: search, read, statistics, tags, assessments, deletion."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from tracehound.analysis.statistics import read_statistics
from tracehound.client.deletion import delete_from
from tracehound.client.feedback import change_assessment, find_assessment, keep_assessment, remove_assessment
from tracehound.client.narrowing import to_search
from tracehound.client.pages import read_pages
from tracehound.client.tags import delete_tag, set_tag
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.assessment import Assessment, AssessmentError, AssessmentSource, Expectation, Feedback
from tracehound.model.ids import experiment_id
from tracehound.model.record import Record
from tracehound.model.reserved import IMMUTABLE_TAGS
from tracehound.model.trace import Trace
from tracehound.model.values import clean_text
from tracehound.query.fields import TIMESTAMP
from tracehound.query.search import DEFAULT_LIMIT, Search
from tracehound.query.tree import Checked, Operator, Test
from tracehound.server.rows import Asked, Nothing
from tracehound.server.served import Served
from tracehound.server.shapes import (
    AssessmentShape,
    ErrorShape,
    SourceShape,
    SpanShape,
    TraceShape,
    WholeTraceShape,
    shape_of_assessment,
    shape_of_trace,
    shapes_of_spans,
)
from tracehound.store.api import Store
from tracehound.store.experiments import read_experiments


class SearchScope(Asked, frozen=True, kw_only=True):
    """Which traces: of experiments by id or by name, of all where none is named, that a filter is true of.

    They began at `since_ms` or later, and before `until_ms`.
    """

    experiment_ids: list[str] | None = None
    experiments: list[str] | None = None
    filter: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    run_id: str | None = None
    model_id: str | None = None
    timeout_s: float | None = None


class SearchRequest(SearchScope, frozen=True, kw_only=True):
    """A search; `cursor` is the `next_cursor` of the page before."""

    order_by: list[str] = []
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    include_spans: bool = False


class FoundShape(Record, frozen=True, kw_only=True):
    """A trace of a page; its spans are null unless they were asked for."""

    trace: TraceShape
    spans: list[SpanShape] | None


class SearchPage(Record, frozen=True, kw_only=True):
    """Some traces, and the cursor behind them where there are more."""

    traces: list[FoundShape]
    next_cursor: str | None


class TraceRequest(Asked, frozen=True, kw_only=True):
    """A trace by its id."""

    trace_id: str


class SpansPage(Record, frozen=True, kw_only=True):
    """The spans of a trace: roots first, then in the order of their starts."""

    spans: list[SpanShape]


class StatsRequest(SearchScope, frozen=True, kw_only=True):
    """Numbers about traces, by groups and periods; `trace_stats` of the SDK says what there is.

    `limit` keeps the first rows: without an interval those are the largest groups. `total` asks for the numbers of all
    of them together as well.
    """

    group_by: list[str] = []
    interval: str | None = None
    metrics: list[str] = []
    time_zone: str = "UTC"
    limit: int | None = None
    total: bool = False


class StatsTable(Record, frozen=True, kw_only=True):
    """A row for each group that has traces: the values of its fields, then the numbers.

    `total` has the numbers of all of them together, whatever the limit, if it was asked for; null for one that does not
    add up.
    """

    groups: list[str]
    metrics: list[str]
    rows: list[list[Any]]
    total: list[Any] | None


class TagRequest(Asked, frozen=True, kw_only=True):
    """A tag of a trace, and what it is set to."""

    trace_id: str
    key: str
    value: str


class TagNameRequest(Asked, frozen=True, kw_only=True):
    """A tag of a trace."""

    trace_id: str
    key: str


class AssessmentRequest(Asked, frozen=True, kw_only=True):
    """What is to be said of a trace; the kind is feedback or expectation. An error says why a feedback has no value."""

    trace_id: str
    name: str
    kind: str = "feedback"
    value: Any = None
    error: ErrorShape | None = None
    source: SourceShape | None = None
    rationale: str | None = None
    metadata: dict[str, str] | None = None
    span_id: str | None = None
    overrides: str | None = None


class AssessmentChange(Asked, frozen=True, kw_only=True):
    """What an assessment is to be changed to. What is not said stays; metadata are added to what there is."""

    trace_id: str
    assessment_id: str
    name: str | None = None
    value: Any = None
    rationale: str | None = None
    metadata: dict[str, str] | None = None


class AssessmentName(Asked, frozen=True, kw_only=True):
    """An assessment of a trace."""

    trace_id: str
    assessment_id: str


class DeleteRequest(Asked, frozen=True, kw_only=True):
    """Which traces of an experiment to delete: those that are named, or those that began up to a time, oldest first."""

    experiment_id: str
    trace_ids: list[str] | None = None
    max_timestamp_ms: int | None = None
    max_traces: int | None = None


class Deleted(Record, frozen=True, kw_only=True):
    """How many traces are gone."""

    deleted: int


def search_traces(served: Served, asked: SearchRequest) -> SearchPage:
    """Return a page of the traces that a filter is true of, newest first unless an order is given."""
    if not 1 <= asked.limit <= served.limits.max_results:
        raise ArgumentError(f"limit is a number from 1 to {served.limits.max_results}, not {asked.limit}")
    store = served.runtime.drained_store()
    search = search_of(served, store, asked, asked.order_by, asked.cursor)
    cursors: list[str | None] = [None]
    pages = read_pages(store, search, asked.limit, include_spans=asked.include_spans, on_page=cursors.append)
    found = [_shape_of_found(trace, asked.include_spans) for page in pages for trace in page]
    return SearchPage(traces=found, next_cursor=cursors[-1])


def get_trace(served: Served, asked: TraceRequest) -> WholeTraceShape:
    """Return a trace with its spans."""
    trace = read_trace(served, asked.trace_id)
    return WholeTraceShape(trace=shape_of_trace(trace.info), spans=shapes_of_spans(trace.data.spans))


def get_spans(served: Served, asked: TraceRequest) -> SpansPage:
    """Return the spans of a trace."""
    return SpansPage(spans=shapes_of_spans(read_trace(served, asked.trace_id).data.spans))


def read_stats(served: Served, asked: StatsRequest) -> StatsTable:
    """Return counts, errors, latencies and sums of the traces that a filter is true of, group by group."""
    store = served.runtime.drained_store()
    search = search_of(served, store, asked)
    found = read_statistics(
        store, search, asked.group_by, asked.interval, asked.metrics, asked.time_zone, with_total=asked.total
    )
    rows = found.rows if asked.limit is None else found.rows[: max(asked.limit, 0)]
    return StatsTable(
        groups=list(found.groups), metrics=list(found.metrics), rows=[list(row) for row in rows],
        total=None if found.total is None else list(found.total),
    )  # fmt: skip


def put_tag(served: Served, asked: TagRequest) -> Nothing:
    """Set a tag of a trace."""
    if asked.key in IMMUTABLE_TAGS:
        raise ArgumentError(f"the tag {asked.key!r} belongs to the store and cannot be changed")
    set_tag(served.runtime, asked.trace_id, asked.key, asked.value)
    return _changed(served, asked.trace_id)


def remove_tag(served: Served, asked: TagNameRequest) -> Nothing:
    """Remove a tag of a trace."""
    if asked.key in IMMUTABLE_TAGS:
        raise ArgumentError(f"the tag {asked.key!r} belongs to the store and cannot be removed")
    delete_tag(served.runtime, asked.trace_id, asked.key)
    return _changed(served, asked.trace_id)


def post_assessment(served: Served, asked: AssessmentRequest) -> AssessmentShape:
    """Keep what somebody says of a trace, under a new id."""
    kept = keep_assessment(served.runtime, asked.trace_id, _to_assessment(asked))
    _changed(served, asked.trace_id)
    return shape_of_assessment(kept)


def patch_assessment(served: Served, asked: AssessmentChange) -> AssessmentShape:
    """Change the name, the value, the rationale or the metadata of an assessment."""
    _, old = find_assessment(served.runtime, asked.trace_id, asked.assessment_id)
    values: dict[str, Any] = {"rationale": asked.rationale, "metadata": asked.metadata}
    if asked.name is not None:
        values["name"] = asked.name
    if asked.value is not None:
        values |= {"value": asked.value} | ({"error": None} if isinstance(old, Feedback) else {})
    said = change_assessment(served.runtime, asked.trace_id, asked.assessment_id, old.changed(**values))
    _changed(served, asked.trace_id)
    return shape_of_assessment(said)


def delete_assessment(served: Served, asked: AssessmentName) -> Nothing:
    """Delete an assessment, which may be gone already."""
    remove_assessment(served.runtime, asked.trace_id, asked.assessment_id)
    return _changed(served, asked.trace_id)


def delete_traces(served: Served, asked: DeleteRequest) -> Deleted:
    """Delete traces of an experiment; what arrives of them later is not kept either."""
    count = delete_from(
        served.runtime, asked.experiment_id, asked.max_timestamp_ms, asked.max_traces, asked.trace_ids
    )  # fmt: skip
    return Deleted(deleted=count)


def delete_trace(served: Served, asked: TraceRequest) -> Deleted:
    """Delete a trace."""
    trace = read_trace(served, asked.trace_id)
    return Deleted(deleted=delete_from(served.runtime, trace.info.experiment_id, trace_ids=[trace.info.trace_id]))


def search_of(
    served: Served, store: Store, asked: SearchScope, order_by: Sequence[str] = (), cursor: str | None = None
) -> Search:
    """Return the search of a request. A cursor of all experiments goes on when there is another one meanwhile."""
    ids = _experiment_ids(asked)
    search = to_search(
        served.runtime, store, ids or [], asked.filter, None, list(order_by), run_id=asked.run_id,
        model_id=asked.model_id, page_token=cursor, also=_in_time(asked),
    )  # fmt: skip
    if ids is None:
        search = dataclasses.replace(search, experiment_ids=tuple(sorted(read_experiments(store))))
    if asked.timeout_s is not None:
        served.time_limit.shorten(asked.timeout_s)
    return dataclasses.replace(search, time_limit=served.time_limit)


def _in_time(asked: SearchScope) -> list[Checked]:
    """Return the conditions that the times of a request are."""
    bounds = ((Operator.GE, asked.since_ms), (Operator.LT, asked.until_ms))
    return [Test(TIMESTAMP, operator, time_ms) for operator, time_ms in bounds if time_ms is not None]


def _experiment_ids(asked: SearchScope) -> list[str] | None:
    if asked.experiment_ids is not None and asked.experiments is not None:
        raise ArgumentError("experiment_ids and experiments say the same: give one of them")
    if asked.experiments is not None:
        return [experiment_id(clean_text(name)) for name in asked.experiments]
    return asked.experiment_ids


def _shape_of_found(trace: Trace, include_spans: bool) -> FoundShape:  # noqa: FBT001 - a field of the request
    spans = shapes_of_spans(trace.data.spans) if include_spans else None
    return FoundShape(trace=shape_of_trace(trace.info), spans=spans)


def read_trace(served: Served, trace_id: str) -> Trace:
    """Return a trace; raise `NotFoundError` for one that is not there."""
    wanted = clean_text(trace_id)
    found = served.runtime.drained_store().read_traces([wanted]).get(wanted)
    if found is None:
        raise NotFoundError(f"there is no trace {wanted}")
    return found


def _changed(served: Served, trace_id: str) -> Nothing:
    served.announcer.note([clean_text(trace_id)])
    return Nothing()


def _to_assessment(asked: AssessmentRequest) -> Assessment:
    source = None if asked.source is None else AssessmentSource(asked.source.source_type, asked.source.source_id)
    about: dict[str, Any] = {
        "source": source, "rationale": asked.rationale, "metadata": asked.metadata, "span_id": asked.span_id,
        "overrides": asked.overrides,
    }  # fmt: skip
    if asked.kind == "expectation":
        if asked.error is not None:
            raise ArgumentError("an expectation has a value and no error")
        return Expectation(asked.name, asked.value, **about)
    if asked.kind != "feedback":
        raise ArgumentError(f"the kind of an assessment is feedback or expectation, not {asked.kind!r}")
    error = None
    if asked.error is not None:
        error = AssessmentError(asked.error.error_code, asked.error.error_message, asked.error.stack_trace)
    return Feedback(asked.name, asked.value, error, **about)
