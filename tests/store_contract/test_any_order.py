"""Any order of any set of parts, edits, deletions and facts, each any number of times, gives the same store.

A state machine writes them in batches as they come to its mind, to memory, to SQLite, to SQLite with parts that were
made ready for it, and to ClickHouse where the engine is there (./dev chdb). The model is the set of what
was written: what a trace is follows from all of its parts and edits together, and from whether it was deleted, by the
definitions of `model.merge` and `model.edit`, and from nothing else.
"""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.clickhouse.opened import HAS_ENGINE, new_store
from tests.store_contract.made_ready import MadeReadyStore
from tests.traces import START_MS, part, span
from tracehound.model.assessment import Feedback
from tracehound.model.derive import TOKEN_USAGE
from tracehound.model.edit import (
    ASSESSMENT,
    DISCARD,
    METADATA,
    Change,
    Deletion,
    Edit,
    Facts,
    latest_edits,
    lay_over,
    without_discarded,
)
from tracehound.model.ids import experiment_id
from tracehound.model.merge import PROCESS_ENDED, merge_parts
from tracehound.model.record import replace, to_json_text, to_msgpack
from tracehound.model.span import SpanStatus, SpanStatusCode
from tracehound.model.stand_in import stand_in
from tracehound.model.trace import Trace, TracePart
from tracehound.model.weight import WEIGHT
from tracehound.query.check import parse_filter
from tracehound.query.evaluate import matches
from tracehound.query.expand import expand, linked_run_key
from tracehound.query.fields import NAME
from tracehound.query.periods import parse_period
from tracehound.query.search import parse_search
from tracehound.query.statistics import ALL, DISTINCT, StatisticsQuery
from tracehound.query.words import words_of
from tracehound.store.api import Store
from tracehound.store.memory import MemoryStore
from tracehound.store.sqlite.store import SqliteStore

# Few of everything, so that changes meet: the same tags in parts and edits, the same times, parents that come later.
TRACES = st.integers(1, 3)
KEYS = st.sampled_from(["env", "n", "mlflow.traceName", "日本"])
VALUES = st.sampled_from(["prod", "5", "", "a\0b", "x" * 300])
WEIGHTS = st.sampled_from(["10", "10", "3.3333333333333335", "1", "many"])
TIMES_NS = st.integers(1, 4).map(lambda second: (START_MS + 1000 * second) * 10**6)
OWNERS = ["A", "B"]


@st.composite
def parts(draw: st.DrawFn) -> TracePart:
    trace = draw(TRACES)
    spans = [
        replace(
            span(
                number,
                trace=trace,
                parent=draw(st.none() | st.integers(1, 3)),
                start_ms=draw(st.sampled_from([0, 1, 2, 3_600_000])),
                duration_ms=draw(st.none() | st.integers(0, 3)),
                name=draw(st.sampled_from(["a", "b"])),
                failed=draw(st.booleans()),
            ),
            attributes_json={"k": f'"of{trace} and {draw(st.sampled_from(["one", "two"]))}"'},
        )
        for number in draw(st.lists(st.integers(1, 3), min_size=1, max_size=3, unique=True))
    ]
    return part(
        *spans,
        experiment=draw(st.sampled_from(["Default", "shop"])),
        written_ns=draw(TIMES_NS),
        tags=draw(st.dictionaries(KEYS, VALUES, max_size=2)),
        metadata=draw(st.dictionaries(st.just(WEIGHT), WEIGHTS, max_size=1)),
        owner=draw(st.none() | st.sampled_from(OWNERS)),
    )


@st.composite
def announced(draw: st.DrawFn) -> TracePart:
    """Return what is told of a whole trace, whose spans come with other parts or never."""
    told = span(0, trace=draw(TRACES))
    start_ns = draw(TIMES_NS)
    end_ns = draw(st.none() | st.just(start_ns + 2_000_000))
    name, status = draw(st.sampled_from(["a", "b"])), draw(st.sampled_from(list(SpanStatusCode)))
    return part(
        stand_in(told.trace_id, name, start_ns, end_ns, SpanStatus(status)),
        experiment=draw(st.sampled_from(["Default", "shop"])),
        written_ns=draw(TIMES_NS),
        tags=draw(st.dictionaries(KEYS, VALUES, max_size=2)),
    )


