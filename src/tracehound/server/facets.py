"""Facets: which values the traces of a search have, and how many of them each.

To count every trace takes seconds where there are millions, and a page that waits for it is not looked at. So the
newest traces of the search are counted, up to a number and for a second, in one reading; the answer says how many those
were and whether they are all.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Final

from tracehound.client.pages import read_pages
from tracehound.errors import ArgumentError
from tracehound.model.record import Record
from tracehound.query.evaluate import order_values
from tracehound.query.search import KeyValue, OrderKey
from tracehound.query.statistics import parse_groups
from tracehound.server.served import Served
from tracehound.server.traces import SearchScope, search_of

_MOST_TRACES: Final = 20_000
_LONGEST_S: Final = 1.0  # under a filter that is slow to answer fewer traces are counted


class FacetsRequest(SearchScope, frozen=True, kw_only=True):
    """Fields whose values are counted: the `values` most frequent ones of each, of the newest `traces` that match."""

    fields: list[str]
    values: int = 6
    traces: int = 5_000


class CountedValue(Record, frozen=True, kw_only=True):
    """A value and how many traces have it; null counts those that have none."""

    value: str | None
    count: int


class FacetShape(Record, frozen=True, kw_only=True):
    """A field as it was asked for, with its most frequent values, and how many others there are."""

    field: str
    values: list[CountedValue]
    others: int


class FacetsPage(Record, frozen=True, kw_only=True):
    """How many traces were counted, whether these are all that match, and the facets."""

    traces: int
    is_all: bool
    facets: list[FacetShape]


def count_facets(served: Served, asked: FacetsRequest) -> FacetsPage:
    """Return the most frequent values of some fields among the newest traces of a search."""
    if not 1 <= asked.traces <= _MOST_TRACES:
        raise ArgumentError(f"traces is a number from 1 to {_MOST_TRACES}, not {asked.traces}")
    fields = parse_groups(asked.fields)
    keys = [OrderKey(field, descending=False) for field in fields]
    counters: list[Counter[KeyValue]] = [Counter() for _ in keys]
    store = served.runtime.drained_store()
    cursors: list[str | None] = [None]
    count = 0
    end_s = time.monotonic() + _LONGEST_S
    search = search_of(served, store, asked)
    for page in read_pages(store, search, asked.traces, include_spans=False, on_page=cursors.append):
        count += len(page)
        for trace in page:
            for counter, value in zip(counters, order_values(trace.info, keys), strict=True):
                counter[value] += 1
        if time.monotonic() > end_s:
            break
    return FacetsPage(
        traces=count,
        is_all=cursors[-1] is None,
        facets=[_shape(name, each, asked.values) for name, each in zip(fields.values(), counters, strict=True)],
    )


def _shape(field: str, counter: Counter[KeyValue], most: int) -> FacetShape:
    ranked = sorted(counter.items(), key=lambda item: (-item[1], item[0] is None, str(item[0])))
    shown = [CountedValue(value=None if value is None else str(value), count=count) for value, count in ranked[:most]]
    return FacetShape(field=field, values=shown, others=max(0, len(ranked) - most))
