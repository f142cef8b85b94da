"""Traces as they finish: each once, whenever it began, and however late it arrives.

The store numbers its traces in the order in which it first heard of them. What is behind the last number is new; what
runs when it is first seen is looked at again until it has finished. Numbers of deleted traces may be given again, so
the last of them are remembered with their traces: none is skipped or told twice unless more than `_REMEMBERED` of the
newest are deleted between two looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from tracehound.model.trace import TraceInfo, TraceState
from tracehound.query.evaluate import matches
from tracehound.query.fields import ATTRIBUTES
from tracehound.query.search import Search, parse_search
from tracehound.query.tokens import quote
from tracehound.query.tree import Checked, Operator, Test
from tracehound.store.api import Arrival, Store

_REMEMBERED: Final = 1_000
_AT_A_TIME: Final = 500
_IDS_AT_A_TIME: Final = 50
_RUNS: Final = Test(ATTRIBUTES["status"], Operator.EQ, TraceState.IN_PROGRESS.value)
_IS_FINISHED: Final = Test(ATTRIBUTES["status"], Operator.NE, TraceState.IN_PROGRESS.value)


class FinishedTraces:
    """What finishes from now on, of some experiments or of all, that a filter is true of."""

    def __init__(self, store: Store, experiment_ids: Sequence[str] | None, where: Checked | None) -> None:
        self._wanted = None if experiment_ids is None else frozenset(experiment_ids)
        self._where = where
        # In this order, so that what finishes meanwhile is seen by one of them at least.
        self._last: dict[int, str] = {}  # the numbers of the last arrivals, and whose they are
        self._floor = 0  # what has this number or a lower one is known
        self._remember(store.arrivals(None, _REMEMBERED))
        self._running: dict[str, str] = {}  # the experiments of the traces
        self._told: set[str] = set()  # of those that `latest` has told
        for info in _all_of(store, parse_search(self._experiment_ids(store)).narrowed(_RUNS)):
            self._running[info.trace_id] = info.experiment_id

    def latest(self, store: Store, count: int) -> list[TraceInfo]:
        """Return the newest traces that have finished already, the oldest of them first; `new` leaves them out."""
        search = parse_search(self._experiment_ids(store), limit=count).narrowed(_IS_FINISHED)
        search = search if self._where is None else search.narrowed(self._where)
        found = store.search(search).traces if count else []
        self._told = {info.trace_id for info in found}
        return found[::-1]

    def new(self, store: Store) -> list[TraceInfo]:
        """Return what has finished since the last look."""
        finished: list[TraceInfo] = []
        for info in [*self._read_running(store), *(arrival.info for arrival in self._read_arrivals(store))]:
            if info.state is TraceState.IN_PROGRESS:
                self._running[info.trace_id] = info.experiment_id
            else:
                self._running.pop(info.trace_id, None)
                finished.append(info)
        wanted = [info for info in finished if self._is_wanted(info)]
        if self._where is None or not wanted:
            return wanted
        whole = store.read_traces([info.trace_id for info in wanted])
        return [info for info in wanted if info.trace_id in whole and matches(self._where, whole[info.trace_id])]

    def _read_running(self, store: Store) -> list[TraceInfo]:
        """Return the traces that ran when they were last seen, as they are now; those that are gone are forgotten."""
        known = list(self._running)
        found: list[TraceInfo] = []
        for at in range(0, len(known), _IDS_AT_A_TIME):
            some = known[at : at + _IDS_AT_A_TIME]
            ids = ", ".join(map(quote, some))
            experiments = sorted({self._running[each] for each in some})
            found += store.search(parse_search(experiments, f"attributes.trace_id IN ({ids})")).traces
        self._running = {info.trace_id: info.experiment_id for info in found}
        return found

    def _read_arrivals(self, store: Store) -> list[Arrival]:
        """Return the traces that the store has heard of since the last look."""
        last = max(self._last, default=self._floor)
        page = store.arrivals(max(self._floor, last - 1), _AT_A_TIME)
        if self._last and not (page and self._is_known(page[0])):
            page = self._look_back(store)
        found: list[Arrival] = []
        while page:
            found += [each for each in page if not self._is_known(each)]
            self._remember(page)
            page = store.arrivals(page[-1].number, _AT_A_TIME)
        return found

    def _look_back(self, store: Store) -> list[Arrival]:
        """Return the arrivals from the first number that is remembered on, since the last is not what it was."""
        newest = store.arrivals(None, 1)
        if newest and newest[0].number <= self._floor:  # so many are gone that nothing tells what is new
            self._floor, self._last = 0, {}
            self._remember(store.arrivals(None, _REMEMBERED))
            return []
        page = store.arrivals(self._floor, _REMEMBERED)
        there = {each.number for each in page if self._is_known(each)}
        self._last = {number: trace_id for number, trace_id in self._last.items() if number in there}
        return page

    def _remember(self, arrivals: Sequence[Arrival]) -> None:
        known = {**self._last, **{each.number: each.info.trace_id for each in arrivals}}
        self._last = dict(sorted(known.items())[-_REMEMBERED:])
        if len(self._last) == _REMEMBERED:
            self._floor = min(self._last) - 1

    def _is_known(self, arrival: Arrival) -> bool:
        return self._last.get(arrival.number) == arrival.info.trace_id

    def _is_wanted(self, info: TraceInfo) -> bool:
        is_there = self._wanted is None or info.experiment_id in self._wanted
        return is_there and info.trace_id not in self._told

    def _experiment_ids(self, store: Store) -> list[str]:
        return [each.experiment_id for each in store.experiments()] if self._wanted is None else sorted(self._wanted)


def _all_of(store: Store, search: Search) -> Iterable[TraceInfo]:
    """Yield all traces of a search."""
    while True:
        page = store.search(search)
        yield from page.traces
        if page.next_cursor is None:
            return
        search = search.behind(page.next_cursor)
