"""Searches that have a name: kept in the store, so that everyone who reads it has them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tracehound.client.arguments import check_name, check_text
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.edit import Facts
from tracehound.model.record import replace
from tracehound.model.saved_search import SAVED_SEARCH, SavedSearch, facts_of_search, search_of_facts
from tracehound.model.values import clean_text
from tracehound.query.search import parse_search
from tracehound.query.suggest import nearest
from tracehound.query.times import parse_interval_ms
from tracehound.runtime import Runtime, current
from tracehound.store.api import Store

_UNITS_MS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000}
_PLAIN: Final = re.compile(r"\d{1,15}|\d{1,9}[smhd]")


def save_search(
    name: str,
    filter_string: str | None = None,
    *,
    order_by: Sequence[str] = (),
    experiments: Sequence[str] = (),
    since: str | None = None,
    until: str | None = None,
) -> SavedSearch:
    """Keep a search in the store under a name, in place of the one that has it; return it.

    `experiments` are names, none means all. `since` and `until` are lengths of time before the moment that the search
    is used at (`24h`), or times in milliseconds. Raises `FilterError` for a filter or an order that is none, and
    `ArgumentError` for any other argument.

    >>> import tracehound
    >>> tracehound.save_search("failures", "attributes.status = 'ERROR'", order_by=["latency DESC"]).name
    'failures'
    >>> [each.name for each in tracehound.saved_searches()]
    ['failures']
    """
    check_text("filter_string", filter_string)
    said = SavedSearch(
        name=name, filter=filter_string or "", order_by=_texts("order_by", order_by),
        experiments=_texts("experiments", experiments), since=since, until=until,
    )  # fmt: skip
    return keep_search(current(), said)


def saved_searches() -> list[SavedSearch]:
    """Return the searches that have a name, in the order of their names.

    >>> import tracehound
    >>> tracehound.saved_searches()
    []
    """
    return read_searches(current().drained_store())


def delete_saved_search(name: str) -> None:
    """Forget a search; raise `NotFoundError` where none has the name.

    >>> import tracehound
    >>> saved = tracehound.save_search("failures", "attributes.status = 'ERROR'")
    >>> tracehound.delete_saved_search("failures")
    >>> tracehound.saved_searches()
    []
    """
    remove_search(current(), name)


def keep_search(runtime: Runtime, said: SavedSearch) -> SavedSearch:
    """Keep a search under its name; see `save_search`."""
    parse_search([], said.filter or None, said.order_by)
    kept = replace(
        said,
        name=check_name("the name of a search", said.name),
        filter=clean_text(said.filter),
        since=_checked_time("since", said.since),
        until=_checked_time("until", said.until),
        saved_ms=runtime.clock_ns() // 1_000_000,
    )
    runtime.keep_edit(Facts(SAVED_SEARCH, kept.name, facts_of_search(kept), runtime.edit_time_ns()))
    return kept


def remove_search(runtime: Runtime, name: str) -> None:
    """Forget a search; see `delete_saved_search`."""
    found = find_search(runtime.drained_store(), name)
    forgotten = dict.fromkeys(facts_of_search(found))
    runtime.keep_edit(Facts(SAVED_SEARCH, found.name, forgotten, runtime.edit_time_ns()))


def read_searches(store: Store) -> list[SavedSearch]:
    """Return the searches of a store that have a name, in the order of their names."""
    return [search_of_facts(name, facts) for name, facts in sorted(store.facts(SAVED_SEARCH).items())]


def find_search(store: Store, name: str) -> SavedSearch:
    """Return the search of a name; raise `NotFoundError`, which names the nearest one, where none has it."""
    wanted = check_name("the name of a search", name)
    facts = store.facts(SAVED_SEARCH, wanted).get(wanted)
    if facts is None:
        meant = nearest(wanted, store.facts(SAVED_SEARCH))
        hint = f"did you mean {meant!r}?" if meant else "`tracehound saved` lists those that there are"
        raise NotFoundError(f"there is no saved search {wanted!r}; {hint}")
    return search_of_facts(wanted, facts)


def _checked_time(name: str, text: str | None) -> str | None:
    """Return a length of time as the page writes it (`24h`), or milliseconds as they are; raise for anything else."""
    if text is None or _PLAIN.fullmatch(text) is not None:
        return text
    length_ms = parse_interval_ms(text)
    if length_ms is None:
        raise ArgumentError(f"{name} is a length of time such as 24h, or milliseconds since the epoch, not {text!r}")
    unit, unit_ms = next(each for each in _UNITS_MS.items() if length_ms % each[1] == 0)
    return f"{length_ms // unit_ms}{unit}"


def _texts(name: str, given: Sequence[str]) -> list[str]:
    if isinstance(given, str) or not all(isinstance(each, str) for each in given):
        raise ArgumentError(f"{name} is a list of texts, not {given!r}")
    return list(given)
