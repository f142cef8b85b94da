"""Searches: pages of rows in order, of which those are kept that are the latest of their trace and pass.

A statement finds rows, the replaced ones among them: asking it to leave them out (FINAL) would have it read everything
before it returns anything. Which they are a second statement says, of those that were found. Where the condition in SQL
is not exact the evaluator looks at the traces that it leaves (`query.wide`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from operator import itemgetter
from typing import Final

from tracehound.model.trace import Trace, TraceInfo
from tracehound.query.cheap_first import cheap_first
from tracehound.query.clickhouse import DIALECT, EVERYTHING, among, is_by_time, search_sql, slowest_sql
from tracehound.query.evaluate import OfSpans, matches, of_spans, order_values
from tracehound.query.search import KeyValue, Search
from tracehound.query.tree import Checked
from tracehound.query.wide import Asked, Condition, wide_condition
from tracehound.store.clickhouse.engine import Engine
from tracehound.store.clickhouse.kept_words import KeptWords
from tracehound.store.clickhouse.pace import Pace
from tracehound.store.clickhouse.reading import Row, latest, read_brief, read_whole
from tracehound.store.clickhouse.recent import ALL_TIME, Recent, Window
from tracehound.store.clickhouse.rows import to_brief_info, to_info
from tracehound.store.clickhouse.vocabulary import look_up

_EVER_SO_MANY: Final = 2**31  # rows: all there are of some traces
_AGAIN: Final = 8  # times at most that a trace is read again which has changed while it was read


@dataclass(frozen=True)
class Found:
    """A trace that was found: its row, and the whole trace where it was read on the way."""

    row: Row  # the columns of `query.clickhouse.ROW`, or of `BRIEF`
    trace: Trace | None = None

    @property
    def trace_id(self) -> str:
        """The id of the trace."""
        return str(self.row[0])

    @property
    def info(self) -> TraceInfo:
        """What the row says; a brief one does not."""
        return to_info(self.row) if self.trace is None else self.trace.info


@dataclass
class Finder:
    """A search of one store. `rows_read` counts the rows that were looked at.

    A page in the order of time is looked for among the newest first (`recent`). Words are looked up in memory where
    these are given (`words`). With `is_brief` rows have the columns of `query.clickhouse.BRIEF`, which must say where a
    trace stands in the order (`can_be_brief`), and whole traces are read with them.
    """

    engine: Engine
    search: Search
    recent: Recent = field(default_factory=Recent)
    words: KeptWords | None = None
    is_brief: bool = False
    rows_read: int = 0
    _until_kept: int = 0  # of these, up to the last one that was kept
    _found: dict[Asked, list[str] | None] = field(default_factory=dict)

    def condition(self) -> Condition:
        """Return what the filter is in SQL."""
        where = self.search.where
        if where is None:
            return EVERYTHING
        asked: dict[Asked, list[str] | None] = {}
        condition = wide_condition(where, DIALECT, asked.setdefault)
        if not asked:
            return condition
        new = [each for each in asked if each not in self._found]
        self._found |= look_up(self.engine, new, self.search.time_limit, self.words)
        return wide_condition(where, DIALECT, self._found.__getitem__)

    def page(self) -> tuple[list[Found], str | None]:
        """Return the traces of a page, and the cursor behind them."""
        found: list[Found] = []
        first = self.recent.window(self.engine, self.search)
        seen: set[str] = set()  # one that begins earlier than was known when it was found comes again
        wanted = self.search.limit + 1
        pace = Pace(wanted, self.recent.for_one(self.search))
        for each in self._within(first, pace):
            if each.trace_id not in seen:
                seen.add(each.trace_id)
                found.append(each)
            if len(found) == wanted:
                break
        self.recent.learn(self.search, first, [each.row[3] for each in found], self._until_kept)
        page = found[: self.search.limit]
        has_more = len(found) > len(page) > 0
        return page, self.search.cursor(self._place_of(page[-1].row)) if has_more else None

    def all(self) -> Iterator[Found]:
        """Yield the traces in order."""
        return self._within(ALL_TIME, Pace(None))

    def _place_of(self, row: Row) -> tuple[KeyValue, ...]:
        return order_values(to_brief_info(row) if self.is_brief else to_info(row), self.search.order)

    def _within(self, window: Window, pace: Pace) -> Iterator[Found]:
        """Yield the traces in order, those of a window first, as many as are wanted at a pace."""
        where, search, in_window = self.condition(), self.search, 0
        is_full = True
        rows: list[Row] = []
        while search.experiment_ids:
            size = max(1, pace.rows - len(rows))
            least_ms = self._least_ms(search, where, size) if is_full else None
            found, is_full = self._first(search, where, size, window, least_ms)
            rows, in_window = rows + found, in_window + len(found)
            if where.is_exact and not is_full and window.times.low is not None:
                # Which of these were replaced is asked with those of the next window.
                window, in_window = window.before(in_window, in_window + size - len(found)), 0
                continue
            yield from self._kept(rows, where, pace)
            if is_full or least_ms is not None:  # there are fewer of them than a moment ago
                search = replace(search, after=self._place_of(rows[-1])) if rows else search
            elif window.times.low is None:
                return
            else:
                window, in_window = window.before(in_window, in_window + pace.rows), 0
            rows = []

    def _first(
        self, search: Search, where: Condition, size: int, window: Window, least_ms: int | None
    ) -> tuple[list[Row], bool]:
        """Return the first rows, so many at most, and whether there may be more behind them.

        To have those that began at the same time in order the engine reads the id of each that passes, and not only of
        those that it returns. So it is asked for them by time alone, and for one more, which tells whether others that
        began with the last of them may be missing.
        """
        in_order = search.where is None or not window.few
        ask = partial(search_sql, search, where, times=window.times, is_brief=self.is_brief, in_order=in_order)
        if is_by_time(search):
            found = self.engine.select(ask(size + 1, by_time=True), search.time_limit)
            if len(found) <= size or found[-1][3] != found[-2][3]:
                time, trace_id = search.order
                known = sorted(found[:size], key=itemgetter(0), reverse=trace_id.descending)
                return sorted(known, key=itemgetter(3), reverse=time.descending), len(known) == size
        found = self.engine.select(ask(size, least_ms=least_ms), search.time_limit)
        return found, len(found) == size

    def _least_ms(self, search: Search, where: Condition, count: int) -> int | None:
        """Return how long the slowest so many took at least, where these are wanted and there are so many."""
        sql = slowest_sql(search, where, count)
        found = [] if sql is None else self.engine.select(sql, search.time_limit)
        return found[0][0] if found else None

    def _kept(self, rows: Sequence[Row], where: Condition, pace: Pace) -> Iterator[Found]:
        """Yield what is kept of rows, of which some are looked at together."""
        asked = None if where.is_exact or self.search.where is None else cheap_first(self.search.where)
        counted: set[str] = set()
        at = 0
        while at < len(rows):
            some = [row for row in rows[at : at + pace.together] if row[0] not in counted]
            at += pace.together
            places = {row[0]: place for place, row in enumerate(some, self.rows_read + 1)}
            self.rows_read += len(some)
            standing, whole = self._standing(some, where, () if asked is None else of_spans(asked))
            counted.update(row[0] for row in standing)
            kept = 0
            for each in self._passing(standing, whole, asked):
                kept += 1
                self._until_kept = places[each.trace_id]
                yield each
            pace.note(len(some), kept)

    def _standing(
        self, rows: Sequence[Row], where: Condition, asked: Sequence[OfSpans]
    ) -> tuple[Sequence[Row], Mapping[str, Trace]]:
        """Return the rows of traces as they are now, in order, and the traces of brief ones (`_latest`).

        A trace that has changed since its row was read has another one now, which may pass and stand at the same place.
        So has one that stood in several versions of which a statement returned the first.
        """
        latest_rows, whole = self._latest(rows, asked)
        now = {row[0]: row for row in latest_rows}
        waiting = {row[0]: row for row in rows if row[0] not in now}
        if not waiting:
            return latest_rows, whole
        new: dict[str, Row] = {}
        for _ in range(_AGAIN):
            of_these = among(where, list(waiting.values()))
            sql = search_sql(self.search, of_these, _EVER_SO_MANY, is_brief=self.is_brief)
            found = self.engine.select(sql, self.search.time_limit)
            changed, more = self._latest(found, asked)
            whole = {**whole, **more}
            new |= {row[0]: row for row in changed if self._place_of(row) == self._place_of(waiting[row[0]])}
            once_more = {row[0] for row in found} - {row[0] for row in changed}
            waiting = {trace_id: waiting[trace_id] for trace_id in once_more}
            if not waiting:
                break
        standing = [
            new.pop(row[0]) if row[0] in new else row for row in rows if row[0] in new or now.get(row[0]) is row
        ]
        return standing, whole

    def _latest(self, rows: Sequence[Row], asked: Sequence[OfSpans]) -> tuple[Sequence[Row], Mapping[str, Trace]]:
        """Return the rows that nothing has replaced, and the traces of brief ones that may pass what is asked."""
        if self.is_brief:
            return read_brief(self.engine, rows, self.search.time_limit, asked)
        return latest(self.engine, rows, self.search.time_limit), {}

    def _passing(self, rows: Sequence[Row], whole: Mapping[str, Trace], asked: Checked | None) -> Iterator[Found]:
        """Yield those that pass, if anything is asked that rows do not say, and are not erased."""
        limit = self.search.time_limit
        if asked is None:
            yield from (Found(row, whole.get(row[0])) for row in rows if not self.is_brief or row[0] in whole)
            return
        if not self.is_brief:
            whole = read_whole(self.engine, rows, limit)
        for row in rows:
            trace = whole.get(row[0])
            if trace is not None and matches(asked, trace):
                yield Found(row, trace)
            if limit is not None:
                limit.check(f"it has looked at {self.rows_read:,} traces")
