"""A table of traces that a SQL warehouse searches; it is only read. `tracehound export` writes what it is made of.

Searches are pages of rows in order. Where the condition in SQL is not exact the evaluator looks at the traces that it
leaves (`query.wide`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from tracehound.errors import ArgumentError
from tracehound.model.run import RUN
from tracehound.model.trace import Experiment, Trace, TraceInfo
from tracehound.query.databricks import (
    DIALECT,
    INFO,
    WHOLE,
    bind,
    experiments_sql,
    resolve,
    run_sql,
    search_sql,
    traces_sql,
)
from tracehound.query.evaluate import matches, order_values
from tracehound.query.limit import SearchLimit
from tracehound.query.search import Search
from tracehound.query.sql import Sql
from tracehound.query.wide import TRUE, Condition, wide_condition
from tracehound.store.api import Page
from tracehound.store.databricks.address import WarehouseAddress
from tracehound.store.databricks.rows import to_trace
from tracehound.store.databricks.session import Row, Session

_MOST_VALUES: Final = 250  # of one statement: a warehouse takes a few more
_MOST_ROWS: Final = 2_000
_TRACES_AT_A_TIME: Final = 1_000


class Warehouse:
    """Traces in a table, as `store.api.Searched`. A warehouse that sleeps is woken when it is first asked."""

    def __init__(self, address: WarehouseAddress, connect: Callable[[WarehouseAddress], Session]) -> None:
        self._address = address
        self._connect = connect
        self._session: Session | None = None

    def search(self, search: Search) -> Page[TraceInfo]:
        """Return one page of the traces that match."""
        found, next_cursor = self._page(search, is_whole=False)
        return Page([each.info for each in found], next_cursor)

    def search_whole(self, search: Search) -> Page[Trace]:
        """Return one page of the traces that match, with their spans."""
        return Page(*self._page(search, is_whole=True))

    def read_traces(self, trace_ids: Sequence[str]) -> dict[str, Trace]:
        """Return the whole traces that exist, by id."""
        found: dict[str, Trace] = {}
        for at in range(0, len(trace_ids), _TRACES_AT_A_TIME):
            rows = self._rows(traces_sql(trace_ids[at : at + _TRACES_AT_A_TIME], self._address.table))
            found.update({row[0]: to_trace(row, self._address.shown()) for row in rows})
        return found

    def experiments(self) -> list[Experiment]:
        """Return the experiments that have traces, by name."""
        rows = self._rows(experiments_sql(self._address.table))
        return sorted((Experiment(str(number), name) for number, name in rows), key=lambda each: each.name)

    def facts(self, kind: str, subject: str | None = None) -> dict[str, dict[str, str]]:
        """Return what the traces tell of a run: its experiment. Of models, and of all runs, they tell nothing."""
        if kind != RUN or subject is None:
            return {}
        rows = self._rows(run_sql(subject, self._address.table))
        return {subject: {"experiment": rows[0][0]}} if rows else {}

    def close(self) -> None:
        """Give the session up."""
        if self._session is not None:
            self._session.close()

    def _page(self, search: Search, *, is_whole: bool) -> tuple[list[Trace], str | None]:
        """Return the traces of a page, and the cursor behind them."""
        found: list[Trace] = []
        for each in self._all(search, search.limit + 1, is_whole=is_whole):
            found.append(each)
            if len(found) > search.limit:
                break
        page = found[: search.limit]
        has_more = len(found) > len(page) > 0
        return page, search.cursor(order_values(page[-1].info, search.order)) if has_more else None

    def _all(self, search: Search, first: int, *, is_whole: bool) -> Iterator[Trace]:
        """Yield the traces in order; `first` is how many are asked for at once to begin with."""
        node, limit, where = search.where, search.time_limit, Condition(TRUE)
        if node is not None:
            where = wide_condition(node, DIALECT, resolve)
        has_spans, size, looked_at = is_whole or not where.is_exact, first, 0
        while search.experiment_ids:
            sql = search_sql(search, where, size, self._address.table, WHOLE if has_spans else INFO)
            rows = self._rows(sql, limit)
            traces = [to_trace(row, self._address.shown()) for row in rows]
            for trace in traces:
                if where.is_exact or node is None or matches(node, trace):
                    yield trace
            looked_at += len(rows)
            if len(rows) < size:
                return
            if limit is not None:
                limit.check(f"it has looked at {looked_at:,} traces")
            search = replace(search, after=order_values(traces[-1].info, search.order))
            size = max(size, min(4 * size, _MOST_ROWS))

    def _rows(self, sql: Sql, limit: SearchLimit | None = None) -> list[Row]:
        text, values = bind(sql)
        if len(values) > _MOST_VALUES:
            raise ArgumentError(
                f"a filter for a SQL warehouse has at most {_MOST_VALUES} different values and names, not"
                f" {len(values)}; those in the parentheses of one IN count as one"
            )
        if self._session is None:
            self._session = self._connect(self._address)
        return self._session.select(text, values, limit)
