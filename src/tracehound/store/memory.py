"""The store in memory, and with it the definition of what a search means.

Every other store has to agree with this one. It is written to be read, not to be fast.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import operator
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

from tracehound.model.buckets import bucket_of
from tracehound.model.ids import experiment_id
from tracehound.model.merge import effective_parts, merge_parts
from tracehound.model.record import replace, to_msgpack
from tracehound.model.trace import Experiment, Trace, TraceInfo, TracePart
from tracehound.query.check import Checked
from tracehound.query.fields import Field, Group
from tracehound.query.numbers import number_in
from tracehound.query.patterns import make_matcher
from tracehound.query.search import KeyValue, OrderKey, Search
from tracehound.query.tree import NULLS, PATTERNS, And, Not, Operator, Or, Test
from tracehound.store.api import LatencyCount, Page, SegmentRange

_COMPARE: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
}


class MemoryStore:
    """Traces in a dictionary, gone with the process."""

    def __init__(self) -> None:
        # Reentrant: a finalizer or a signal handler may end a trace while its own thread writes; it writes afterwards.
        self._lock = threading.RLock()
        self._is_writing = False
        self._inside: list[TracePart] = []
        # The parts of each trace, under what they were when they arrived.
        self._parts: defaultdict[str, dict[bytes, TracePart]] = defaultdict(dict)
        self._traces: dict[str, Trace] = {}
        self._positions: dict[str, int] = {}
        self._experiments: set[str] = set()

    def write(self, parts: Sequence[TracePart], source: SegmentRange | None = None) -> bool:
        """Apply a batch, whole or not at all; False when its source was applied before."""
        with self._lock:
            if self._is_writing:
                self._inside += parts
                return True
            try:
                self._is_writing = True
                is_applied = self._write(parts, source)
            finally:
                self._is_writing = False
        while self._inside:
            with contextlib.suppress(IndexError):  # another thread was quicker
                self.write([self._inside.pop()])
        return is_applied

    def _write(self, parts: Sequence[TracePart], source: SegmentRange | None) -> bool:
        with self._lock:
            if source is not None and self._positions.get(source.segment, 0) != source.start:
                return False
            arrived: dict[str, dict[bytes, TracePart]] = {}
            for part in parts:
                known = arrived.setdefault(part.trace_id, dict(self._parts[part.trace_id]))
                known.setdefault(to_msgpack(part), part)
            merged = {trace_id: merge_parts(list(known.values())) for trace_id, known in arrived.items()}
            self._parts.update({trace_id: _without_overtaken(known) for trace_id, known in arrived.items()})
            self._traces.update(merged)
            self._experiments.update(part.experiment for part in parts)
            if source is not None:
                self._positions[source.segment] = source.end
            return True

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
            for trace_id, known in self._parts.items():
                running = [key for key, part in known.items() if part.owner == owner]
                known.update((key, replace(known[key], has_ended=True)) for key in running)
                if running:
                    self._traces[trace_id] = merge_parts(list(known.values()))

    def make_durable(self) -> bool:
        """Return True: a store in memory has no side files."""
        return True

    def incarnation(self) -> int:
        """Return 0: nothing can be put in the place of this store."""
        return 0

    def search(self, search: Search) -> Page:
        """Return one page of the traces that match."""
        with self._lock:
            matching = _matching(self._traces.values(), search)
        by_order = functools.cmp_to_key(functools.partial(_compare_by_order, search.order))
        ordered = sorted(
            ((order_values(info, search.order), info) for info in matching), key=lambda pair: by_order(pair[0])
        )
        if search.after is not None:
            behind = by_order(search.after)
            ordered = [pair for pair in ordered if by_order(pair[0]) > behind]
        page = ordered[: search.limit]
        has_more = len(ordered) > len(page) > 0
        return Page([copy.deepcopy(info) for _, info in page], search.cursor(page[-1][0]) if has_more else None)

    def read_traces(self, trace_ids: Sequence[str]) -> dict[str, Trace]:
        """Return the whole traces that exist, by id."""
        with self._lock:
            return {each: copy.deepcopy(self._traces[each]) for each in trace_ids if each in self._traces}

    def latency(self, search: Search) -> list[LatencyCount]:
        """Return how the durations of the traces that match are distributed, by name and state."""
        with self._lock:
            matching = _matching(self._traces.values(), search)
        groups = defaultdict(list)
        for info in matching:
            duration = info.execution_duration
            groups[info.name, info.state, None if duration is None else bucket_of(duration)].append(duration or 0)
        return [
            LatencyCount(name, state, bucket, len(durations), sum(durations), min(durations), max(durations))
            for (name, state, bucket), durations in groups.items()
        ]

    def experiments(self) -> list[Experiment]:
        """Return the experiments that have traces, by name."""
        with self._lock:
            return [Experiment(experiment_id(name), name) for name in sorted(self._experiments)]

    def close(self) -> None:
        """Do nothing: the traces stay readable as long as somebody holds the store."""


def _without_overtaken(parts: dict[bytes, TracePart]) -> dict[bytes, TracePart]:
    """Return the parts without the snapshots that say nothing more."""
    kept = {id(part) for part in effective_parts(list(parts.values()))}
    return {key: part for key, part in parts.items() if id(part) in kept}


def _matching(traces: Any, search: Search) -> list[TraceInfo]:
    """Return the traces of the search's experiments that its filter is true of."""
    wanted = set(search.experiment_ids)
    infos = [trace.info for trace in traces if trace.info.experiment_id in wanted]
    return [info for info in infos if search.where is None or matches(search.where, info)]


