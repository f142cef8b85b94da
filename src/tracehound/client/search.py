"""Reading traces: search and get."""

from __future__ import annotations

import dataclasses
import importlib.util
import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, overload

from tracehound.client.frame import to_frame
from tracehound.errors import ArgumentError
from tracehound.model.ids import experiment_id
from tracehound.model.trace import Trace
from tracehound.model.values import clean_text
from tracehound.query.search import DEFAULT_LIMIT, Search, parse_search
from tracehound.runtime import Runtime, current
from tracehound.store.api import Store
from tracehound.store.explain import Explanation

if TYPE_CHECKING:
    import pandas as pd

_logger = logging.getLogger("tracehound.client")

_RETURN_TYPES = ("pandas", "list")


@overload
def search_traces(
    experiment_ids: Sequence[str] | str | None = None,
    filter_string: str | None = None,
    max_results: int | None = None,
    order_by: Sequence[str] | None = None,
    *,
    return_type: Literal["list"],
) -> list[Trace]: ...


@overload
def search_traces(
    experiment_ids: Sequence[str] | str | None = None,
    filter_string: str | None = None,
    max_results: int | None = None,
    order_by: Sequence[str] | None = None,
    *,
    return_type: Literal["pandas"] | None = None,
) -> pd.DataFrame: ...


def search_traces(
    experiment_ids: Sequence[str] | str | None = None,
    filter_string: str | None = None,
    max_results: int | None = None,
    order_by: Sequence[str] | None = None,
    *,
    return_type: Literal["pandas", "list"] | None = None,
) -> pd.DataFrame | list[Trace]:
    """Return the traces that a filter is true of, newest first unless `order_by` says otherwise.

    A text in first position is the filter, as the documents of MLflow write it. Without `experiment_ids` the active
    experiment is searched, without `max_results` all of it. `return_type` is "pandas" (the default where pandas is
    installed; the columns are `client.frame.COLUMNS`) or "list". Everything that any process of this machine has
    finished is found.

    Raise `FilterError` for a filter or order that cannot be answered as it is written, `ArgumentError` for any other
    argument, `StoreError` where the store cannot be read.

    >>> import tracehound
    >>> with tracehound.start_span("greet") as span:
    ...     tracehound.update_current_trace(tags={"person": "Tom"})
    >>> found = tracehound.search_traces("tags.person = 'Tom' AND attributes.status = 'OK'")
    >>> found["trace_id"].tolist() == [span.trace_id]
    True
    """
    kind = _check_return_type(return_type)
    runtime = current()
    first = _parse(runtime, experiment_ids, filter_string, max_results, order_by)
    traces = [trace for page in read_pages(runtime.drained_store(), first, max_results) for trace in page]
    return to_frame(traces) if kind == "pandas" else traces


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
    search = _parse(runtime, experiment_ids, filter_string, max_results, order_by)
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


def read_pages(store: Store, search: Search, max_results: int | None = None) -> Iterator[list[Trace]]:
    """Yield the traces of a search page by page, each read on its own."""
    left = max_results
    while left is None or left > 0:
        limit = DEFAULT_LIMIT if left is None else min(DEFAULT_LIMIT, left)
        page = store.search(dataclasses.replace(search, limit=limit))
        whole = store.read_traces([info.trace_id for info in page.traces])
        yield [whole[info.trace_id] for info in page.traces if info.trace_id in whole]
        if page.next_cursor is None:
            return
        search = search.behind(page.next_cursor)
        left = None if left is None else left - len(page.traces)


def _parse(
    runtime: Runtime,
    experiment_ids: Sequence[str] | str | None,
    filter_string: str | None,
    max_results: int | None,
    order_by: Sequence[str] | None,
) -> Search:
    """Return the search that arguments of `search_traces` ask for; raise where they are wrong."""
    if isinstance(experiment_ids, str):
        if filter_string is not None:
            raise ArgumentError("experiment_ids is a list of ids; a text in its place is the filter, and one is given")
        experiment_ids, filter_string = None, experiment_ids
    _check_texts(filter_string, order_by)
    if max_results is not None and not (type(max_results) is int and max_results >= 0):
        raise ArgumentError(f"max_results is a whole number from 0 up, not {max_results!r}")
    if experiment_ids is not None and not isinstance(experiment_ids, Sequence):
        raise ArgumentError(f"experiment_ids is a list of ids, not {experiment_ids!r}")
    ids = [experiment_id(runtime.settings.experiment)] if experiment_ids is None else list(experiment_ids)
    return parse_search(ids, filter_string, order_by)


def _check_return_type(return_type: str | None) -> str:
    if return_type is None:
        return "pandas" if importlib.util.find_spec("pandas") is not None else "list"
    if return_type not in _RETURN_TYPES:
        raise ArgumentError(f"return_type is 'pandas' or 'list', not {return_type!r}")
    if return_type == "pandas" and importlib.util.find_spec("pandas") is None:
        raise ArgumentError("return_type='pandas' needs pandas: pip install 'tracehound[pandas]'")
    return return_type


def _check_texts(filter_string: object, order_by: object) -> None:
    if filter_string is not None and not isinstance(filter_string, str):
        raise ArgumentError(f"filter_string is a text, not {filter_string!r}")
    if isinstance(order_by, str):
        raise ArgumentError(f"order_by is a list of texts: [{order_by!r}]")
    if order_by is not None and not (
        isinstance(order_by, Sequence) and all(isinstance(each, str) for each in order_by)
    ):
        raise ArgumentError(f"order_by is a list of texts such as 'latency DESC', not {order_by!r}")
