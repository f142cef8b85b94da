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
from tracehound.store.api import Searched

# To find a page takes a millisecond or more whatever its size, to read a trace little; but a trace can be large.
_READ_AT_A_TIME: Final = 200


def _ignore(_next_cursor: str | None) -> None:
    """Do nothing with the cursor of a page that nobody follows."""


def read_pages(
    store: Searched,
    search: Search,
    max_results: int | None = None,
    *,
    include_spans: bool = True,
    on_page: Callable[[str | None], None] = _ignore,
) -> Iterator[list[Trace]]:
    """Yield the traces of a search, at most as many; without their spans where these are not wanted.

    `on_page` is told the cursor behind each page, the last one of which says how to go on.
    """
    left = max_results
    while left is None or left > 0:
        limit = _READ_AT_A_TIME if left is None else min(_READ_AT_A_TIME, left)
        part = dataclasses.replace(search, limit=limit)
        if include_spans:
            whole = store.search_whole(part)
            found, next_cursor = whole.traces, whole.next_cursor
        else:
            page = store.search(part)
            found, next_cursor = [Trace(info, TraceData([])) for info in page.traces], page.next_cursor
        on_page(next_cursor)
        yield found
        if next_cursor is None:
            return
        search = search.behind(next_cursor)
        left = None if left is None else left - len(found)


def once(pages: Iterator[list[Trace]]) -> Iterator[list[Trace]]:
    """Yield the pages without traces that were in one before; for results that are kept as a whole."""
    seen: set[str] = set()
    for page in pages:
        fresh = [trace for trace in page if trace.info.trace_id not in seen]
        seen.update(trace.info.trace_id for trace in fresh)
        yield fresh
