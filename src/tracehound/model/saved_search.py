"""A search that somebody gave a name: what a store knows of it by facts (`model.edit`)."""

from __future__ import annotations

from typing import Final

from tracehound.model.record import Record, from_json, to_json_text

SAVED_SEARCH: Final = "saved_search"


class SavedSearch(Record, frozen=True, kw_only=True):
    """A filter and what goes with it; no experiments means all, no `since` any time.

    `since` and `until` are lengths of time before the search (`24h`) or times in milliseconds since the epoch.

    >>> import tracehound
    >>> tracehound.save_search("slow", "attributes.latency > 5000", since="24h").filter
    'attributes.latency > 5000'
    """

    name: str
    filter: str = ""
    order_by: list[str] = []
    experiments: list[str] = []
    since: str | None = None
    until: str | None = None
    saved_ms: int = 0


def facts_of_search(search: SavedSearch) -> dict[str, str | None]:
    """Return what is kept of a search; `search_of_facts` is the inverse."""
    return {
        "filter": search.filter,
        "order_by": to_json_text(search.order_by),
        "experiments": to_json_text(search.experiments),
        "since": search.since,
        "until": search.until,
        "saved_ms": str(search.saved_ms),
    }


def search_of_facts(name: str, facts: dict[str, str]) -> SavedSearch:
    """Return the search that facts tell of."""
    return SavedSearch(
        name=name,
        filter=facts.get("filter", ""),
        order_by=from_json(facts.get("order_by", "[]")),
        experiments=from_json(facts.get("experiments", "[]")),
        since=facts.get("since"),
        until=facts.get("until"),
        saved_ms=int(facts.get("saved_ms", "0")),
    )
