"""Reading traces: search and get."""

from __future__ import annotations

import dataclasses
import itertools
import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from tracehound.client.arguments import check_flag, check_return_type, check_search
from tracehound.client.extract import SpanField, parse_fields
from tracehound.client.narrowing import to_search
from tracehound.client.pages import once, read_pages
from tracehound.client.progress import with_progress
from tracehound.client.trace_list import TraceList
from tracehound.client.warehouses import read_warehouse
from tracehound.errors import ArgumentError
from tracehound.model.trace import Trace
from tracehound.model.values import clean_text
from tracehound.query.limit import SearchLimit, to_limit
from tracehound.query.search import DEFAULT_LIMIT
from tracehound.runtime import current
from tracehound.store.api import Searched
from tracehound.store.explain import Explanation

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from tracehound.client.frame import TraceFrame

_logger = logging.getLogger("tracehound.client")


@overload
def search_traces(
    experiment_ids: Sequence[str] | str | None = None,
    filter_string: str | None = None,
    max_results: int | None = None,
    order_by: Sequence[str] | None = None,
    extract_fields: Sequence[str] | None = None,
    run_id: str | None = None,
    *,
    return_type: Literal["list"],
    model_id: str | None = None,
    sql_warehouse_id: str | None = None,
    include_spans: bool = True,
    locations: Sequence[str] | None = None,
    flush: bool = False,
    timeout: float | SearchLimit | None = None,
) -> list[Trace]: ...


@overload
def search_traces(
    experiment_ids: Sequence[str] | str | None = None,
    filter_string: str | None = None,
    max_results: int | None = None,
    order_by: Sequence[str] | None = None,
    extract_fields: Sequence[str] | None = None,
    run_id: str | None = None,
    *,
    return_type: Literal["iterator"],
    model_id: str | None = None,
    sql_warehouse_id: str | None = None,
    include_spans: bool = True,
    locations: Sequence[str] | None = None,
    flush: bool = False,
    timeout: float | SearchLimit | None = None,
) -> Iterator[Trace]: ...


@overload
def search_traces(
    experiment_ids: Sequence[str] | str | None = None,
    filter_string: str | None = None,
    max_results: int | None = None,
    order_by: Sequence[str] | None = None,
    extract_fields: Sequence[str] | None = None,
    run_id: str | None = None,
    *,
    return_type: Literal["polars"],
    model_id: str | None = None,
    sql_warehouse_id: str | None = None,
    include_spans: bool = True,
    locations: Sequence[str] | None = None,
    flush: bool = False,
    timeout: float | SearchLimit | None = None,
) -> pl.DataFrame: ...


@overload
def search_traces(
    experiment_ids: Sequence[str] | str | None = None,
    filter_string: str | None = None,
    max_results: int | None = None,
    order_by: Sequence[str] | None = None,
    extract_fields: Sequence[str] | None = None,
    run_id: str | None = None,
    *,
    return_type: Literal["arrow"],
    model_id: str | None = None,
    sql_warehouse_id: str | None = None,
    include_spans: bool = True,
    locations: Sequence[str] | None = None,
    flush: bool = False,
    timeout: float | SearchLimit | None = None,
) -> Any: ...  # a `pyarrow.RecordBatchReader`; pyarrow has no types, and strict checkers complain of what has none


@overload
def search_traces(
    experiment_ids: Sequence[str] | str | None = None,
    filter_string: str | None = None,
    max_results: int | None = None,
    order_by: Sequence[str] | None = None,
    extract_fields: Sequence[str] | None = None,
    run_id: str | None = None,
    return_type: Literal["pandas"] | None = None,
    model_id: str | None = None,
    sql_warehouse_id: str | None = None,
    *,
    include_spans: bool = True,
    locations: Sequence[str] | None = None,
    flush: bool = False,
    timeout: float | SearchLimit | None = None,
) -> TraceFrame: ...