TRACE_IDS = TRACES.map(lambda number: span(1, trace=number).trace_id)
RUNS = ["r-1", "r-2"]
METADATA_VALUES = [*RUNS, "true", "prod", '{"total_tokens":5}', '{"total_tokens":0.5}']
METADATA_KEYS = st.sampled_from(["env", TOKEN_USAGE, "mlflow.sourceRun", linked_run_key("r-1")])
FEEDBACK = st.builds(
    lambda value, time_ms: to_json_text(
        Feedback("f", value, create_time_ms=time_ms, last_update_time_ms=time_ms, assessment_id="a-1").to_dict()
    ),
    st.sampled_from([1, "good", {"a": [None]}]),
    st.integers(1, 3),
)
EDITS = st.one_of(
    st.builds(Edit, TRACE_IDS, KEYS, st.none() | VALUES, TIMES_NS),
    st.builds(
        Edit, TRACE_IDS, METADATA_KEYS, st.none() | st.sampled_from(METADATA_VALUES), TIMES_NS,
        st.just(METADATA),
    ),
    st.builds(
        Edit, TRACE_IDS, st.sampled_from(["a-1", "a-2"]), st.none() | FEEDBACK, TIMES_NS, st.just(ASSESSMENT)
    ),
    st.builds(Edit, TRACE_IDS, st.sampled_from(OWNERS), st.none(), TIMES_NS, st.just(DISCARD)),
    st.builds(Edit, TRACE_IDS, st.just(WEIGHT), st.none() | WEIGHTS, TIMES_NS, st.just(METADATA)),
)  # fmt: skip
FACTS = st.builds(
    Facts,
    st.sampled_from(["run", "model"]),
    st.sampled_from(RUNS),
    st.dictionaries(KEYS, st.none() | VALUES, max_size=2),
    TIMES_NS,
)
DELETIONS = st.builds(Deletion, TRACE_IDS, TIMES_NS)
ANY_CHANGES = st.lists(st.one_of(parts(), parts(), announced(), EDITS, EDITS, DELETIONS, FACTS), min_size=1, max_size=4)

FILTERS = [
    "span.status = 'ERROR'",
    "span(status != 'ERROR') AND NOT span.duration_ms IS NULL",
    "trace.text CONTAINS 'because'",
    "trace.text CONTAINS 'two' OR span.attributes.k LIKE '%f1 %'",
    "trace.text ILIKE '%PROCESS END%'",
    "count(span(duration_ms >= 0)) > 1",
    "tags.env = 'prod'",
    "tags.env = '5'",
    "tags.env = ''",
    "tags.n = '5'",
    "tags.n = 'a\0b'",
    "tags.`日本` = 'prod'",
    f"tags.`日本` = '{'x' * 300}'",
    "tags.env IS NULL",
    "tags.env != 'prod'",
    "tags.n > 4",
    "attributes.name = 'prod'",
    "attributes.name = 'a'",
    "tags.`mlflow.traceName` = 'prod'",
    "tags.`mlflow.traceName` LIKE '%'",
    "attributes.status = 'IN_PROGRESS'",
    "NOT (attributes.status = 'OK' OR tags.n = '5')",
    "metadata.env = 'prod'",
    "metadata.env IS NULL",
    "attributes.run_id = 'r-1'",
    "attributes.run_id != 'r-1'",
    "attributes.run_id = 'r-2' OR metadata.env != 'prod'",
]

IN_MEMORY = Path("/dev/shm")  # where there is one: hundreds of stores are made, and none has to last
SEARCHES = [(parse_search(["0", experiment_id("shop")], text), expand(parse_filter(text))) for text in FILTERS]


SUMS = ALL - DISTINCT.keys()
STATISTICS = [
    StatisticsQuery(dataclasses.replace(SEARCHES[0][0], where=None), (NAME,), wanted=SUMS, are_weighted=True),
    StatisticsQuery(dataclasses.replace(SEARCHES[0][0], where=None), (NAME,), parse_period("1h"), SUMS),
    StatisticsQuery(dataclasses.replace(SEARCHES[0][0], where=None), wanted=SUMS),
    StatisticsQuery(SEARCHES[0][0], (NAME,), wanted=SUMS),
]


def words_in(store: SqliteStore) -> set[bytes]:
    """Return the words that the index has: of what is deleted there may be none."""
    with store._file.reading() as connection:
        found = {word for (words,) in connection.execute("SELECT words FROM block") for word in words.split()}
        return {word for word in found if word.strip(b"\0")}


def copy_of(store: Store) -> MemoryStore:
    """Return what a store keeps, read page by page, in another one."""
    copy = MemoryStore()
    page = store.read_changes(None, 2)
    copy.write(page.changes)
    while page.next_cursor is not None:
        page = store.read_changes(page.next_cursor, 2)
        copy.write(page.changes)
    return copy


