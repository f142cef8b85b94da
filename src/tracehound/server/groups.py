"""Sessions and users: which there are, those first that did something last.

They are found by reading the newest traces until there are enough of them, so the answer is there at once however large
the store is. What all traces of one of them add up to is asked for by `traces/stats`, for those that are shown.
"""

from __future__ import annotations

from typing import Final

from tracehound.client.pages import read_pages
from tracehound.errors import ArgumentError
from tracehound.model.record import Record
from tracehound.model.trace import TraceInfo
from tracehound.query.fields import ATTRIBUTES
from tracehound.query.tree import Operator, Test
from tracehound.server.served import Served
from tracehound.server.shapes import TraceShape, shape_of_trace
from tracehound.server.traces import SearchScope, search_of

_FIELDS: Final = ("session", "user")
_MOST: Final = 200  # groups of a page
_MOST_TRACES: Final = 5_000  # that are read for one


class GroupsRequest(SearchScope, frozen=True, kw_only=True):
    """Whether sessions or users are wanted, about how many at least, and the cursor of the page before."""

    field: str
    limit: int = 50
    cursor: str | None = None


class GroupShape(Record, frozen=True, kw_only=True):
    """A session or a user, with the newest of its traces that match."""

    value: str
    last: TraceShape


class GroupsPage(Record, frozen=True, kw_only=True):
    """Some sessions or users, and the cursor behind them; one of an earlier page may come again on a later one."""

    groups: list[GroupShape]
    next_cursor: str | None


def search_groups(served: Served, asked: GroupsRequest) -> GroupsPage:
    """Return the sessions or users of the newest traces that match, each once."""
    if asked.field not in _FIELDS:
        raise ArgumentError(f"field is one of {', '.join(_FIELDS)}, not {asked.field!r}")
    if not 1 <= asked.limit <= _MOST:
        raise ArgumentError(f"limit is a number from 1 to {_MOST}, not {asked.limit}")
    field = ATTRIBUTES[asked.field]
    store = served.runtime.drained_store()
    search = search_of(served, store, asked).narrowed(Test(field, Operator.IS_NOT_NULL, None))
    if asked.cursor is not None:
        search = search.behind(asked.cursor)
    found: dict[str, TraceInfo] = {}
    cursors: list[str | None] = [None]
    for page in read_pages(store, search, _MOST_TRACES, include_spans=False, on_page=cursors.append):
        for trace in page:
            found.setdefault(trace.info.trace_metadata[field.name], trace.info)
        if len(found) >= asked.limit:
            break
    return GroupsPage(
        groups=[GroupShape(value=value, last=shape_of_trace(info)) for value, info in found.items()],
        next_cursor=cursors[-1],
    )
