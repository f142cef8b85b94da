"""A store as somebody may see it: as if there were only the traces of his experiments, and nobody else's.

Every route reaches the store through this, whoever asks, so what may be read and written is decided here and nowhere
else. What cannot be narrowed is refused: SQL, plans and sizes are of all experiments.

A trace belongs to one experiment, and a part that comes later could move it to another one. So whoever is limited may
add to a trace that is there only where it is in an experiment of his. What he may not see is not there: to read it,
to edit it, to delete it gives what an id that nobody has would give.
"""

from __future__ import annotations

import dataclasses
import re
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tracehound.errors import NotFoundError
from tracehound.model.edit import DISCARD, OF_THE_PLACE, Change, Deletion, Edit, Facts
from tracehound.model.ids import experiment_id
from tracehound.model.logged_model import MODEL, MODEL_VERSION, REGISTERED_MODEL
from tracehound.model.run import RUN
from tracehound.model.saved_search import SAVED_SEARCH
from tracehound.model.trace import Experiment, Trace, TraceInfo, TracePart
from tracehound.query.limit import SearchLimit
from tracehound.query.search import Search
from tracehound.query.statistics import Groups, StatisticsQuery
from tracehound.server.guard import audit
from tracehound.server.guard.rights import DeniedError, OtherExperimentError, Right, Rights
from tracehound.settings import DEFAULT_EXPERIMENT
from tracehound.store.api import Arrival, Changes, Page, Prepared, Rows, SegmentRange, SqlParameters, Store, Writable
from tracehound.store.experiments import KIND as EXPERIMENT
from tracehound.store.explain import Explanation

_OF_AN_EXPERIMENT: Final = frozenset({RUN, MODEL})
# What it takes to say something of each kind, and of an experiment; all that is not here is for those who administer.
_RIGHTS: Final = {
    EXPERIMENT: Right.INGEST,
    RUN: Right.INGEST,
    MODEL: Right.INGEST,
    REGISTERED_MODEL: Right.WRITE,
    MODEL_VERSION: Right.WRITE,
    SAVED_SEARCH: Right.WRITE,
}
_USUAL: Final = re.compile(r"(name|creation_time)\Z|tag\.")
_LOOKED_AT: Final = 1_000  # arrivals at a time