class AnyOrder(RuleBasedStateMachine):
    """Two stores, and everything that was written to them."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.exists() else None)
        folder = Path(self._folder.name)
        self._files: list[SqliteStore] = [SqliteStore(folder / "any.db"), MadeReadyStore(folder / "ready.db")]
        self._stores: list[Store] = [MemoryStore(), *self._files]
        self._lent = contextlib.ExitStack()
        if HAS_ENGINE:
            self._stores.append(self._lent.enter_context(new_store()))
        self._written: list[Change] = []
        self._parts: dict[bytes, TracePart] = {}  # under what they were when they were written
        self._edits: list[Edit] = []
        self._facts: list[Facts] = []
        self._deleted: set[str] = set()

    @initialize(changes=ANY_CHANGES)
    def begin(self, changes: list[Change]) -> None:
        self._write(changes)

    @rule(changes=ANY_CHANGES)
    def write(self, changes: list[Change]) -> None:
        self._write(changes)

    @rule(edits=st.lists(EDITS, min_size=1, max_size=3))
    def edit(self, edits: list[Edit]) -> None:
        self._write(edits)

    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        self._write(data.draw(st.lists(st.sampled_from(self._written), min_size=1, max_size=4)))

    @precondition(lambda self: any(each.owner is not None for each in self._parts.values()))
    @rule(owner=st.sampled_from(OWNERS))
    def end_owner(self, owner: str) -> None:
        for key, known in self._parts.items():
            if known.owner == owner:
                self._parts[key] = replace(known, has_ended=True)
        for store in self._stores:
            store.end_owner(owner)

    @invariant()
    def both_stores_hold_what_the_set_of_changes_says(self) -> None:
        expected = self._expected()
        wanted = sorted({change.trace_id for change in self._written if not isinstance(change, Facts)})
        for store in self._stores:
            assert store.read_traces(wanted) == expected
            assert [each.name for each in store.experiments()] == self._experiments(expected)
            for kind in ("run", "model"):
                assert store.facts(kind) == self._expected_facts(kind)
                assert store.facts(kind, "r-1") == {
                    subject: values for subject, values in self._expected_facts(kind).items() if subject == "r-1"
                }
            copy = copy_of(store)
            assert copy.read_traces(wanted) == expected
            assert copy.facts("run") == self._expected_facts("run")
            # The engine in the process takes ten times as long for each.
            for search, where in SEARCHES[len(self._written) % 9 :: 9] if store in self._stores[3:] else SEARCHES:
                found = {info.trace_id for info in store.search(search).traces}
                assert found == {key for key, trace in expected.items() if matches(where, trace)}, where
        memory = self._stores[0]
        for store in self._stores:
            assert store.running_owners() == memory.running_owners()
            for query in STATISTICS:
                assert store.statistics(query) == memory.statistics(query), query
        words = {
            word
            for each in self._parts.values()
            if each.trace_id in expected
            for word in (words_of(each.spans) or b"").split() + PROCESS_ENDED.description.encode().split()
        }
        assert all(words_in(store) <= words for store in self._files)

    def teardown(self) -> None:
        for store in self._stores:
            store.close()
        self._lent.close()
        self._folder.cleanup()

    def _write(self, changes: list[Change] | list[Edit]) -> None:
        for store in self._stores:
            assert store.write(changes)
        self._written += changes
        for change in changes:
            if isinstance(change, TracePart):
                self._parts.setdefault(to_msgpack(change), change)
            elif isinstance(change, Edit):
                self._edits.append(change)
            elif isinstance(change, Facts):
                self._facts.append(change)
            else:
                self._deleted.add(change.trace_id)

    def _expected(self) -> dict[str, Trace]:
        by_trace: dict[str, list[TracePart]] = {}
        for each in self._parts.values():
            if each.trace_id not in self._deleted:
                by_trace.setdefault(each.trace_id, []).append(each)
        left = {
            trace_id: without_discarded(of_trace, self._edits_of(trace_id)) for trace_id, of_trace in by_trace.items()
        }
        return {
            trace_id: lay_over(merge_parts(of_trace), latest_edits(self._edits_of(trace_id)))
            for trace_id, of_trace in left.items()
            if of_trace
        }

    def _expected_facts(self, kind: str) -> dict[str, dict[str, str]]:
        """Return what the latest facts say; of those of one time the greater text, and any text before none."""
        ranked = sorted(
            (facts.written_ns, value is not None, value or "", facts.subject, key)
            for facts in self._facts
            if facts.kind == kind
            for key, value in facts.values.items()
        )
        latest = {(subject, key): value if is_there else None for _, is_there, value, subject, key in ranked}
        found: dict[str, dict[str, str]] = {}
        for (subject, key), value in latest.items():
            if value is not None:
                found.setdefault(subject, {})[key] = value
        return found

    def _edits_of(self, trace_id: str) -> list[Edit]:
        return [edit for edit in self._edits if edit.trace_id == trace_id]

    @staticmethod
    def _experiments(expected: dict[str, Trace]) -> list[str]:
        ids = {trace.info.experiment_id for trace in expected.values()}
        return sorted("Default" if each == "0" else "shop" for each in ids)


TestAnyOrder = AnyOrder.TestCase
# A case here is worth several of other properties: each of its steps writes to two stores and compares them.
_CASES = max(8 if HAS_ENGINE else 20, settings().max_examples // 3)
TestAnyOrder.settings = settings(stateful_step_count=12, max_examples=_CASES)
