"""The store in memory: the definition of what a store does, with searches by their definition (`query.evaluate`).

Every other store has to agree with this one. It is written to be read, not to be fast.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import itertools
import tempfile
import threading
import time
from collections import ChainMap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tracehound.model.edit import Change, Deletion, Edit, Facts, TraceChange, latest_edits, lay_over, without_discarded
from tracehound.model.ids import experiment_id
from tracehound.model.merge import as_written, effective_parts, merge_parts
from tracehound.model.record import replace, to_msgpack
from tracehound.model.trace import Experiment, Trace, TraceInfo, TracePart
from tracehound.query.evaluate import compare_places, matches, order_values
from tracehound.query.limit import SearchLimit
from tracehound.query.search import Search
from tracehound.query.statistics import Groups, StatisticsQuery
from tracehound.store.adding import add_up
from tracehound.store.api import Arrival, Changes, Page, Rows, SegmentRange, SqlParameters
from tracehound.store.explain import Explanation, Step, with_reason
from tracehound.store.places import Key, Stage, cursor_behind, read_cursor


class MemoryStore:
    """Traces in a dictionary, gone with the process."""

    def __init__(self) -> None:
        # Reentrant: a finalizer or a signal handler may end a trace while its own thread writes; it writes afterwards.
        self._lock = threading.RLock()
        self._is_writing = False
        self._inside: list[Change] = []
        # The parts of each trace, under what they were when they arrived.
        self._parts: dict[str, dict[bytes, TracePart]] = {}
        self._edits: dict[str, list[Edit]] = {}  # also those that wait for their trace
        self._deleted_ns: dict[str, int] = {}
        self._traces: dict[str, Trace] = {}
        self._positions: dict[str, int] = {}
        self._experiments: dict[str, str] = {}  # names by id
        # What is known of a subject of a kind: when it was said, and what.
        self._facts: dict[tuple[str, str, str], tuple[int, str | None]] = {}
        self._numbers: dict[str, int] = {}  # of the traces, in the order of their arrival
        self._counter = itertools.count(1)
        self._version = 0  # how often something was written

    def write(self, changes: Sequence[Change], source: SegmentRange | None = None) -> bool:
        """Apply a batch, whole or not at all; False when its source was applied before."""
        with self._lock:
            if self._is_writing:
                self._inside += changes
                return True
            try:
                self._is_writing = True
                is_applied = self._write(changes, source)
            finally:
                self._is_writing = False
        while self._inside:
            with contextlib.suppress(IndexError):  # another thread was quicker
                self.write([self._inside.pop()])
        return is_applied

    def _write(self, changes: Sequence[Change], source: SegmentRange | None) -> bool:
        with self._lock:
            if source is not None and self._positions.get(source.segment, 0) != source.start:
                return False
            self._version += 1
            self._write_traces([change for change in changes if not isinstance(change, Facts)])
            for change in changes:
                if isinstance(change, Facts):
                    self._learn(change)
            if source is not None:
                self._positions[source.segment] = source.end
            return True

    def _write_traces(self, changes: Sequence[TraceChange]) -> None:
        deletions = [change for change in changes if isinstance(change, Deletion)]
        deleted = ChainMap({each.trace_id: each.written_ns for each in deletions}, self._deleted_ns)
        parts: dict[str, dict[bytes, TracePart]] = {}
        edits: dict[str, list[Edit]] = {}
        for change in changes:
            trace_id = change.trace_id
            if trace_id in deleted:
                continue
            if isinstance(change, TracePart):
                known = parts.setdefault(trace_id, dict(self._parts.get(trace_id, {})))
                key = to_msgpack(as_written(change))
                if key not in known or change.has_ended:
                    known[key] = change
            elif isinstance(change, Edit):
                edits[trace_id] = latest_edits([*edits.get(trace_id, self._edits.get(trace_id, [])), change])
        all_edits = ChainMap(edits, self._edits)
        parts = {trace_id: self._parts[trace_id] for trace_id in edits.keys() & self._parts.keys()} | parts
        parts = {trace_id: _kept(known, all_edits.get(trace_id, [])) for trace_id, known in parts.items()}
        merged = {
            trace_id: lay_over(merge_parts(list(known.values())), all_edits.get(trace_id, []))
            for trace_id, known in parts.items()
            if known
        }
        # What could fail is done.
        self._edits.update(edits)
        self._traces.update(merged)
        for trace_id, known in parts.items():
            if known:
                self._parts[trace_id] = known
                self._numbers.setdefault(trace_id, next(self._counter))
            else:
                self._forget(trace_id)
        names = {part.experiment for known in parts.values() for part in known.values()}
        self._experiments.update({experiment_id(name): name for name in names})
        for deletion in deletions:
            self._delete(deletion)

    def _learn(self, facts: Facts) -> None:
        """Let facts take the place of older ones; of those of one time the greater text counts."""
        for key, value in facts.values.items():
            place = (facts.kind, facts.subject, key)
            new = (facts.written_ns, value)
            if place not in self._facts or _by_time(new) > _by_time(self._facts[place]):
                self._facts[place] = new

    def _delete(self, deletion: Deletion) -> None:
        """Take away all that is of a trace, and remember that it is deleted."""
        trace_id = deletion.trace_id
        self._deleted_ns[trace_id] = max(deletion.written_ns, self._deleted_ns.get(trace_id, 0))
        self._edits.pop(trace_id, None)
        self._forget(trace_id)

    def _forget(self, trace_id: str) -> None:
        """Take away a trace, but not what was said of it."""
        for kept in (self._parts, self._traces, self._numbers):
            kept.pop(trace_id, None)

    def settle(self, before_ns: int) -> None:
        """Forget what was kept only for what might still arrive, of before a time: nothing does any more."""
        with self._lock:
            self._deleted_ns = {key: time_ns for key, time_ns in self._deleted_ns.items() if time_ns >= before_ns}
            for trace_id in self._edits.keys() - self._parts.keys():
                self._edits[trace_id] = [edit for edit in self._edits[trace_id] if edit.written_ns >= before_ns]

    def reclaim(self, max_bytes: int) -> int:  # noqa: ARG002 - the contract's
        """Return 0: memory is given back by itself."""
        return 0

    def position(self, segment: str) -> int:
        """Return up to which byte a segment has been applied; 0 for one that is not known."""
        with self._lock:
            return self._positions.get(segment, 0)

    def segments(self) -> list[str]:
        """Return the names of the segments that have a position."""
        with self._lock:
            return list(self._positions)

    def forget_segment(self, segment: str) -> None:
        """Drop the position of a segment whose file is long gone."""
        with self._lock:
            self._positions.pop(segment, None)

    def running_owners(self) -> list[str]:
        """Return the processes that open spans of the store run in, as far as it knows."""
        with self._lock:
            parts = [part for known in self._parts.values() for part in known.values()]
        return sorted({part.owner for part in parts if part.owner is not None and not part.has_ended})

    def end_owner(self, owner: str) -> None:
        """End what runs in a process that is gone."""
        with self._lock:
            self._version += 1
            for trace_id, known in self._parts.items():
                running = [key for key, part in known.items() if part.owner == owner]
                known.update((key, replace(known[key], has_ended=True)) for key in running)
                if running:
                    merged = merge_parts(list(known.values()))
                    self._traces[trace_id] = lay_over(merged, self._edits.get(trace_id, []))

    def make_durable(self) -> bool:
        """Return True: a store in memory has no side files."""
        return True

    def incarnation(self) -> int:
        """Return 0: nothing can be put in the place of this store."""
        return 0

    def search(self, search: Search) -> Page[TraceInfo]:
        """Return one page of the traces that match."""
        infos, next_cursor = self._find(search)
        return Page([copy.deepcopy(info) for info in infos], next_cursor)

    def search_whole(self, search: Search) -> Page[Trace]:
        """Return one page of the traces that match, with their spans."""
        with self._lock:
            infos, next_cursor = self._find(search)
            return Page([copy.deepcopy(self._traces[info.trace_id]) for info in infos], next_cursor)

    def _find(self, search: Search) -> tuple[list[TraceInfo], str | None]:
        with self._lock:
            matching = _matching(self._traces.values(), search)
        by_order = functools.cmp_to_key(functools.partial(compare_places, search.order))
        ordered = sorted(
            ((order_values(info, search.order), info) for info in matching), key=lambda pair: by_order(pair[0])
        )
        if search.after is not None:
            behind = by_order(search.after)
            ordered = [pair for pair in ordered if by_order(pair[0]) > behind]
        page = ordered[: search.limit]
        has_more = len(ordered) > len(page) > 0
        return [info for _, info in page], search.cursor(page[-1][0]) if has_more else None

    def explain(self, search: Search) -> Explanation:
        """Return how a page of the search comes about, and what left it empty if it is."""
        begun = time.perf_counter()
        found = len(self.search(search).traces)
        step = Step("evaluate the filter on every trace", len(self._traces), (time.perf_counter() - begun) * 1000)
        return with_reason(Explanation(None, (), (step,), found), search, lambda each: bool(self.search(each).traces))

    def read_traces(self, trace_ids: Sequence[str]) -> dict[str, Trace]:
        """Return the whole traces that exist, by id."""
        with self._lock:
            return {each: copy.deepcopy(self._traces[each]) for each in trace_ids if each in self._traces}

    def statistics(self, query: StatisticsQuery) -> Groups:
        """Return what the traces that match add up to, group by group."""
        with self._lock:
            matching = _matching(self._traces.values(), query.search)
        return add_up(matching, query)

    def sql(self, text: str, parameters: SqlParameters = (), limit: SearchLimit | None = None) -> Rows:
        """Return what one SELECT over the documented views selects: of a copy, in a file that is gone afterwards."""
        from tracehound.store.sqlite.store import SqliteStore

        with self._lock:
            parts: list[Change] = [part for known in self._parts.values() for part in known.values()]
            edits = [edit for known in self._edits.values() for edit in known]
        with tempfile.TemporaryDirectory() as folder:
            copy = SqliteStore(Path(folder, "memory.db"))
            try:
                copy.write([*parts, *edits])
                return copy.sql(text, parameters, limit)
            finally:
                copy.close()

    def experiments(self) -> list[Experiment]:
        """Return the experiments that have traces, by name."""
        with self._lock:
            ids = {trace.info.experiment_id for trace in self._traces.values()}
        return sorted((Experiment(each, self._experiments[each]) for each in ids), key=lambda each: each.name)

    def facts(self, kind: str, subject: str | None = None) -> dict[str, dict[str, str]]:
        """Return what is known of the subjects of a kind, or of one of them: values by key, by subject."""
        found: dict[str, dict[str, str]] = {}
        with self._lock:
            for (its_kind, each, key), (_, value) in self._facts.items():
                if its_kind == kind and subject in (None, each) and value is not None:
                    found.setdefault(each, {})[key] = value
        return found

    def arrivals(self, after: int | None, limit: int) -> list[Arrival]:
        """Return the first traces behind a number, or without one the last of all, in the order of their arrival."""
        with self._lock:
            found = [(number, self._traces[each].info) for each, number in self._numbers.items()]
            found.sort(key=lambda pair: pair[0])
        behind = found[-limit:] if after is None else [pair for pair in found if pair[0] > after][:limit]
        return [Arrival(number, copy.deepcopy(info)) for number, info in behind]

    def read_changes(self, after: str | None, limit: int) -> Changes:
        """Return what the store keeps as changes, of about so many traces or rows behind a cursor."""
        stage, behind = read_cursor(after)
        with self._lock:
            kept = sorted(self._kept(stage).items(), key=lambda pair: pair[0])
        found = [(key, changes) for key, changes in kept if key > behind]
        page = found[:limit]
        cursor = cursor_behind(stage, [key for key, _ in page], has_more=len(found) > len(page))
        return Changes([copy.deepcopy(change) for _, changes in page for change in changes], cursor)

    def _kept(self, stage: Stage) -> dict[Key, list[Change]]:
        """Return the changes of a stage by their keys."""
        if stage is Stage.TRACES:
            return {
                (number,): [*self._parts[each].values(), *self._edits.get(each, [])]
                for each, number in self._numbers.items()
            }
        if stage is Stage.WAITING_EDITS:
            waiting = [edit for each, known in self._edits.items() if each not in self._numbers for edit in known]
            return {(edit.trace_id, edit.kind, edit.key): [edit] for edit in waiting}
        if stage is Stage.TOMBSTONES:
            return {(each,): [Deletion(each, deleted_ns)] for each, deleted_ns in self._deleted_ns.items()}
        return {
            (kind, subject, key): [Facts(kind, subject, {key: value}, written_ns)]
            for (kind, subject, key), (written_ns, value) in self._facts.items()
        }

    def version(self) -> tuple[int, ...]:
        """Return a number that differs whenever something was written since."""
        return (self._version,)

    def close(self) -> None:
        """Do nothing: the traces stay readable as long as somebody holds the store."""


_CHECK_EVERY: Final = 100  # traces: whether there is time left


def _kept(parts: dict[bytes, TracePart], edits: Sequence[Edit]) -> dict[bytes, TracePart]:
    """Return the parts without the snapshots that say nothing more, or of what was not kept."""
    kept = {id(part) for part in effective_parts(without_discarded(list(parts.values()), edits))}
    return {key: part for key, part in parts.items() if id(part) in kept}


def _by_time(fact: tuple[int, str | None]) -> tuple[int, bool, str]:
    written_ns, value = fact
    return written_ns, value is not None, value or ""


def _matching(traces: Any, search: Search) -> list[TraceInfo]:
    """Return the traces of the search's experiments that its filter is true of."""
    wanted = set(search.experiment_ids)
    limit = search.time_limit or SearchLimit()
    found: list[TraceInfo] = []
    with limit.running():
        for looked_at, trace in enumerate(traces):
            if trace.info.experiment_id in wanted and (search.where is None or matches(search.where, trace)):
                found.append(trace.info)
            if looked_at % _CHECK_EVERY == 0:
                limit.check(f"it has looked at {looked_at:,} traces")
    return found
