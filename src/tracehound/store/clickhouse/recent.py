"""Where the newest traces of an experiment are, so that a page of them is looked for there first.

A statement that may read every row asks the indexes of its condition of all marks before it reads one, and begins in
every part. So a page in the order of time is asked for in windows: of what began lately, then of what began before
that. How far back the first one goes is a guess, from how far back pages of such searches went. Wherever windows end
the same rows come in the same order, only sooner or later.
"""

from __future__ import annotations

import math
import time
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import median_low
from typing import Final

from tracehound.query.access import EVER, Range, time_range
from tracehound.query.clickhouse import newest_sql
from tracehound.query.fields import TIMESTAMP
from tracehound.query.search import Search
from tracehound.query.tree import Checked, Not, Scope, Test
from tracehound.store.clickhouse.engine import Engine

# Rows of the first window: another 12,000 take 2 ms at most, to ask a second time takes 15.
_ROWS: Final = 24_000
_KNOWN_S: Final = 10  # for which a guess is good: what begins meanwhile makes the window longer
_WIDEST: Final = 64  # times as many rows as in the first window: few
_SPARE: Final = 1.25  # times as wide a window as held the pages before
_REMEMBERED: Final = 5  # pages of a kind of search
_KINDS: Final = 1_000  # of searches


@dataclass(frozen=True)
class Window:
    """Times within which rows are looked for. Where there are `few` rows in them all may be read.

    `oldest_ms` is when the first of all began and `end_ms` the last, as far as is known; `widest_ms` how long a time is
    with few rows, and `length_ms` how long this is. None and 0 where nothing is known.
    """

    times: Range = EVER
    length_ms: float = 0
    few: bool = False
    oldest_ms: int = 0
    end_ms: int | None = None
    widest_ms: float = 0

    def before(self, found: int, wanted: int) -> Window:
        """Return the window before this one, in which so few were found: twice what the rest should take, or all."""
        assert self.times.low is not None  # noqa: S101 - nothing is before all time
        return self.back(self.times.low - 1, self.length_ms * 2 * (wanted - found) / found if found else math.inf)

    def back(self, high: int, length_ms: float) -> Window:
        """Return the window of a length that ends at a time; all there is before that where it would be too wide."""
        left_ms = high + 1 - self.oldest_ms
        if length_ms < min(left_ms, self.widest_ms):
            low = high + 1 - math.ceil(length_ms)
            return replace(self, times=Range(low, high), length_ms=high + 1 - low, few=True)
        # Open in the past, for something that began before all that is known may have come since.
        return replace(self, times=Range(high=high), length_ms=left_ms, few=left_ms < self.widest_ms)

    def expected(self, lengths_ms: Sequence[float]) -> float:
        """Return how long the window is to be after windows that would have held the pages before it.

        As long as the longest with few rows: they cost less than a second statement. Where most had more, as most.
        """
        if not lengths_ms or self.end_ms is None:
            return 0
        left_ms = self.end_ms + 1 - self.oldest_ms
        capped = [min(each, left_ms) for each in lengths_ms]
        return max([median_low(capped), *(each for each in capped if each < self.widest_ms)])


ALL_TIME: Final = Window()


@dataclass(frozen=True)
class _Newest:
    """When the newest rows of an experiment began, the first and the last, how many they are, and the first of all."""

    asked_s: float
    low_ms: int = 0
    high_ms: int = 0
    count: int = 0
    oldest_ms: int | None = None


@dataclass
class Recent:
    """What is known of the newest rows of experiments, and of pages that were found, for all searches of a store."""

    rows: int = _ROWS
    known_s: float = _KNOWN_S
    _newest: dict[str, _Newest] = field(default_factory=dict)
    _row_ms: dict[Hashable, tuple[float, ...]] = field(default_factory=dict)
    _for_one: dict[Hashable, tuple[float, ...]] = field(default_factory=dict)

    def window(self, engine: Engine, search: Search) -> Window:
        """Return where a page of a search is looked for first."""
        first = search.order[0]
        if first.field != TIMESTAMP or not first.descending:
            return ALL_TIME
        known = self._of(engine, search)
        large = [each for each in known if each.count >= self.rows]
        if not large:
            return ALL_TIME
        high = max(each.high_ms for each in large)
        length_ms = high + 1 - max(each.low_ms for each in large)
        oldest_ms = min(each.oldest_ms for each in known if each.oldest_ms is not None)
        end = time_range(search).high
        end = high if end is None else min(high, end)
        known_of_all = Window(oldest_ms=oldest_ms, end_ms=end, widest_ms=_WIDEST * length_ms)
        lengths_ms = [_SPARE * (search.limit + 1) * each for each in self._row_ms.get(_kind_of(search), ())]
        found = known_of_all.back(end, max(length_ms, known_of_all.expected(lengths_ms)))
        return replace(found, times=Range(found.times.low))  # open in front: what begins meanwhile is in it

    def for_one(self, search: Search) -> float:
        """Return how many rows were looked at for one that was kept, by searches of this kind."""
        return median_low(self._for_one.get(_kind_of(search), (1,)))

    def learn(self, search: Search, first: Window, began_ms: Sequence[int], looked: int) -> None:
        """Note when the traces of a page began, and those behind it that tell that it is not the last, and how many
        rows were looked at for them.
        """
        kind = _kind_of(search)
        if began_ms:
            _remember(self._for_one, kind, max(1, looked / len(began_ms)))
        if first.end_ms is None:
            return
        is_last = len(began_ms) <= search.limit
        row_ms = math.inf if is_last else max(0, first.end_ms - began_ms[-1]) / len(began_ms)
        _remember(self._row_ms, kind, row_ms)

    def _of(self, engine: Engine, search: Search) -> Sequence[_Newest]:
        now_s, asked = time.monotonic(), dict(self._newest)
        old = [
            each for each in search.experiment_ids if each not in asked or now_s - asked[each].asked_s >= self.known_s
        ]
        if old:
            rows = engine.select(newest_sql(old, self.rows), search.time_limit)
            asked |= {each: _Newest(now_s) for each in old}
            asked |= {str(experiment): _Newest(now_s, *told) for experiment, *told in rows}
            self._newest = asked
        return [asked[each] for each in search.experiment_ids]


def _remember(known: dict[Hashable, tuple[float, ...]], kind: Hashable, value: float) -> None:
    if len(known) >= _KINDS and kind not in known:
        known.clear()
    known[kind] = (*known.get(kind, ()), value)[-_REMEMBERED:]


def _kind_of(search: Search) -> Hashable:
    """Return what tells searches apart of which pages go back as far, as a guess: what they ask about, not for."""
    return search.experiment_ids, frozenset((test.field, test.operator) for test in _tests_in(search.where))


def _tests_in(node: Checked | None) -> Iterator[Test]:
    if isinstance(node, Test):
        yield node
    elif isinstance(node, Not):
        yield from _tests_in(node.child)
    elif node is not None:
        for each in node.conditions if isinstance(node, Scope) else node.children:
            yield from _tests_in(each)
