"""The route that compares two values of a key."""

from __future__ import annotations

from tracehound.analysis.comparison import Comparison, read_comparison
from tracehound.server.served import Served
from tracehound.server.traces import SearchScope, search_of


class CompareRequest(SearchScope, frozen=True, kw_only=True):
    """Two values of a key, among the traces of a search; `compare_traces` of the SDK says what there is.

    A value of null means the traces that lack the key.
    """

    by: str
    baseline: str | int | float | bool | None
    candidate: str | int | float | bool | None
    level: float = 0.95


def compare_traces(served: Served, asked: CompareRequest) -> Comparison:
    """Return how the traces with one value of a key differ from those with another, and how sure that is."""
    store = served.runtime.drained_store()
    search = search_of(served, store, asked)
    return read_comparison(store, search, asked.by, asked.baseline, asked.candidate, asked.level)
