"""Values of a tag that pass a pattern are looked up in the index of pairs; what it does not know is found as well."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address, statements_of
from tests.traces import part, span
from tracehound.errors import StoreError
from tracehound.query.clickhouse import LONGEST_PAIR, search_sql
from tracehound.query.fields import Field, Group
from tracehound.query.limit import SearchLimit
from tracehound.query.search import parse_search
from tracehound.query.sql import Sql
from tracehound.query.tree import Operator, Test
from tracehound.store.clickhouse import vocabulary
from tracehound.store.clickhouse.engine import Rows, bind
from tracehound.store.clickhouse.finding import Finder
from tracehound.store.clickhouse.store import ClickHouseStore
from tracehound.store.clickhouse.vocabulary import look_up, values_with

pytestmark = pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")

TEAMS = ("blue", "BLUE", "dark blue", "Bläu", "green", "")
LONG = "blue" * LONGEST_PAIR


@pytest.fixture
def store() -> Iterator[ClickHouseStore]:
    with new_address() as address, contextlib.closing(ClickHouseStore(address)) as opened:
        opened.write([part(span(1, trace), tags={"team": team}) for trace, team in enumerate(TEAMS)])
        opened.write([part(span(1, 90), tags={"teams": "blue"}), part(span(1, 91), metadata={"team": "bluest"})])
        yield opened


def like(operator: Operator, pattern: str, key: str = "team") -> Test:
    return Test(Field(Group.TAGS, key), operator, pattern)


PATTERNS = {
    (Operator.LIKE, "blue"): {"blue"},
    (Operator.LIKE, "%blue"): {"blue", "dark blue"},
    (Operator.ILIKE, "bl%"): {"blue", "BLUE", "Bläu"},
    (Operator.RLIKE, "^.{4}$"): {"blue", "BLUE", "Bläu"},
    (Operator.CONTAINS, "lä"): {"Bläu"},
    (Operator.LIKE, "%"): set(TEAMS),
    (Operator.LIKE, "red"): set(),
}


@pytest.mark.parametrize(("operator", "pattern"), PATTERNS)
def test_the_values_that_pass_are_found(store: ClickHouseStore, operator: Operator, pattern: str) -> None:
    values = values_with(store._engine(), like(operator, pattern))
    assert values is not None
    assert set(values) == PATTERNS[operator, pattern]


def test_of_too_many_values_none_are_told(store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "MOST_VALUES", 2)
    assert values_with(store._engine(), like(Operator.LIKE, "%blue")) == ["blue", "dark blue"]
    assert values_with(store._engine(), like(Operator.LIKE, "%")) is None


def test_of_a_value_that_the_index_has_a_part_of_nothing_is_told_and_it_is_found(store: ClickHouseStore) -> None:
    store.write([part(span(1, 50), tags={"team": f"{LONG} sky"})])
    assert values_with(store._engine(), like(Operator.LIKE, "%sky")) is None
    assert found(store, "tags.team LIKE '%sky'") == [50]


def test_what_the_metadata_has_that_is_kept_apart_is_found(store: ClickHouseStore) -> None:
    key = "mlflow.traceInputs"
    assert values_with(store._engine(), Test(Field(Group.METADATA, key), Operator.LIKE, "%why%")) is None
    assert len(found(store, f"metadata.`{key}` LIKE '%why%'")) == len(TEAMS) + 2


def test_a_page_asks_for_the_traces_with_a_value_that_passes(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = statements_of(store._engine(), monkeypatch)
    assert found(store, "tags.team LIKE '%blue'") == [0, 2]
    assert ["LIKE" in text for text in asked if "hasAny(t.pairs, ?)" in text] == [False]


def test_while_the_index_is_made_of_what_was_there_before_that_is_found(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = store._engine()
    engine.run("INSERT INTO migration SELECT 1, toDateTime(1)")  # long before the others
    engine.run("ALTER TABLE trace DROP INDEX pairs_index SETTINGS mutations_sync = 2")
    engine.run("SYSTEM STOP MERGES trace")
    try:
        engine.run("ALTER TABLE trace ADD INDEX pairs_index pairs TYPE text(tokenizer = 'array')")
        engine.run("ALTER TABLE trace MATERIALIZE INDEX pairs_index SETTINGS mutations_sync = 0")
        assert found(store, "tags.team LIKE '%blue'") == [0, 2]
    finally:
        engine.run("SYSTEM START MERGES trace")
        engine.run("ALTER TABLE trace MATERIALIZE INDEX pairs_index SETTINGS mutations_sync = 2")
    try:
        blue = like(Operator.LIKE, "%blue")
        assert look_up(engine, [blue]) == {blue: ["blue", "dark blue"]}
        monkeypatch.setattr(engine, "select", refusing(engine.select, "system.mutations"))
        assert look_up(engine, [blue]) == {blue: None}
        assert found(store, "tags.team LIKE '%blue'") == [0, 2]
    finally:
        engine.run("TRUNCATE TABLE migration")
        engine.run("INSERT INTO migration (number) SELECT number + 1 FROM numbers(7)")


@pytest.mark.parametrize("text", ["NOT tags.team LIKE 'b%'", "NOT (tags.team LIKE 'b%' OR tags.team = 'x')"])
def test_what_comes_with_a_new_value_while_a_search_runs_does_not_pass_as_one_without_it(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    engine = store._engine()
    select = engine.select

    def and_then_comes_another(sql: Sql, limit: SearchLimit | None = None) -> Rows:
        rows = select(sql, limit)
        if "pairs_index" in sql.text:
            monkeypatch.setattr(engine, "select", select)
            store.write([part(span(1, 60), tags={"team": "brand new"})])
        return rows

    monkeypatch.setattr(engine, "select", and_then_comes_another)
    assert 60 not in found(store, text)


def test_patterns_of_which_one_has_to_pass_are_not_looked_up(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = statements_of(store._engine(), monkeypatch)
    assert found(store, "tags.team LIKE '%blue' OR tags.team LIKE 'gr%'") == [0, 2, 4]
    assert not [text for text in asked if "pairs_index" in text]


def test_of_many_patterns_some_are_looked_up(store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = statements_of(store._engine(), monkeypatch)
    assert found(store, " AND ".join(f"tags.team LIKE '%b{'%' * each}lue'" for each in range(1, 31))) == [0, 2]
    assert 0 < len([text for text in asked if "pairs_index" in text]) < 10


@pytest.mark.parametrize(("operator", "numbers"), [("IN", [0]), ("NOT IN", [1, 2, 3, 4, 5])])
def test_a_list_is_no_parameter_that_is_longer_than_a_server_takes(
    store: ClickHouseStore, operator: str, numbers: list[int]
) -> None:
    listed = ", ".join(f"'{each:0170}'" for each in range(900))
    text = f"tags.team {operator} ('blue', {listed})"
    assert longest_parameter(store, text) < 100_000
    assert found(store, text) == numbers


def test_pairs_that_all_have_to_be_there_are_no_parameter_that_is_too_long(store: ClickHouseStore) -> None:
    text = " AND ".join(f"tags.team{each} = '{each:0170}'" for each in range(900))
    assert longest_parameter(store, text) < 100_000
    assert found(store, text) == []


def longest_parameter(store: ClickHouseStore, text: str) -> int:
    search = parse_search(["0"], text)
    sql = search_sql(search, Finder(store._engine(), search).condition(), 101)
    return max(len(str(value)) for value in bind(sql)[1].values())


def refusing(select: Callable[..., Rows], name: str) -> Callable[..., Rows]:
    """Return what asks the engine, as a user who may not read a table."""

    def asked(sql: Sql, limit: SearchLimit | None = None) -> Rows:
        if name in sql.text:
            raise StoreError(f"does not let this user read {name}")
        return select(sql, limit)

    return asked


def found(store: ClickHouseStore, text: str) -> list[int]:
    infos = store.search(parse_search(["0"], text)).traces
    return sorted(int(info.trace_id.removeprefix("tr-"), 16) for info in infos)
