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
from dataclasses import dataclass, field
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
_WIDEST: Final = 64  # times as wide a window as the first one, or the one before
_SPARE: Final = 1.25  # times as wide a window as held the pages before
_REMEMBERED: Final = 5  # pages of a kind of search
_KINDS: Final = 1_000  # of searches


@dataclass(frozen=True)
class Window:
    """Times within which rows are looked for, and how long they are; ended at the front by the newest there is."""

    times: Range
    length_ms: int = 0
    end_ms: int | None = None  # of the newest row that there was; None where nobody knows

    def before(self, found: int, wanted: int) -> Window:
        """Return the window before this one, in which so few were found: twice what the rest should take, or all."""
        assert self.times.low is not None  # noqa: S101 - nothing is before all time
        high = self.times.low - 1
        if found * _WIDEST < 2 * (wanted - found):
            return Window(Range(high=high))
        length_ms = self.length_ms * 2 * (wanted - found) // found + 1
        return Window(Range(high + 1 - length_ms, high), length_ms)


ALL_TIME: Final = Window(EVER)


@dataclass(frozen=True)
class _Newest:
    """When the newest rows of an experiment began: the first of them and the last; None where there are too few."""

    asked_s: float
    times: tuple[int, int] | None


@dataclass
class Recent:
    """What is known of the newest rows of experiments, and of pages that were found, for all searches of a store."""

    rows: int = _ROWS
    known_s: float = _KNOWN_S
    _newest: dict[str, _Newest] = field(default_factory=dict)
    _row_ms: dict[Hashable, tuple[float, ...]] = field(default_factory=dict)

    def window(self, engine: Engine, search: Search) -> Window:
        """Return where a page of a search is looked for first."""
        first = search.order[0]
        if first.field != TIMESTAMP or not first.descending or not search.experiment_ids:
            return ALL_TIME
        known = [each for each in self._of(engine, search) if each is not None]
        if not known:
            return ALL_TIME
        low, high = max(low for low, _ in known), max(high for _, high in known)
        end = time_range(search).high
        end = high if end is None else min(high, end)
        row_ms = self._row_ms.get(_kind_of(search), ())
        expected_ms = _SPARE * (search.limit + 1) * median_low(row_ms) if row_ms else 0
        length_ms = int(min(max(1, expected_ms / (high - low + 1)), _WIDEST) * (high - low))
        return Window(Range(end - length_ms), length_ms + 1, end)

    def learn(self, search: Search, first: Window, began_ms: Sequence[int]) -> None:
        """Note when the traces of a page began, and those behind it that tell that it is not the last."""
        if first.end_ms is None:
            return
        is_last = len(began_ms) <= search.limit
        row_ms = math.inf if is_last else max(0, first.end_ms - began_ms[-1]) / len(began_ms)
        if len(self._row_ms) >= _KINDS:
            self._row_ms.clear()
        kind = _kind_of(search)
        self._row_ms[kind] = (*self._row_ms.get(kind, ()), row_ms)[-_REMEMBERED:]

    def _of(self, engine: Engine, search: Search) -> Sequence[tuple[int, int] | None]:
        now_s, asked = time.monotonic(), dict(self._newest)
        old = [
            each for each in search.experiment_ids if each not in asked or now_s - asked[each].asked_s >= self.known_s
        ]
        if old:
            rows = engine.select(newest_sql(old, self.rows), search.time_limit)
            found = {str(row[0]): (row[1], row[2]) for row in rows if row[3] >= self.rows}
            asked |= {each: _Newest(now_s, found.get(each)) for each in old}
            self._newest = asked
        return [asked[each].times for each in search.experiment_ids]


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
