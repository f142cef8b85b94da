"""Where the newest traces of an experiment are, so that a page of them is looked for there first.

A statement that may read every row asks the indexes of its condition of all marks before it reads one, and begins in
every part. So a page in the order of time is asked for in windows: of what began lately, then of what began before
that. The windows are a guess. Wherever they end the same rows come in the same order, only sooner or later.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tracehound.query.access import EVER, Range, time_range
from tracehound.query.clickhouse import newest_sql
from tracehound.query.fields import TIMESTAMP
from tracehound.query.search import Search
from tracehound.store.clickhouse.engine import Engine

# Rows of the first window: another 12,000 take 2 ms at most, to ask a second time takes 15.
_ROWS: Final = 24_000
_KNOWN_S: Final = 10  # for which a guess is good: what begins meanwhile makes the window longer
_WIDEST: Final = 64  # times as wide a window as the one before; beyond it everything may as well be read


@dataclass(frozen=True)
class Window:
    """Times within which rows are looked for, and how long they are; ended at the front by the newest there is."""

    times: Range
    length_ms: int = 0

    def widened(self) -> Window:
        """Return a longer one, for a condition that is rare: to ask twice takes longer than to ask for more lists."""
        assert self.times.low is not None  # noqa: S101 - nothing is longer than all time
        length_ms = self.length_ms * _WIDEST
        return Window(Range(self.times.low + self.length_ms - length_ms, self.times.high), length_ms)

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
    """What is known of the newest rows of experiments, for all searches of a store."""

    rows: int = _ROWS
    known_s: float = _KNOWN_S
    _newest: dict[str, _Newest] = field(default_factory=dict)

    def window(self, engine: Engine, search: Search) -> Window | None:
        """Return where a page of a search is looked for first; None for everywhere."""
        first = search.order[0]
        if first.field != TIMESTAMP or not first.descending or not search.experiment_ids:
            return None
        known = [each for each in self._of(engine, search) if each is not None]
        if not known:
            return None
        low, high = max(low for low, _ in known), max(high for _, high in known)
        end = time_range(search).high
        end = high if end is None else min(high, end)
        return Window(Range(end - (high - low)), high - low + 1)

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
