"""Searches: pages of rows in order, of which those are kept that are the latest of their trace and pass.

A statement finds rows, the replaced ones among them: asking it to leave them out (FINAL) would have it read everything
before it returns anything. Which they are a second statement says, of those that were found. Where the condition in SQL
is not exact the evaluator looks at the traces that it leaves (`query.wide`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tracehound.model.trace import Trace, TraceInfo
from tracehound.query.cheap_first import cheap_first
from tracehound.query.clickhouse import DIALECT, as_list, search_sql, slowest_sql
from tracehound.query.evaluate import OfSpans, matches, of_spans, order_values
from tracehound.query.limit import SearchLimit
from tracehound.query.search import KeyValue, Search
from tracehound.query.sql import Sql
from tracehound.query.wide import Asked, Condition, wide_condition
from tracehound.store.clickhouse.engine import Engine
from tracehound.store.clickhouse.pace import Pace
from tracehound.store.clickhouse.reading import read_brief, read_whole
from tracehound.store.clickhouse.recent import ALL_TIME, Recent, Window
from tracehound.store.clickhouse.rows import to_brief_info, to_info
from tracehound.store.clickhouse.vocabulary import look_up

_EVERYTHING: Final = Condition(Sql("1"))
_VERSIONS: Final = "SELECT trace_id, max(version) FROM revised WHERE trace_id IN ? GROUP BY trace_id"

RowOfTrace = Sequence[Any]  # the columns of `query.clickhouse.ROW`, or of `BRIEF`


@dataclass(frozen=True)
class Found:
    """A trace that was found: its row, and the whole trace where it was read on the way."""

    row: RowOfTrace
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

    With `recent` a page in the order of time is looked for among the newest first. With `is_brief` rows are
    (`query.clickhouse.can_be_brief`), and what they do not say is read of the whole traces.
    """

    engine: Engine
    search: Search
    recent: Recent | None = None
    is_brief: bool = False
    rows_read: int = 0
    _found: dict[Asked, list[str] | None] = field(default_factory=dict)

    def condition(self) -> Condition:
        """Return what the filter is in SQL."""
        where = self.search.where
        if where is None:
            return _EVERYTHING
        asked: dict[Asked, list[str] | None] = {}
        condition = wide_condition(where, DIALECT, asked.setdefault)
        if not asked:
            return condition
        new = [each for each in asked if each not in self._found]
        self._found |= look_up(self.engine, new, self.search.time_limit)
        return wide_condition(where, DIALECT, self._found.__getitem__)

    def page(self) -> tuple[list[Found], str | None]:
        """Return the traces of a page, and the cursor behind them."""
        found: list[Found] = []
        first = None if self.recent is None else self.recent.window(self.engine, self.search)
        for each in self._within(first or ALL_TIME, self.search.limit + 1):
            found.append(each)
            if len(found) > self.search.limit:
                break
        page = found[: self.search.limit]
        has_more = len(found) > len(page) > 0
        return page, self.search.cursor(self._place_of(page[-1].row)) if has_more else None

    def all(self) -> Iterator[Found]:
        """Yield the traces in order."""
        return self._within(ALL_TIME)

    def read(self, rows: Sequence[RowOfTrace], asked: Sequence[OfSpans] = ()) -> dict[str, Trace]:
        """Return the whole traces of rows that were found, by id; some whose spans do not pass may be missing."""
        if self.is_brief:
            return read_brief(self.engine, rows, self.search.time_limit, asked)
        return read_whole(self.engine, rows, self.search.time_limit)

    def _place_of(self, row: RowOfTrace) -> tuple[KeyValue, ...]:
        return order_values(to_brief_info(row) if self.is_brief else to_info(row), self.search.order)

    def _within(self, window: Window, wanted: int | None = None) -> Iterator[Found]:
        """Yield the traces in order, those of a window first, of which so many are wanted, or all."""
        where, search, pace, in_window = self.condition(), self.search, Pace(wanted), 0
        is_full = True
        while search.experiment_ids:
            size = pace.rows
            least_ms = self._least_ms(search, where, size) if is_full else None
            sql = search_sql(search, where, size, window.times, least_ms=least_ms, is_brief=self.is_brief)
            rows = self.engine.select(sql, search.time_limit)
            in_window += len(rows)
            yield from self._kept(rows, where, pace)
            is_full = len(rows) == size
            if is_full or least_ms is not None:  # there are fewer of them than a moment ago
                search = replace(search, after=self._place_of(rows[-1])) if rows else search
            elif window.times.low is None:
                return
            else:
                window, in_window = window.before(in_window, in_window + pace.rows), 0

    def _least_ms(self, search: Search, where: Condition, count: int) -> int | None:
        """Return how long the slowest so many took at least, where these are wanted and there are so many."""
        sql = slowest_sql(search, where, count)
        found = [] if sql is None else self.engine.select(sql, search.time_limit)
        return found[0][0] if found else None

    def _kept(self, rows: Sequence[RowOfTrace], where: Condition, pace: Pace) -> Iterator[Found]:
        """Yield what is kept of the rows of a statement, of which some are looked at together."""
        left = latest(self.engine, rows, self.search.time_limit)
        pace.looked += len(rows) - len(left)
        self.rows_read += len(rows) - len(left)
        at = 0
        while at == 0 or at < len(left):
            some = left[at : at + pace.together]
            self.rows_read += len(some)
            kept = 0
            for each in map(Found, some) if where.is_exact else self._passing(some):
                kept += 1
                yield each
            pace.note(len(some), kept)
            at += max(1, len(some))

    def _passing(self, rows: Sequence[RowOfTrace]) -> Iterator[Found]:
        """Yield those of which the evaluator says that they pass."""
        where, limit = self.search.where, self.search.time_limit
        assert where is not None  # noqa: S101 - nothing is asked of all traces
        asked = cheap_first(where)
        whole = self.read(rows, of_spans(asked))
        for row in rows:
            trace = whole.get(row[0])
            if trace is not None and matches(asked, trace):
                yield Found(row, trace)
            if limit is not None:
                limit.check(f"it has looked at {self.rows_read:,} traces")


def latest(engine: Engine, rows: Sequence[RowOfTrace], limit: SearchLimit | None = None) -> list[RowOfTrace]:
    """Return the rows that nothing has replaced, each once, in their order."""
    if not rows:
        return []
    trace_ids = list({row[0] for row in rows})
    versions = {row[0]: row[1] for row in engine.select(Sql(_VERSIONS, (as_list(trace_ids),)), limit)}
    kept: dict[str, RowOfTrace] = {}
    for row in rows:
        if row[1] == versions.get(row[0], 1):
            kept.setdefault(row[0], row)
    return list(kept.values())
