"""The store in ClickHouse. What it must do stands in `store.api`, what its tables mean in `schema`."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from tracehound.errors import ArgumentError
from tracehound.model.edit import Change
from tracehound.model.trace import Experiment, Trace, TraceInfo
from tracehound.query.clickhouse import ROW, as_list, can_be_brief
from tracehound.query.limit import SearchLimit
from tracehound.query.search import Search
from tracehound.query.sql import Sql
from tracehound.query.statistics import Groups, StatisticsQuery
from tracehound.store.api import Arrival, Changes, Page, Rows, SegmentRange, SqlParameters
from tracehound.store.clickhouse.address import ClickHouseAddress
from tracehound.store.clickhouse.changes import end_parts, write_changes
from tracehound.store.clickhouse.copying import read_changes
from tracehound.store.clickhouse.engine import Engine
from tracehound.store.clickhouse.erasing import forget_before
from tracehound.store.clickhouse.finding import Finder
from tracehound.store.clickhouse.kept_words import KeptWords
from tracehound.store.clickhouse.reading import latest, read_rows, read_whole
from tracehound.store.clickhouse.recent import Recent
from tracehound.store.clickhouse.rows import to_info
from tracehound.store.clickhouse.schema import SEGMENT, make_tables
from tracehound.store.clickhouse.statistics import read_statistics
from tracehound.store.explain import Explanation, Step, with_reason

_NO_SEGMENT: Final = ""  # what was written without one
_POSITION: Final = "SELECT position FROM segment FINAL WHERE name = ?"
_SEGMENTS: Final = "SELECT name FROM segment FINAL WHERE name != ?"
_VERSION: Final = "SELECT count(), sum(cityHash64(name, moment)) FROM segment FINAL"
_NAMES: Final = "SELECT id, any(name) FROM experiment WHERE id IN ? GROUP BY id"
_FACTS: Final = (
    "SELECT subject, key, argMax(tuple(value), (written_ns, value IS NOT NULL, ifNull(value, ''))).1 AS said"
    " FROM fact WHERE kind = ?{} GROUP BY subject, key HAVING said IS NOT NULL"
)
_RUNNING: Final = "SELECT trace_id, version, running FROM trace WHERE notEmpty(running) AND is_gone = 0"
_PLACES: Final = "SELECT DISTINCT experiment, start_ms, trace_id FROM head WHERE trace_id IN ? AND is_gone = 0"
_ARRIVED: Final = (
    f"SELECT {ROW} FROM trace AS t WHERE t.is_gone = 0 AND t.arrived {{}} ? ORDER BY t.arrived {{}} LIMIT ?"  # noqa: S608 - as above
)
_EVER: Final = 2**62
_TRACES_AT_A_TIME: Final = 1_000
_CLOSE_S: Final = 1.0
# Of a page: of a larger one the traces lie close together, and what is decompressed for one serves the others.
_SCATTERED: Final = 1_000


def _is_brief(search: Search) -> bool:
    return search.limit <= _SCATTERED and can_be_brief(search)


class ClickHouseStore:
    """Traces in a ClickHouse; it is opened when it is first used, for it may be away."""

    batch_bytes = 32_000_000  # some 8,000 traces: while the engine takes in 5,000 of them, rows are made of the others

    def __init__(self, address: ClickHouseAddress, recent: Recent | None = None) -> None:
        self._address = address
        self._recent = Recent() if recent is None else recent
        self._words = KeptWords()
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._opened: Engine | None = None
        self._last_ns = 0

    def write(self, changes: Sequence[Change], source: SegmentRange | None = None) -> bool:
        """Apply a batch; False when its source was applied before. What is cut short is made whole by the next time."""
        engine = self._engine()
        if source is not None and self.position(source.segment) != source.start:
            return False
        write_changes(engine, changes, self._now_ns(len(changes)))
        self._note(*(_NO_SEGMENT, 0) if source is None else (source.segment, source.end))
        return True

    def position(self, segment: str) -> int:
        """Return up to which byte a segment has been applied; 0 for one that is not known."""
        rows = self._engine().select(Sql(_POSITION, (segment,)))
        return int(rows[0][0]) if rows else 0

    def segments(self) -> list[str]:
        """Return the names of the segments that have a position."""
        return [name for (name,) in self._engine().select(Sql(_SEGMENTS, (_NO_SEGMENT,)))]

    def forget_segment(self, segment: str) -> None:
        """Drop the position of a segment whose file is long gone."""
        self._note(segment, 0, is_gone=True)

    def running_owners(self) -> list[str]:
        """Return the processes that open spans of the store run in, as far as it knows."""
        engine = self._engine()
        return sorted({owner for row in latest(engine, engine.select(Sql(_RUNNING))) for owner in row[2]})

    def end_owner(self, owner: str) -> None:
        """End what runs in a process that is gone."""
        end_parts(self._engine(), owner, self._now_ns(0))
        self._note(_NO_SEGMENT, 0)

    def settle(self, before_ns: int) -> None:
        """Forget what was kept only for what might still arrive, of before a time, and erase what was deleted."""
        forget_before(self._engine(), before_ns)

    def reclaim(self, max_bytes: int) -> int:  # noqa: ARG002 - the contract's
        """Return 0: the engine gives space back when it merges."""
        return 0

    def make_durable(self) -> bool:
        """Return True: what the engine has acknowledged is where it keeps it."""
        return True

    def incarnation(self) -> int:
        """Return 0: what is put in the place of a database is told from it by nothing."""
        return 0

    def search(self, search: Search) -> Page[TraceInfo]:
        """Return one page of the traces that match."""
        found, next_cursor = Finder(self._engine(), search, self._recent, self._words).page()
        return Page([each.info for each in found], next_cursor)

    def search_whole(self, search: Search) -> Page[Trace]:
        """Return one page of the traces that match, with their spans."""
        engine = self._engine()
        found, next_cursor = Finder(engine, search, self._recent, self._words, is_brief=_is_brief(search)).page()
        whole = read_whole(engine, [each.row for each in found if each.trace is None], search.time_limit)
        traces = [each.trace or whole.get(each.trace_id) for each in found]
        return Page([trace for trace in traces if trace is not None], next_cursor)

    def explain(self, search: Search) -> Explanation:
        """Return how a page of the search comes about, and what left it empty if it is."""
        finder, begun = Finder(self._engine(), search, self._recent, self._words), time.perf_counter()
        found = len(finder.page()[0])
        what = "rows in the order of the search"
        if not finder.condition().is_exact:
            what += ", and ask the evaluator of each"
        step = Step(what, finder.rows_read, (time.perf_counter() - begun) * 1000)
        explanation = Explanation(None, (), (step,), found)
        return with_reason(explanation, search, lambda each: bool(self.search(each).traces))

    def read_traces(self, trace_ids: Sequence[str]) -> dict[str, Trace]:
        """Return the whole traces that exist, by id."""
        engine = self._engine()
        found: dict[str, Trace] = {}
        for at in range(0, len(trace_ids), _TRACES_AT_A_TIME):
            some = as_list(list(dict.fromkeys(trace_ids[at : at + _TRACES_AT_A_TIME])))
            places = [(place[0], place[1], place[2]) for place in engine.select(Sql(_PLACES, (some,)))]
            found.update(read_whole(engine, latest(engine, read_rows(engine, places))))
        return found

    def statistics(self, query: StatisticsQuery) -> Groups:
        """Return what the traces that match add up to, group by group."""
        return read_statistics(self._engine(), query, self._words)

    def sql(self, text: str, parameters: SqlParameters = (), limit: SearchLimit | None = None) -> Rows:  # noqa: ARG002 - the contract's
        """Raise `ArgumentError`: ClickHouse is asked itself."""
        raise ArgumentError(
            f"SQL over {self._address.shown()} is asked of ClickHouse itself, as a user who may only read:"
            " docs/clickhouse.md has the tables"
        )

    def experiments(self) -> list[Experiment]:
        """Return the experiments that have traces, by name."""
        engine = self._engine()
        ids = [number for (number,) in engine.select(Sql("SELECT DISTINCT experiment FROM trace FINAL"))]
        rows = engine.select(Sql(_NAMES, (as_list(ids),))) if ids else []
        return sorted((Experiment(str(number), name) for number, name in rows), key=lambda each: each.name)

    def facts(self, kind: str, subject: str | None = None) -> dict[str, dict[str, str]]:
        """Return what is known of the subjects of a kind, or of one of them: values by key, by subject."""
        which = Sql(_FACTS.format(""), (kind,))
        if subject is not None:
            which = Sql(_FACTS.format(" AND subject = ?"), (kind, subject))
        found: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for each, key, value in self._engine().select(which):
            found[each][key] = value
        return dict(found)

    def arrivals(self, after: int | None, limit: int) -> list[Arrival]:
        """Return the first traces behind a number, or without one the last of all, in the order of their arrival."""
        sign, direction = ("<", "DESC") if after is None else (">", "ASC")
        found: list[Arrival] = []
        place, engine = _EVER if after is None else after, self._engine()
        while len(found) < limit:
            rows = engine.select(Sql(_ARRIVED.format(sign, direction), (place, limit)))
            found += [Arrival(row[-1], to_info(row)) for row in latest(engine, rows)]
            if len(rows) < limit:
                break
            place = rows[-1][-1]
        return found[:limit][::-1] if after is None else found[:limit]

    def read_changes(self, after: str | None, limit: int) -> Changes:
        """Return what the store keeps as changes, of about so many traces or rows behind a cursor."""
        return read_changes(self._engine(), after, limit)

    def version(self) -> tuple[int, ...]:
        """Return numbers that differ whenever something was written since, by whomever."""
        return tuple(self._engine().select(Sql(_VERSION))[0])

    def close(self) -> None:
        """Release the connection; the store cannot be used any more.

        One that is just being opened, at a server that does not answer, is left alone: a program that ends may not
        wait for it.
        """
        if self._opening.acquire(timeout=_CLOSE_S):
            try:
                if self._opened is not None:
                    self._opened.close()
                    self._words.forget()
            finally:
                self._opening.release()

    def _engine(self) -> Engine:
        with self._opening:
            if self._opened is None:
                engine = Engine(self._address)
                make_tables(engine)
                self._opened = engine
            return self._opened

    def _note(self, segment: str, position: int, *, is_gone: bool = False) -> None:
        """Write the position of a segment, and with it that something was written."""
        self._engine().insert(SEGMENT.name, SEGMENT.kinds, [(segment, position, self._now_ns(1), int(is_gone))])

    def _now_ns(self, count: int) -> int:
        """Return a number of this moment, greater than all before it, and keep as many behind it free."""
        with self._lock:
            first = max(time.time_ns(), self._last_ns + 1)
            self._last_ns = first + count
            return first