class NarrowedStore:
    """A store seen through rights; what it is made of stays its owner's to close."""

    def __init__(self, store: Store, rights: Rights) -> None:
        self._store = store
        self._rights = rights
        self._ids = rights.experiment_ids
        self._lock = threading.Lock()
        # Between these numbers nothing has arrived that is to be seen. Those of the newest traces may be given again,
        # when these are deleted.
        self._barren = (0, 0)

    def write(self, changes: Sequence[Change], source: SegmentRange | None = None) -> bool:
        """Apply a batch, whole or not at all; raise `DeniedError` or `NotFoundError` where one of them may not be."""
        self.check(changes)
        return self._store.write(self.with_entry(changes), source)

    def check(self, changes: Sequence[Writable]) -> None:
        """Raise `DeniedError` where one of the changes may not be made, `NotFoundError` for what is not to be seen."""
        prepared = [each for each in changes if isinstance(each, Prepared)]
        others = [each for each in changes if not isinstance(each, Prepared)]
        brought = {each.trace_id for each in others if isinstance(each, TracePart)}
        brought.update(*(each.trace_ids for each in prepared))
        for each in others:
            if isinstance(each, Facts) and each.kind in OF_THE_PLACE:
                raise DeniedError(
                    f"what is known of a {each.kind} is not told to a server: it is made where the store is"
                )
            self._rights.need(_right_for(each, brought))
        if prepared:
            self._rights.need(Right.INGEST)
        if self._ids is not None:
            self._check_experiments([name for each in prepared for name in each.experiments])
            self._check_traces([each for each in others if not isinstance(each, Facts)], brought)
            self._check_facts([each for each in others if isinstance(each, Facts)])

    def refused(self, changes: Sequence[Change]) -> list[int]:
        """Return which changes may not be made, by their places: each looked at beside the parts of its trace."""
        by_subject: dict[str, list[int]] = {}
        for number, each in enumerate(changes):
            subject = f"{each.kind}/{each.subject}" if isinstance(each, Facts) else each.trace_id
            by_subject.setdefault(subject, []).append(number)
        found: list[int] = []
        for numbers in by_subject.values():
            if self._may([changes[number] for number in numbers]):
                continue
            parts = [number for number in numbers if isinstance(changes[number], TracePart)]
            beside = [changes[number] for number in parts if self._may([changes[number]])]
            found += [number for number in numbers if not self._may([*beside, changes[number]])]
        return sorted(found)

    def _may(self, changes: Sequence[Change]) -> bool:
        try:
            self.check(changes)
        except (DeniedError, NotFoundError):
            return False
        return True

    def with_entry(self, changes: Sequence[Change]) -> Sequence[Change]:
        """Return the changes, and with them what the audit log says of the deletions among them."""
        deleted = [each.trace_id for each in changes if isinstance(each, Deletion)]
        if not deleted:
            return changes
        return [*changes, audit.entry(time.time_ns(), self._rights.who, audit.DELETED, deleted)]

    def _check_traces(self, changes: Sequence[TracePart | Edit | Deletion], brought: set[str]) -> None:
        """Raise unless all of these are about traces of the experiments that are to be seen."""
        self._check_experiments([each.experiment for each in changes if isinstance(each, TracePart)])
        touched = dict.fromkeys([*brought, *(each.trace_id for each in changes if not _is_discard(each))])
        known = self._store.read_traces(list(touched))
        for trace_id in touched:
            if trace_id in known and not self._rights.include(known[trace_id].info.experiment_id):
                raise _hidden(trace_id, is_brought=trace_id in brought)
            if trace_id not in known and trace_id not in brought:
                raise _hidden(trace_id)

    def _check_experiments(self, names: Sequence[str]) -> None:
        """Raise unless traces may be sent to all of these experiments."""
        for name in names:
            if not self._rights.include(experiment_id(name)):
                raise OtherExperimentError(f"{self._rights.who} may not send traces to the experiment {name!r}")

    def _check_facts(self, changes: Sequence[Facts]) -> None:
        """Raise unless all of these are about experiments that are to be seen, or about what belongs to one of them."""
        said: dict[tuple[str, str], str] = {}
        for each in changes:
            if each.kind == EXPERIMENT:
                self._check_experiment(each.subject)
                continue
            if each.kind not in _OF_AN_EXPERIMENT:
                self._rights.need_all_experiments(f"a {each.kind.replace('_', ' ')} is")
            place = (each.kind, each.subject)
            if place not in said:
                known = self._store.facts(*place).get(each.subject)
                said[place] = _experiment_of(known or each.values)
                self._check_experiment(said[place])
            if "experiment" in each.values:
                self._check_experiment(_experiment_of(each.values))

    def _check_experiment(self, number: str) -> None:
        if not self._rights.include(number):
            raise DeniedError(f"{self._rights.who} may not change that experiment, nor what belongs to it")

    def search(self, search: Search) -> Page[TraceInfo]:
        """Return one page of the traces that match."""
        narrowed = self._narrowed(search)
        return Page([], None) if narrowed is None else self._store.search(narrowed)

    def search_whole(self, search: Search) -> Page[Trace]:
        """Return one page of the traces that match, with their spans."""
        narrowed = self._narrowed(search)
        return Page([], None) if narrowed is None else self._store.search_whole(narrowed)

    def explain(self, search: Search) -> Explanation:
        """Return how a page of the search comes about: the sizes of the index are those of all experiments."""
        self._rights.need_all_experiments("a plan is made with numbers")
        return self._store.explain(search)

    def read_traces(self, trace_ids: Sequence[str]) -> dict[str, Trace]:
        """Return the whole traces that exist, by id."""
        found = self._store.read_traces(trace_ids)
        if self._ids is None:
            return found
        return {key: each for key, each in found.items() if each.info.experiment_id in self._ids}

    def statistics(self, query: StatisticsQuery) -> Groups:
        """Return what the traces that match add up to, group by group."""
        narrowed = self._narrowed(query.search)
        return {} if narrowed is None else self._store.statistics(dataclasses.replace(query, search=narrowed))

    def sql(self, text: str, parameters: SqlParameters = (), limit: SearchLimit | None = None) -> Rows:
        """Return what one SELECT over the documented views selects, which are of all experiments."""
        self._rights.need_all_experiments("SQL reads the traces")
        return self._store.sql(text, parameters, limit)

    def experiments(self) -> list[Experiment]:
        """Return the experiments that have traces, by name."""
        return [each for each in self._store.experiments() if self._rights.include(each.experiment_id)]

    def facts(self, kind: str, subject: str | None = None) -> dict[str, dict[str, str]]:
        """Return what is known of the subjects of a kind, or of one of them: values by key, by subject."""
        if kind in OF_THE_PLACE:
            return {}
        if self._ids is None:
            return self._store.facts(kind, subject)
        if kind == EXPERIMENT:
            return {key: said for key, said in self._store.facts(kind, subject).items() if key in self._ids}
        if kind not in _OF_AN_EXPERIMENT:
            return {}
        found = self._store.facts(kind, subject)
        return {key: said for key, said in found.items() if _experiment_of(said) in self._ids}

    def arrivals(self, after: int | None, limit: int) -> list[Arrival]:
        """Return the first traces behind a number, or without one the last of all, in the order of their arrival."""
        if self._ids is None or limit < 1:
            return self._store.arrivals(after, limit)
        return self._last_arrivals(limit) if after is None else self._arrivals_behind(after, limit)

    def _arrivals_behind(self, after: int, limit: int) -> list[Arrival]:
        with self._lock:
            begin, end = self._barren
        at = end if begin <= after <= end else after
        found: list[Arrival] = []
        while len(found) < limit and (arrivals := self._store.arrivals(at, _LOOKED_AT)):
            seen = self._seen(arrivals)
            at = arrivals[-1].number
            found += seen
            if not found:
                with self._lock:
                    self._barren = (after, max(after, at - _LOOKED_AT))
        return found[:limit]

    def _last_arrivals(self, limit: int) -> list[Arrival]:
        """Return the last arrivals that are to be seen: as many are looked at as it takes, twice as many each time."""
        count = max(limit, _LOOKED_AT)
        while True:
            arrivals = self._store.arrivals(None, count)
            found = self._seen(arrivals)
            if len(found) >= limit or len(arrivals) < count:
                return found[-limit:]
            count *= 2

    def _seen(self, arrivals: Iterable[Arrival]) -> list[Arrival]:
        return [each for each in arrivals if self._rights.include(each.info.experiment_id)]

    def _narrowed(self, search: Search) -> Search | None:
        """Return the search among what is to be seen; None where that is none of its experiments."""
        if self._ids is None:
            return search
        left = tuple(each for each in search.experiment_ids if each in self._ids)
        return dataclasses.replace(search, experiment_ids=left) if left else None

    def position(self, segment: str) -> int:
        """Return up to which byte a segment has been applied; whoever knows its folder's id may know that."""
        return self._store.position(segment)

    def segments(self) -> list[str]:
        """Return the names of the segments that have a position."""
        return self._store.segments()

    def forget_segment(self, segment: str) -> None:
        """Drop the position of a segment whose file is long gone."""
        self._rights.need(Right.INGEST)
        self._store.forget_segment(segment)

    def running_owners(self) -> list[str]:
        """Return the processes that open spans of the store run in, as far as it knows."""
        return self._store.running_owners()

    def end_owner(self, owner: str) -> None:
        """End what runs in a process that is gone."""
        self._rights.need(Right.INGEST)
        self._store.end_owner(owner)

    def settle(self, before_ns: int) -> None:
        """Forget what was kept only for what might still arrive, of before a time: nothing does any more."""
        self._rights.need(Right.ADMIN)
        self._store.settle(before_ns)

    def reclaim(self, max_bytes: int) -> int:
        """Give at most so much free space back to the file system; return how many bytes, 0 when there are no more."""
        self._rights.need(Right.ADMIN)
        return self._store.reclaim(max_bytes)

    def make_durable(self) -> bool:
        """Bring all that was written where it outlives the loss of any side file; False if not all of it could be."""
        return self._store.make_durable()

    def incarnation(self) -> int:
        """Look whether the store is still the one that was opened; return a number that changes when it was not."""
        return self._store.incarnation()

    def read_changes(self, after: str | None, limit: int) -> Changes:
        """Return what the store keeps as changes, without what is of this place alone."""
        self._rights.need(Right.ADMIN)
        self._rights.need_all_experiments("a copy has the traces")
        found = self._store.read_changes(after, limit)
        kept = [each for each in found.changes if not (isinstance(each, Facts) and each.kind in OF_THE_PLACE)]
        return dataclasses.replace(found, changes=kept)

    def version(self) -> tuple[int, ...]:
        """Return numbers that differ whenever anything may have been written since, in whichever experiment."""
        return self._store.version()

    def close(self) -> None:
        """Do nothing: the store is its owner's to close."""