def search_traces(
    experiment_ids: Sequence[str] | str | None = None,
    filter_string: str | None = None,
    max_results: int | None = None,
    order_by: Sequence[str] | None = None,
    extract_fields: Sequence[str] | None = None,
    run_id: str | None = None,
    return_type: Literal["pandas", "list", "polars", "arrow", "iterator"] | None = None,
    model_id: str | None = None,
    sql_warehouse_id: str | None = None,
    *,
    include_spans: bool = True,
    locations: Sequence[str] | None = None,
    flush: bool = False,
    timeout: float | SearchLimit | None = None,
) -> TraceFrame | list[Trace] | pl.DataFrame | pa.RecordBatchReader | Iterator[Trace]:
    """Return the traces that a filter is true of, newest first unless `order_by` says otherwise.

    A text in first position is the filter, as the documents of MLflow write it. Without `experiment_ids`, also called
    `locations`, the active experiment is searched, without `max_results` all of it. `run_id` and `model_id` ask for
    the traces of a run or of a model besides: of a run those that began in it or were linked to it, in the run's
    experiment where none is given; a model is named by its id, or as NAME or NAME/VERSION where it is registered.
    `sql_warehouse_id` names a place to search instead of the active store (`client.warehouses`), or is a SQL warehouse
    of Databricks (docs/databricks.md). Everything that any
    process of this machine has finished is found; `flush` waits until what this one has finished is in the store, too.

    `return_type` is

    - "pandas", the default where pandas is installed: a DataFrame (`client.frame.TraceFrame`) with the columns
      `client.rows.COLUMNS`, which answers to the older names of MLflow as well;
    - "list": whole traces;
    - "iterator": the same one by one, and "arrow": a `pyarrow.RecordBatchReader`. Both read on while they are used
      and hold a page at a time, whatever the size of the answer;
    - "polars": a polars DataFrame with the columns of "arrow".

    `extract_fields` adds a column for each field of spans that it names (`client.extract`): "answer.inputs.question",
    "answer.outputs", "answer.attributes.model". With `include_spans=False` no spans are read: `spans` is empty,
    `request` and `response` are None, and their beginnings are in `trace.info` (and in "request_preview").

    `timeout` is how many seconds the search may take, or a `SearchLimit`, which another thread can cancel: then it ends
    with `SearchTimeoutError` or `SearchCancelledError`.

    Raise `FilterError` for a filter or order that cannot be answered as it is written, `ArgumentError` for any other
    argument, `NotFoundError` for an experiment or a run that is not there, `StoreError` where the store cannot be read.

    >>> import tracehound
    >>> with tracehound.start_span("greet") as span:
    ...     tracehound.update_current_trace(tags={"person": "Tom"})
    >>> found = tracehound.search_traces("tags.person = 'Tom' AND attributes.status = 'OK'")
    >>> found["trace_id"].tolist() == [span.trace_id]
    True
    >>> found["tags.person"].tolist(), found["status"].tolist()
    (['Tom'], ['OK'])
    """
    runtime = current()
    kind = check_return_type(return_type)
    fields = parse_fields(extract_fields)
    check_flag("include_spans", include_spans)
    check_flag("flush", flush)
    if fields and kind in ("list", "iterator"):
        raise ArgumentError(f"extract_fields makes columns, and return_type={kind!r} has none: leave one of them out")
    if fields and not include_spans:
        raise ArgumentError("extract_fields reads spans: leave include_spans=False out")
    limit = to_limit(timeout)
    if flush:
        runtime.flush()

    def find(store: Searched) -> Iterator[list[Trace]]:
        search = to_search(
            runtime, store, experiment_ids, filter_string, max_results, order_by, locations, run_id=run_id,
            model_id=model_id,
        )  # fmt: skip
        limited = dataclasses.replace(search, time_limit=limit)
        return read_pages(store, limited, max_results, include_spans=include_spans)

    if sql_warehouse_id is not None:
        return _to_result(kind, read_warehouse(runtime, sql_warehouse_id, find), fields, max_results)
    return _to_result(kind, find(runtime.drained_store()), fields, max_results)


def _to_result(kind: str, pages: Iterator[list[Trace]], fields: Sequence[SpanField], max_results: int | None) -> Any:
    if kind == "iterator":
        return itertools.chain.from_iterable(pages)
    if kind == "arrow":
        from tracehound.client.arrow import to_reader

        return to_reader(pages, fields)
    pages = with_progress(once(pages), max_results)
    if kind == "list":
        return TraceList(itertools.chain.from_iterable(pages))
    if kind == "polars":
        from tracehound.client.arrow import to_polars

        return to_polars(pages, fields)
    from tracehound.client.frame import to_frame
    from tracehound.client.rows import Table

    table = Table(fields)
    for page in pages:
        table.add(page)
    return to_frame(table.columns())


def explain_search(
    experiment_ids: Sequence[str] | str | None = None,
    filter_string: str | None = None,
    max_results: int | None = None,
    order_by: Sequence[str] | None = None,
) -> Explanation:
    """Return how the first page of a search is found: what led to the traces, rows read and time of each step.

    Where nothing is found, it names the condition that left nothing. The arguments are those of `search_traces`.

    >>> import tracehound
    >>> with tracehound.start_span("greet"):
    ...     tracehound.update_current_trace(tags={"person": "Tom"})
    >>> explanation = tracehound.explain_search("tags.person = 'Tom' AND attributes.status = 'ERROR'")
    >>> explanation.found, explanation.emptied_by
    (0, "attributes.status = 'ERROR'")
    """
    runtime = current()
    search = check_search(runtime, experiment_ids, filter_string, max_results, order_by)
    limit = DEFAULT_LIMIT if max_results is None else min(DEFAULT_LIMIT, max_results)
    return runtime.drained_store().explain(dataclasses.replace(search, limit=limit))


def get_trace(trace_id: str, silent: bool = False) -> Trace | None:  # noqa: FBT001, FBT002 - MLflow's signature
    """Return a whole trace by its id; None, with a warning unless `silent`, where there is none.

    >>> import tracehound
    >>> with tracehound.start_span("greet") as span:
    ...     span.set_inputs({"name": "Tom"})
    >>> tracehound.get_trace(span.trace_id).data.spans[0].inputs
    {'name': 'Tom'}
    """
    wanted = clean_text(str(trace_id))
    found = current().drained_store().read_traces([wanted]).get(wanted)
    if found is None and not silent:
        _logger.warning("there is no trace %r", trace_id)
    return found
