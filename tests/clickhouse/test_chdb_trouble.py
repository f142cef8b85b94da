"""What goes wrong with a ClickHouse that is elsewhere: one clear error each, and nothing of what was traced is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

import tracehound
from tests.clickhouse.opened import HAS_ENGINE, new_address
from tests.traces import part, span
from tracehound.errors import (
    ArgumentError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    TracehoundError,
)
from tracehound.model.edit import Change, Edit, Facts
from tracehound.query.search import parse_search
from tracehound.store.api import SegmentRange
from tracehound.store.clickhouse.address import ClickHouseAddress, parse_address
from tracehound.store.memory import MemoryStore

if HAS_ENGINE:
    from tests.clickhouse.bridge import Bridge, Fault, bridge
    from tracehound.store.clickhouse.store import ClickHouseStore

pytestmark = pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")

ID = span(1).trace_id
CHANGES: list[Change] = [
    part(span(1), written_ns=1, tags={"env": "it's 5\t% \\ \n?"}),
    part(span(2, parent=1, start_ms=-5), written_ns=2),
    Edit(ID, "team", "a", 3),
    Facts("run", "r-1", {"name": "a"}, 4),
]
SOURCE = SegmentRange("1-a.seg", 0, 100)


@pytest.fixture(scope="module")
def server() -> Iterator[Bridge]:
    with bridge() as served:
        yield served


@pytest.fixture
def database(server: Bridge) -> Iterator[ClickHouseAddress]:
    with new_address() as address:
        yield address
    server.fault = server.version = None


@pytest.fixture
def elsewhere(server: Bridge, database: ClickHouseAddress) -> Iterator[ClickHouseStore]:
    with contextlib.closing(ClickHouseStore(parse_address(server.uri(database)))) as store:
        yield store


def test_a_store_elsewhere_is_one_like_others(elsewhere: ClickHouseStore) -> None:
    memory = MemoryStore()
    for store in (memory, elsewhere):
        assert store.write(CHANGES, SOURCE)
        assert not store.write(CHANGES, SOURCE)
    assert elsewhere.read_traces([ID]) == memory.read_traces([ID])
    search = parse_search(["0"], "tags.env = 'it''s 5\t% \\ \n?' AND trace.text ILIKE '%BECAUS%'")
    assert elsewhere.search_whole(search) == memory.search_whole(search)
    many = ", ".join(f"'{number}'" for number in range(9_000))
    assert elsewhere.search(parse_search(["0"], f"tags.team IN ('a', {many})")).traces == [
        memory.read_traces([ID])[ID].info
    ]


@pytest.mark.parametrize("table", ["fact", "experiment", "part", "said", "trace", "segment"])
@pytest.mark.parametrize("is_done", [False, True], ids=["not done", "done"])
def test_a_batch_that_is_cut_is_whole_when_it_is_written_again(
    elsewhere: ClickHouseStore, server: Bridge, table: str, is_done: bool
) -> None:
    memory = MemoryStore()
    memory.write(CHANGES, SOURCE)
    elsewhere.position("")  # the tables are there
    server.fault = Fault(into(table), is_done=is_done)
    with pytest.raises(StoreBusyError, match=r"clickhouse://default@127\.0\.0\.1:\d+/test\d+ does not answer"):
        elsewhere.write(CHANGES, SOURCE)
    server.fault = None
    was_position_written = table == "segment" and is_done
    assert elsewhere.write(CHANGES, SOURCE) != was_position_written
    assert elsewhere.read_traces([ID]) == memory.read_traces([ID])
    assert elsewhere.facts("run") == memory.facts("run")
    assert [info.trace_id for info in elsewhere.search(parse_search(["0"])).traces] == [ID]
    assert elsewhere.position(SOURCE.segment) == SOURCE.end


@pytest.mark.parametrize(
    ("code", "message", "kind", "told"),
    [
        (164, "Cannot execute query in readonly mode", StoreReadOnlyError, "is read-only for this user or replica"),
        (242, "Table is in readonly mode (TABLE_IS_READ_ONLY)", StoreReadOnlyError, "has a replica that is read-only"),
        (243, "Cannot reserve 1.00 MiB, not enough space", StoreFullError, "has no room left on its disk"),
        (74, "Cannot write to file: No space left on device, errno: 28", StoreFullError, "has no room left"),
        (497, "ann: Not enough privileges", StoreError, "does not let this user do that: GRANT SELECT, INSERT"),
        (516, "ann: Authentication failed", StoreError, "does not know this user"),
        (252, "Too many parts", StoreBusyError, "has not merged what was written before"),
        (
            164,
            "Cannot modify 'max_query_size' setting in readonly mode",
            StoreError,
            "change the settings that are needed",
        ),
        (49, "Logical error", StoreError, r"did not do what it was asked \(its error 49"),
    ],
)
def test_each_refusal_is_one_clear_error_without_sql(
    elsewhere: ClickHouseStore, server: Bridge, code: int, message: str, kind: type[TracehoundError], told: str
) -> None:
    elsewhere.position("")
    server.fault = Fault(into("part"), code, message)
    with pytest.raises(kind, match=told) as raised:
        elsewhere.write(CHANGES, SOURCE)
    assert type(raised.value) is kind
    assert "SELECT secret" not in str(raised.value)
    assert elsewhere.position(SOURCE.segment) == 0


def test_a_server_that_is_too_old_is_named_before_it_is_asked_what_it_does_not_know(
    elsewhere: ClickHouseStore, server: Bridge
) -> None:
    server.version = "25.8.2.1"
    with pytest.raises(StoreError, match=r"runs ClickHouse 25\.8\.2\.1; 26\.3 is the oldest"):
        elsewhere.version()
    server.version = None
    assert elsewhere.version()


def test_sql_is_asked_of_clickhouse_itself(elsewhere: ClickHouseStore) -> None:
    with pytest.raises(ArgumentError, match="is asked of ClickHouse itself, as a user who may only read"):
        elsewhere.sql("SELECT 1")


def test_what_was_traced_waits_in_the_spool_until_the_server_takes_it(
    server: Bridge, database: ClickHouseAddress, caplog: pytest.LogCaptureFixture
) -> None:
    tracehound.set_tracking_uri(server.uri(database))
    server.fault = Fault(into("part"), 243, "Cannot reserve 1.00 MiB")
    with tracehound.start_span("kept"):
        pass
    assert tracehound.search_traces(return_type="list", flush=True) == []
    assert "has no room left on its disk" in caplog.text
    assert "what was finished last may be missing here" in caplog.text
    server.fault = None
    assert [trace.info.name for trace in tracehound.search_traces(return_type="list", flush=True)] == ["kept"]


def into(table: str) -> str:
    """Return the expression for what inserts into a table."""
    return rf"INSERT INTO [`\w.]*\b{table}\b"
