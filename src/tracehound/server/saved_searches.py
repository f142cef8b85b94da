"""Routes of searches that have a name."""

from __future__ import annotations

from tracehound.client.saved_searches import keep_search, read_searches, remove_search
from tracehound.model.record import Record
from tracehound.model.saved_search import SavedSearch
from tracehound.server.rows import Asked, Nothing
from tracehound.server.served import Served


class SavedSearchName(Asked, frozen=True, kw_only=True):
    """A saved search."""

    name: str


class NewSavedSearch(Asked, frozen=True, kw_only=True):
    """A search to be kept under a name; without experiments it is of all, without `since` of any time."""

    name: str
    filter: str = ""
    order_by: list[str] = []
    experiments: list[str] = []
    since: str | None = None
    until: str | None = None


class SavedSearches(Record, frozen=True, kw_only=True):
    """The saved searches, in the order of their names."""

    searches: list[SavedSearch]


def list_saved_searches(served: Served, _asked: Nothing) -> SavedSearches:
    """Return the saved searches."""
    return SavedSearches(searches=read_searches(served.runtime.drained_store()))


def put_saved_search(served: Served, asked: NewSavedSearch) -> SavedSearch:
    """Keep a search under a name, in place of the one that has it."""
    said = SavedSearch(
        name=asked.name, filter=asked.filter, order_by=asked.order_by, experiments=asked.experiments,
        since=asked.since, until=asked.until,
    )  # fmt: skip
    return keep_search(served.runtime, said)


def delete_saved_search(served: Served, asked: SavedSearchName) -> Nothing:
    """Delete a saved search."""
    remove_search(served.runtime, asked.name)
    return Nothing()