def _right_for(change: Change, brought: set[str]) -> Right:
    """Return what it takes to make a change. What comes with a part of its trace is said by whoever sends the trace."""
    if isinstance(change, Deletion):
        return Right.ADMIN
    if isinstance(change, Facts):
        is_usual = change.kind != EXPERIMENT or all(map(_USUAL.match, change.values))
        return _RIGHTS.get(change.kind, Right.ADMIN) if is_usual else Right.ADMIN
    if isinstance(change, Edit) and not (_is_discard(change) or change.trace_id in brought):
        return Right.WRITE
    return Right.INGEST


def _is_discard(change: Change) -> bool:
    """Whether it takes back what one process has shown: its key has the id of a spool, which only its owner knows."""
    return isinstance(change, Edit) and change.kind == DISCARD


def _experiment_of(facts: Mapping[str, str | None]) -> str:
    """Return the id of the experiment that a run or a model belongs to."""
    return experiment_id(facts.get("experiment") or DEFAULT_EXPERIMENT)


def _hidden(trace_id: str, *, is_brought: bool = False) -> OtherExperimentError | NotFoundError:
    """Return the error for a trace of another experiment; only who sends spans of it is told that it is there."""
    if is_brought:
        return OtherExperimentError(f"the trace {trace_id} is in another experiment already")
    return NotFoundError(f"there is no trace {trace_id}")
