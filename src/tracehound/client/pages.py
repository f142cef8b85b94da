"""Reading all traces of a search: in pages that each are read on their own, so that nothing is held in between.

A page begins behind the last trace of the one before (`query.search`). So a trace that does not change is returned
once, and none is left out, whatever else is written meanwhile; traces that begin while a search reads newest first
are not in it. A trace that moves in the order between two pages, as one that runs does in an order by duration, may
be returned twice, or not at all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Final

from tracehound.model.trace import Trace, TraceData
from tracehound.query.search import Search
from tracehound.store.api import Page, Store

# To find a page takes a millisecond or more whatever its size, to read a trace little; but a trace can be large.
_FOUND_AT_A_TIME: Final = 250
_READ_AT_A_TIME: Final = 100


def _ignore(_page: Page) -> None:
    """Do nothing with a page that nobody follows."""


def read_pages(
    store: Store,
    search: Search,
    max_results: int | None = None,
    *,
    include_spans: bool = True,
    on_page: Callable[[Page], None] = _ignore,
) -> Iterator[list[Trace]]:
    """Yield the traces of a search, at most as many; without their spans where these are not wanted.

    `on_page` is told each page that was found, the last one of which says how to go on.
    """
    for page in _find(store, search, max_results):
        on_page(page)
        found = page.traces
        if not include_spans:
            yield [Trace(info, TraceData([])) for info in found]
            continue
        for at in range(0, len(found), _READ_AT_A_TIME):
            wanted = [info.trace_id for info in found[at : at + _READ_AT_A_TIME]]
            whole = store.read_traces(wanted)
            yield [whole[trace_id] for trace_id in wanted if trace_id in whole]


def once(pages: Iterator[list[Trace]]) -> Iterator[list[Trace]]:
    """Yield the pages without traces that were in one before; for results that are kept as a whole."""
    seen: set[str] = set()
    for page in pages:
        fresh = [trace for trace in page if trace.info.trace_id not in seen]
        seen.update(trace.info.trace_id for trace in fresh)
        yield fresh


def _find(store: Store, search: Search, left: int | None) -> Iterator[Page]:
    while left is None or left > 0:
        limit = _FOUND_AT_A_TIME if left is None else min(_FOUND_AT_A_TIME, left)
        page = store.search(dataclasses.replace(search, limit=limit))
        yield page
        if page.next_cursor is None:
            return
        search = search.behind(page.next_cursor)
        left = None if left is None else left - len(page.traces)