def matches(node: Checked, info: TraceInfo) -> bool:
    """Whether the filter is true of the trace."""
    if isinstance(node, And):
        return all(matches(child, info) for child in node.children)
    if isinstance(node, Or):
        return any(matches(child, info) for child in node.children)
    if isinstance(node, Not):
        return not matches(node.child, info)
    return _passes(node, info)


def _passes(test: Test, info: TraceInfo) -> bool:
    """Whether one comparison is true; it is false of what is absent, `!=` and NOT LIKE too, but not IS NULL.

    A text compares with a number as the number that it writes, and is absent to it where it writes none.
    """
    found = value_of(test.field, info)
    if test.operator in NULLS:
        return (found is None) == (test.operator is Operator.IS_NULL)
    if test.operator in PATTERNS:
        return isinstance(found, str) and make_matcher(test.operator, str(test.value))(found)
    if isinstance(found, str) and not isinstance(test.value, str):
        return _holds(test.operator, number_in(found), float(test.value or 0))
    return _holds(test.operator, found, test.value)


def _holds(comparison: Operator, found: Any, wanted: Any) -> bool:
    return found is not None and _COMPARE[comparison](found, wanted)


def value_of(field: Field, info: TraceInfo) -> KeyValue:
    """Return a trace's value of a field; None where it has none."""
    if field.group is Group.TAGS:
        return info.tags.get(field.name)
    if field.group is Group.METADATA:
        return info.trace_metadata.get(field.name)
    return _ATTRIBUTES[field.name](info)


_ATTRIBUTES: Final[dict[str, Callable[[TraceInfo], KeyValue]]] = {
    "status": lambda info: info.state.value,
    "name": lambda info: info.name,
    "timestamp_ms": lambda info: info.request_time,
    "execution_time_ms": lambda info: info.execution_duration,
    "end_time_ms": lambda info: (
        None if info.execution_duration is None else info.request_time + info.execution_duration
    ),
    "trace_id": lambda info: info.trace_id,
    "client_request_id": lambda info: info.client_request_id,
}


def order_values(info: TraceInfo, order: Sequence[OrderKey]) -> tuple[KeyValue, ...]:
    """Return a trace's values of the order's keys: its place in the result."""
    return tuple(value_of(key.field, info) for key in order)


def _compare_by_order(order: Sequence[OrderKey], left: Sequence[Any], right: Sequence[Any]) -> int:
    """Return -1, 0 or 1: which place comes first. What is absent comes last in either direction."""
    for key, one, other in zip(order, left, right, strict=True):
        if one == other:
            continue
        if one is None or other is None:
            return 1 if one is None else -1
        return -1 if (one < other) != key.descending else 1
    return 0
