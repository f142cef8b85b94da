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
from tracehound.query.evaluate import matches, order_values
from tracehound.query.limit import SearchLimit
from tracehound.query.search import KeyValue, Search
from tracehound.query.sql import Sql
from tracehound.query.wide import Asked, Condition, wide_condition
from tracehound.store.clickhouse.engine import Engine
from tracehound.store.clickhouse.reading import read_brief, read_whole
from tracehound.store.clickhouse.recent import ALL_TIME, Recent, Window
from tracehound.store.clickhouse.rows import to_brief_info, to_info
from tracehound.store.clickhouse.vocabulary import look_up

_EVERYTHING: Final = Condition(Sql("1"))
_MOST_ROWS: Final = 2_000  # of one statement
_SPARE: Final = 1.25  # times as many rows as should be enough, where not all of them are kept
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
    """A search of one store. `rows_read` counts the rows that statements returned.

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
        where = self.condition()
        first = None if self.recent is None else self.recent.window(self.engine, self.search)
        if first is not None and where.is_rare:
            first = first.widened()
        for each in self._within(where, first or ALL_TIME, self.search.limit + 1):
            found.append(each)
            if len(found) > self.search.limit:
                break
        page = found[: self.search.limit]
        has_more = len(found) > len(page) > 0
        return page, self.search.cursor(self._place_of(page[-1].row)) if has_more else None

    def all(self) -> Iterator[Found]:
        """Yield the traces in order."""
        return self._within(self.condition(), ALL_TIME)

    def read(self, rows: Sequence[RowOfTrace]) -> dict[str, Trace]:
        """Return the whole traces of rows that were found, by id."""
        return (read_brief if self.is_brief else read_whole)(self.engine, rows, self.search.time_limit)

    def _place_of(self, row: RowOfTrace) -> tuple[KeyValue, ...]:
        return order_values(to_brief_info(row) if self.is_brief else to_info(row), self.search.order)

    def _within(self, where: Condition, window: Window, wanted: int | None = None) -> Iterator[Found]:
        """Yield the traces in order, those of a window first, of which so many are wanted, or all."""
        limit, search = self.search.time_limit, self.search
        size, read, kept, in_window = wanted or _MOST_ROWS, 0, 0, 0
        is_full = True
        while search.experiment_ids:
            least_ms = self._least_ms(search, where, size) if is_full else None
            sql = search_sql(search, where, size, window.times, least_ms=least_ms, is_brief=self.is_brief)
            rows = self.engine.select(sql, limit)
            self.rows_read += len(rows)
            read, in_window = read + len(rows), in_window + len(rows)
            before = kept
            for each in self._kept(latest(self.engine, rows, limit), where):
                kept += 1
                yield each
            is_full = len(rows) == size
            if wanted is not None:
                size = _size_of_next(wanted - kept, size, read, kept, is_in_vain=kept == before)
            if is_full or least_ms is not None:  # there are fewer of them than a moment ago
                search = replace(search, after=self._place_of(rows[-1])) if rows else search
            elif window.times.low is None:
                return
            else:
                window, in_window = window.before(in_window, in_window + size), 0

    def _least_ms(self, search: Search, where: Condition, count: int) -> int | None:
        """Return how long the slowest so many took at least, where these are wanted and there are so many."""
        sql = slowest_sql(search, where, count)
        found = [] if sql is None else self.engine.select(sql, search.time_limit)
        return found[0][0] if found else None

    def _kept(self, rows: Sequence[RowOfTrace], where: Condition) -> Iterator[Found]:
        if where.is_exact or self.search.where is None:
            for row in rows:
                yield Found(row)
            return
        whole, asked = self.read(rows), cheap_first(self.search.where)
        for row in rows:
            trace = whole.get(row[0])
            if trace is not None and matches(asked, trace):
                yield Found(row, trace)
            if self.search.time_limit is not None:
                self.search.time_limit.check(f"it has looked at {self.rows_read:,} traces")


def _size_of_next(missing: int, size: int, read: int, kept: int, *, is_in_vain: bool) -> int:
    """Return how many rows the next statement is asked for, where so many were read and kept until now.

    Behind one of which no row was kept it is asked for more each time, whatever was kept before.
    """
    if read == kept or missing <= 0:
        return max(1, missing)
    expected = _SPARE * missing * (read + 1) / (kept + 1)
    least = 2 * size if is_in_vain else missing
    return min(max(least, min(int(expected), 4 * size)), _MOST_ROWS)


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
