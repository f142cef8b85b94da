"""The contract of a store, in words. `tests/store_contract` checks it on every store.

Writing
    `write` takes parts of traces, edits, deletions and facts, in any number and any order, and MUST give the same
    store for every order of any set of them, each any number of times: parts of one trace are merged by the rules of
    `model.merge`, edits are laid over what the parts say by those of `model.edit`, and a deletion takes away all that
    is of its trace. A batch is applied whole or not at all, together with the position it was read up to
    (`SegmentRange`); when the store's position of that segment is not the range's start, somebody else has applied
    it, nothing is written, and `write` returns False. When it returns True the batch is as safe as the store makes
    anything, and the next search of anyone sees it.

    A store that is elsewhere MAY take batches as they lie in a segment (`FrameStore.write_frames`), so that whoever
    sends them need not decode them; it MUST make of them what `write` would have been given. A store MAY say how many
    bytes of a segment it likes best as one batch (`BulkStore`).

Preparing
    Much of what a store works out of a part follows from that part alone. A store MAY have it worked out before, by
    whoever has the time for it, in another process too: a `PreparingStore` names a function for that, `preparer`, which
    MUST be pure: it looks at nothing but the parts that it is given, and changes nothing. What it returns, `Prepared`,
    is written beside changes by `write_prepared` of any store of that kind, and MUST give the store that `write` would
    make of the parts: in every order, each any number of times, and where a part comes prepared and as it is. What does
    not follow from a part alone, for its trace has other parts, edits or a tombstone, the store works out anew. The
    function MAY raise for a part that `write` would refuse. What is prepared is of one version of the program, and MUST
    NOT be kept.
    Such a batch is seen by searches when `write_prepared` has returned. It is as safe as the store makes anything when
    `sync` has, given the `incarnation` that `write_prepared` returned: so the next one can be written while the disk
    still has to do with this one.

Edits
    An edit of a trace that has not arrived MUST wait for it. Searches, statistics and results MUST show what was
    edited as if a part had said it, and what it has replaced nowhere. Of the edits of one thing a store MAY keep the
    latest alone.

    An edit of the kind DISCARD says that a process has not kept a trace that it had shown while it ran. The snapshots
    of that process are no parts of the trace then, whenever they come; where nothing else is known of it there is no
    trace, and the edit waits as any other.

Facts
    A fact says something of an experiment, a run or a model, which a store knows nothing else of. Of those of one key
    the latest counts, by the rules of `model.edit`; a store MAY keep the latest alone. `facts` returns them.

Copies
    `read_changes` returns what the store keeps, some at a time, as changes that make an equal store of one that is
    empty, written in any order: the parts that count, the edits, also those that wait, the tombstones, and the facts,
    also those that say that something is not so any more. What is there from the first page to the last MUST be on one
    of them; what is written meanwhile MAY be missing. A cursor stays good when the store is closed and opened again. A
    part whose process has ended says so (`has_ended`), and `write` MUST make of it what `end_owner` would have made of
    that part, whether it was there before or not.
    A process is called `folder/process` by whoever is not of its spool folder; whoever copies a process of a folder of
    his own says whose it is. Nobody ends a process of another folder.

Deletions
    A deletion takes away the rows, the index, the parts and the edits of its trace, and MUST leave nothing of its
    values where the store looks for traces; experiments are those that have traces still. It leaves a tombstone:
    parts and edits of that trace that come later change nothing, the end of a trace that ran when it was deleted
    among them. `settle` says that nothing written before a time is on its way any more: then the store MAY forget
    older tombstones, and older edits that wait for a trace still. Whoever brings traces in from elsewhere (OTLP,
    copies of stores) may bring a deleted one back after that.
    `reclaim` gives space that deletions have freed back to the file system, in steps that keep no writer waiting
    for long; a store that has none to give returns 0.

Traces that run
    A part with an `owner` is a snapshot: its open spans run in that process, and the trace is IN_PROGRESS. `end_owner`
    says that the process is gone: what the store knows to run in it has ended with an error (`model.merge`). It
    changes nothing about what arrives later, so that a process that was only taken for dead heals its traces.
    Snapshots that have been overtaken (`effective_parts`) MAY be forgotten.

Searching
    `search` answers by the meaning that `store.memory` gives the checked tree; a store that cannot answer exactly MUST
    raise, never loosen. The order is total (`query.search`). Pages MUST NOT repeat or skip a trace that did not
    change between them. No read holds a transaction, a lock or a cursor of the engine after it returned.
    An experiment that does not exist has no traces.
    `explain` runs the search and tells how; for an answer without traces it names the first condition, in the order of
    the filter, that is true of no trace, else the first that is true of none of those that the conditions before it
    left (`store.explain`).

Reading
    `read_traces` returns the traces that exist, by id, in any order; ids that do not exist are left out. A store MAY
    hand over spans as it keeps them (`model.stored_spans`): they MUST stay readable when the store has changed
    or is closed, and say the same as if they had been decoded at once.
    `statistics` adds up the traces that match, group by group (`model.summary`), as far as it is wanted: counts and
    sums are exact, sums of doubles up to the order of their addition. Only groups with traces are there; what is not
    wanted MAY be left out.
    `sql` runs one SELECT over the views `traces`, `spans`, `assessments`, `tags` and `metadata` (`docs/sql.md`) in the
    engine's own dialect. It MUST NOT be able to change, attach or load anything, nor to read anything but these.
    `version` tells cheaply whether there is anything new: it MUST differ after any change of what is stored, by
    whomever, that the next search would see. It MAY differ without one, and says nothing about what changed.
    `search_whole` is `search` with whole traces, each as it is at the moment of the search.

Being replaced
    What lies under a store may be put back to an earlier state, or away: a file is removed, a copy takes its place. A
    store that can tell MUST go on with what is there now, and MUST NOT return True from `write` for what went
    elsewhere. `incarnation` changes then: positions that were read before do not count any more.

All methods may be called from any thread. Results belong to the caller. `StoreError` is raised when the store cannot
be read or written, and says which file and what to do; `StoreBusyError` when another process keeps `write` from
beginning for a second or so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar, runtime_checkable

from tracehound.model.edit import Change
from tracehound.model.record import Record
from tracehound.model.trace import Experiment, Trace, TraceInfo

if TYPE_CHECKING:  # a program that only traces does not load the language
    from tracehound.query.limit import SearchLimit
    from tracehound.query.search import Search
    from tracehound.query.statistics import Groups, StatisticsQuery
    from tracehound.store.explain import Explanation


@dataclass(frozen=True)
class SegmentRange:
    """The bytes of a spool segment that a batch was read from."""

    segment: str
    start: int
    end: int


SqlParameters: TypeAlias = "Sequence[Any] | Mapping[str, Any]"

Found = TypeVar("Found", TraceInfo, Trace)


@dataclass(frozen=True)
class Page(Generic[Found]):
    """Some traces of a search, and the cursor behind them where there are more."""

    traces: list[Found]
    next_cursor: str | None


@dataclass(frozen=True)
class Rows:
    """What a statement of SQL has selected: the names of the columns, and the rows."""

    columns: tuple[str, ...]
    rows: list[tuple[str | int | float | bytes | None, ...]]


@dataclass(frozen=True)
class Arrival:
    """A trace, and its place in the order in which the store first heard of its traces: a number from 1 up."""

    number: int
    info: TraceInfo


@dataclass(frozen=True)
class Changes:
    """Some of what a store keeps, the cursor behind it where there is more, and traces of which it cannot be read.

    `damaged` has their ids, or another name of what is lost, and `reasons` may say of each what it lacks.
    """

    changes: list[Change]
    next_cursor: str | None
    damaged: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)


class Prepared(Record, frozen=True, array_like=True, gc=False):
    """Parts that were made ready for a store, of which only it can read the `data`.

    `trace_ids` has the trace of each of the parts, `experiments` has the names of those that they are of.
    """

    trace_ids: list[str]
    experiments: list[str]
    data: bytes


Writable: TypeAlias = Change | Prepared


class Searched(Protocol):
    """A place whose traces are searched and read, as the text says under these words: a store, or no more than that."""

    def search(self, search: Search) -> Page[TraceInfo]:
        """Return one page of the traces that match."""
        ...

    def search_whole(self, search: Search) -> Page[Trace]:
        """Return one page of the traces that match, with their spans."""
        ...

    def read_traces(self, trace_ids: Sequence[str]) -> dict[str, Trace]:
        """Return the whole traces that exist, by id."""
        ...

    def experiments(self) -> list[Experiment]:
        """Return the experiments that have traces, by name."""
        ...

    def facts(self, kind: str, subject: str | None = None) -> dict[str, dict[str, str]]:
        """Return what is known of the subjects of a kind, or of one of them: values by key, by subject."""
        ...

    def close(self) -> None:
        """Release files and connections; the store cannot be used any more."""
        ...


class Store(Searched, Protocol):
    """A place where traces are kept and searched; the module's text says what each method must do."""

    def write(self, changes: Sequence[Change], source: SegmentRange | None = None) -> bool:
        """Apply a batch, whole or not at all; False when its source was applied before."""
        ...

    def position(self, segment: str) -> int:
        """Return up to which byte a segment has been applied; 0 for one that is not known."""
        ...

    def segments(self) -> list[str]:
        """Return the names of the segments that have a position."""
        ...

    def forget_segment(self, segment: str) -> None:
        """Drop the position of a segment whose file is long gone."""
        ...

    def running_owners(self) -> list[str]:
        """Return the processes that open spans of the store run in, as far as it knows."""
        ...

    def end_owner(self, owner: str) -> None:
        """End what runs in a process that is gone."""
        ...

    def settle(self, before_ns: int) -> None:
        """Forget what was kept only for what might still arrive, of before a time: nothing does any more."""
        ...

    def reclaim(self, max_bytes: int) -> int:
        """Give at most so much free space back to the file system; return how many bytes, 0 when there are no more."""
        ...

    def make_durable(self) -> bool:
        """Bring all that was written where it outlives the loss of any side file; False if not all of it could be."""
        ...

    def incarnation(self) -> int:
        """Look whether the store is still the one that was opened; return a number that changes when it was not."""
        ...

    def explain(self, search: Search) -> Explanation:
        """Return how a page of the search comes about, and what left it empty if it is."""
        ...

    def statistics(self, query: StatisticsQuery) -> Groups:
        """Return what the traces that match add up to, group by group."""
        ...

    def sql(self, text: str, parameters: SqlParameters = (), limit: SearchLimit | None = None) -> Rows:
        """Return what one SELECT over the documented views selects; raise `ArgumentError` for anything else."""
        ...

    def arrivals(self, after: int | None, limit: int) -> list[Arrival]:
        """Return the first traces behind a number, or without one the last of all, in the order of their arrival."""
        ...

    def read_changes(self, after: str | None, limit: int) -> Changes:
        """Return what the store keeps as changes, of about so many traces or rows behind a cursor; fewer of large ones.

        Raise `ArgumentError` for a cursor of another store.
        """
        ...

    def version(self) -> tuple[int, ...]:
        """Return numbers that differ whenever anything may have been written since."""
        ...


@runtime_checkable
class FrameStore(Store, Protocol):
    """A store that is elsewhere, and reads frames itself."""

    def write_frames(self, frames: bytes, origin: Mapping[str, str], source: SegmentRange) -> bool:
        """Apply whole frames of a segment, and the origin of its parts; False when their source was applied before.

        Raise `ArgumentError` where one of them cannot be read or stored.
        """
        ...


@runtime_checkable
class PreparingStore(Store, Protocol):
    """A store that need not work out all of a batch by itself."""

    @property
    def preparer(self) -> str:
        """What makes parts ready, a function of some parts that returns `Prepared`: its module, a colon, its name."""
        ...

    def write_prepared(self, changes: Sequence[Writable]) -> int:
        """Apply a batch of changes, and of parts that were prepared, whole or not at all; return what `sync` wants."""
        ...

    def sync(self, incarnation: int) -> None:
        """Return when all that was written is safe; raise `StoreBusyError` where the store is not that one any more."""
        ...


@runtime_checkable
class BulkStore(Store, Protocol):
    """A store that takes large batches in less time than many small ones."""

    batch_bytes: int
    """How many bytes of a segment suit it best."""
