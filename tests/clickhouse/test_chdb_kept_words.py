"""Words of parts are kept in memory, and whatever becomes of parts meanwhile, what is there is found."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.clickhouse.bridge import bridge
from tests.clickhouse.opened import HAS_ENGINE, new_address, statements_of
from tests.traces import part, span
from tracehound.errors import SearchCancelledError, SearchTimeoutError, StoreBusyError, StoreError
from tracehound.model.edit import Deletion
from tracehound.model.record import replace
from tracehound.query.clickhouse import as_list
from tracehound.query.limit import SearchLimit
from tracehound.query.search import parse_search
from tracehound.query.sql import Sql
from tracehound.query.words import Piece
from tracehound.store.clickhouse import kept_words
from tracehound.store.clickhouse.address import parse_address
from tracehound.store.clickhouse.engine import Engine, Rows
from tracehound.store.clickhouse.kept_words import KeptWords, Part
from tracehound.store.clickhouse.schema import TABLES, make_tables
from tracehound.store.clickhouse.store import ClickHouseStore
from tracehound.store.clickhouse.vocabulary import words_with

pytestmark = pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")

LISTS, READS, ASKS = "mergeTreeIndex", "arrayStringConcat", "SELECT DISTINCT token"
PARCEL = Piece(b"parcel", open_left=True, open_right=True)


@pytest.fixture
def store() -> Iterator[ClickHouseStore]:
    with new_address() as address, contextlib.closing(ClickHouseStore(address)) as opened:
        yield opened


@pytest.fixture
def engine(store: ClickHouseStore) -> Iterator[Engine]:
    """The connection of the store; what it merges it is told to."""
    engine = store._engine()
    engine.run("SYSTEM STOP MERGES trace")
    yield engine
    engine.run("SYSTEM START MERGES trace")


def write(store: ClickHouseStore, *texts: str, first: int = 1) -> None:
    """Write traces that say these in their inputs, all in one part of the table."""
    numbered = enumerate(texts, first)
    store.write([part(replace(span(1, number), inputs_json=f'"{text}"')) for number, text in numbered])


def merge(engine: Engine) -> None:
    engine.run("SYSTEM START MERGES trace")
    engine.run("OPTIMIZE TABLE trace FINAL")
    engine.run("SYSTEM STOP MERGES trace")


def parcels(engine: Engine, kept: KeptWords) -> set[str]:
    """Return the words that have "parcel" in them, of those in the index now."""
    return set(words_with(engine, [PARCEL], kept=kept)[PARCEL] or ()) & set(words_with(engine, [PARCEL])[PARCEL] or ())


def names(engine: Engine) -> set[str]:
    """Return the names of the parts of the table that have words."""
    index = f"mergeTreeTextIndex('{engine.address.database}', 'trace', 'words_index')"
    rows = engine.select(Sql(f"SELECT DISTINCT part_name FROM {index}"))
    return {str(name) for (name,) in rows}


def between(engine: Engine, monkeypatch: pytest.MonkeyPatch, before: str, happens: Callable[[], object]) -> None:
    """Let something happen, once, in front of a statement."""
    is_done = False

    def waiting(select: Callable[..., Rows]) -> Callable[..., Rows]:
        def asked(sql: Sql, limit: SearchLimit | None = None) -> Rows:
            nonlocal is_done
            if before in sql.text and not is_done:
                is_done = True
                happens()
            return select(sql, limit)

        return asked

    for name in ("select", "select_bytes"):
        monkeypatch.setattr(engine, name, waiting(getattr(engine, name)))


def test_words_of_a_part_are_read_once_and_the_engine_is_asked_for_those_of_no_part(
    store: ClickHouseStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, "parcels", "late")
    kept = KeptWords()
    asked = statements_of(engine, monkeypatch)
    for _ in range(3):
        assert words_with(engine, [PARCEL], kept=kept) == {PARCEL: ["parcels"]}
    assert len([text for text in asked if READS in text]) == 1
    assert all("part_name NOT IN ?" in text for text in asked if ASKS in text)
    names_kept = as_list(list(kept.parts(engine)))
    assert engine.select(Sql("SELECT count() FROM trace WHERE _part NOT IN ?", (names_kept,))) == [(0,)]


def test_what_is_written_is_found_by_the_next_search(store: ClickHouseStore, engine: Engine) -> None:
    kept = KeptWords()
    for number in range(1, 5):
        write(store, f"parcel{number}", first=number)
        assert parcels(engine, kept) == {f"parcel{each}" for each in range(1, number + 1)}
        assert set(kept.parts(engine)) == names(engine)


def test_words_of_parts_that_are_gone_are_let_go_of(store: ClickHouseStore, engine: Engine) -> None:
    write(store, "parcel1")
    write(store, "parcel2", first=2)
    kept = KeptWords()
    assert len(kept.parts(engine)) == 2
    merge(engine)
    assert parcels(engine, kept) == {"parcel1", "parcel2"}
    assert set(kept.parts(engine)) == names(engine)
    assert len(kept._parts) == 1
    engine.run("TRUNCATE TABLE trace")
    assert words_with(engine, [PARCEL], kept=kept) == {PARCEL: []}
    assert not kept._parts


@pytest.mark.parametrize("statement", [READS, ASKS])
def test_what_is_merged_between_two_statements_is_found(
    store: ClickHouseStore, engine: Engine, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    write(store, "parcel1")
    write(store, "parcel2", first=2)
    kept = KeptWords(rows_at_once=1)
    between(engine, monkeypatch, statement, lambda: merge(engine))
    assert parcels(engine, kept) == {"parcel1", "parcel2"}
    assert parcels(engine, kept) == {"parcel1", "parcel2"}
    assert set(kept.parts(engine)) == names(engine)


@pytest.mark.parametrize("statement", [READS, ASKS])
def test_what_is_written_between_two_statements_is_found(
    store: ClickHouseStore, engine: Engine, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    write(store, "parcel1")
    kept = KeptWords()
    between(engine, monkeypatch, statement, lambda: write(store, "parcel2", first=2))
    assert parcels(engine, kept) == {"parcel1", "parcel2"}


def test_what_is_erased_is_not_found_and_all_else_is(store: ClickHouseStore) -> None:
    write(store, "parcel1", "parcel2", "late")
    write(store, "parcel3", first=4)
    assert found(store, "parcel") == [1, 2, 4]
    store.write([Deletion(span(1, 2).trace_id, 9)])
    assert found(store, "parcel") == [1, 4]
    store.settle(2**62)
    assert found(store, "parcel") == [1, 4]
    assert set(store._words.parts(store._engine())) == names(store._engine())


def test_a_part_without_words_is_not_read_again_and_again(
    store: ClickHouseStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, "parcel1")
    store.write([Deletion(span(1).trace_id, 9)])
    kept = KeptWords()
    asked = statements_of(engine, monkeypatch)
    for _ in range(4):
        kept.parts(engine)
    assert len([text for text in asked if READS in text]) == 1
    assert set(kept.parts(engine)) == names(engine)
    assert len(kept._parts) == len(names(engine)) + 1


def test_a_table_that_was_made_anew_has_parts_of_the_same_names_with_other_words(
    store: ClickHouseStore, engine: Engine
) -> None:
    kept = KeptWords()
    write(store, "parcel1")
    before = names(engine)
    for number in range(2, 5):
        assert parcels(engine, kept) == {f"parcel{number - 1}"}
        engine.run("DROP TABLE trace SYNC")
        make_tables(engine)
        write(store, f"parcel{number}", first=number)
        assert number == 2 or names(engine) == before
        before = names(engine)
    assert parcels(engine, kept) == {"parcel4"}


def test_words_of_which_the_engine_told_nothing_once_are_asked_for(
    store: ClickHouseStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, "parcel1")
    monkeypatch.setattr(engine, "select_bytes", lambda *_: [])  # as of a replica that has not got the part yet
    kept = KeptWords()
    for _ in range(3):
        assert parcels(engine, kept) == {"parcel1"}


@pytest.mark.parametrize("texts", [("hello", "parcel2"), ("", "parcel2 parcel3")])
def test_the_same_traces_in_a_table_that_was_made_anew_say_something_else(
    store: ClickHouseStore, engine: Engine, texts: tuple[str, str]
) -> None:
    kept = KeptWords()
    remake(engine)
    write(store, "hello", "parcel1")
    assert kept.parts(engine).keys() == names(engine)
    before = names(engine)
    remake(engine)
    write(store, *texts)
    assert names(engine) == before
    assert parcels(engine, kept) == set(texts[1].split())


def test_when_a_server_was_started_again_all_words_are_read_again(store: ClickHouseStore, engine: Engine) -> None:
    write(store, "parcel1")
    kept = KeptWords()
    before = kept.parts(engine)
    assert kept.parts(engine) == before == kept._parts
    ((host,),) = engine.select(Sql("SELECT hostName()"))
    kept._servers[host] -= 60  # that it began later than when it was asked first
    kept._parts = {name: dataclasses.replace(part, texts={3: b" stale "}) for name, part in before.items()}
    assert kept.parts(engine) == before
    assert kept.parts(engine) == before == kept._parts


def remake(engine: Engine) -> None:
    for table in TABLES:
        engine.run(f"DROP TABLE IF EXISTS {table.name} SYNC")
    make_tables(engine)
    engine.run("SYSTEM STOP MERGES trace")


def test_so_many_bytes_are_kept_and_all_words_are_found(store: ClickHouseStore, engine: Engine) -> None:
    words = [f"parcel{number:020}" for number in range(60)]
    for at in range(0, 60, 20):
        write(store, *words[at : at + 20], first=at + 1)
    all_of_them = KeptWords()
    size = sum(each.size or 0 for each in all_of_them.parts(engine).values())
    assert len(all_of_them.parts(engine)) == 3
    for most in (size, size - 1, size // 2, size // 4, 0):
        kept = KeptWords(most)
        for _ in range(3):
            assert parcels(engine, kept) == set(words)
        parts = kept.parts(engine)
        assert sum(each.size or 0 for each in parts.values()) <= most
        assert len(parts) == most // (size // 3)
    merge(engine)
    assert len(kept_after(engine, KeptWords(size))) == 1
    assert parcels(engine, KeptWords(size // 2)) == set(words)


def test_what_does_not_fit_is_read_when_there_is_room_for_it(store: ClickHouseStore, engine: Engine) -> None:
    write(store, *(f"parcel{number:020}" for number in range(20)))
    size = sum(each.size or 0 for each in KeptWords().parts(engine).values())
    write(store, *(f"other{number:021}" for number in range(40)), first=21)
    kept = KeptWords(size * 5 // 2)
    assert len(kept_after(engine, kept)) == 1
    engine.run("ALTER TABLE trace DROP PART '{}'".format(*kept.parts(engine)))
    assert len(kept_after(engine, kept)) == 1
    assert parcels(engine, kept) == {f"parcel{number:020}" for number in range(20)}


def test_a_search_reads_the_words_of_so_many_rows_the_largest_part_first(
    store: ClickHouseStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = 1
    for rows in (2, 3, 9, 1):
        write(store, *(f"parcel{rows}x{each}" for each in range(rows)), first=first)
        first += rows
    asked = statements_of(engine, monkeypatch)
    for at_once, steps in ((5, [[9], [3, 9], [2, 3, 9]]), (50_000, [[3, 9], [1, 2, 3, 9], [1, 2, 3, 9]])):
        kept = KeptWords(rows_at_once=at_once)
        assert [sorted(part.rows for part in kept.parts(engine).values()) for _ in range(3)] == steps
    assert len([text for text in asked if READS in text]) == 3 + 2


def test_while_one_thread_reads_words_another_asks_the_engine(
    store: ClickHouseStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, "parcel1")
    kept = KeptWords()
    reads, may_go_on = threading.Event(), threading.Event()

    def waits() -> None:
        reads.set()
        assert may_go_on.wait(60)

    between(engine, monkeypatch, READS, waits)
    with ThreadPoolExecutor(1) as other:
        first = other.submit(words_with, engine, [PARCEL], kept=kept)
        try:
            assert reads.wait(60)
            assert words_with(engine, [PARCEL], kept=kept) == {PARCEL: ["parcel1"]}
            assert not first.done()
        finally:
            may_go_on.set()
        assert first.result(60) == {PARCEL: ["parcel1"]}
    assert set(kept.parts(engine)) == names(engine)


def test_beside_a_writer_and_merges_what_was_there_when_a_search_began_is_found(store: ClickHouseStore) -> None:
    written = 0
    is_over = threading.Event()

    def search() -> int:
        chance, count = random.Random(3), 0
        while not is_over.is_set() or count < 3:
            there = written
            if there:
                number = chance.choice((1, there, chance.randint(1, there)))
                assert found(store, f"arcel{number}x") == [number]
                count += 1
        return count

    with ThreadPoolExecutor(2) as others:
        searches = [others.submit(search) for _ in range(2)]
        try:
            for number in range(1, 17):
                write(store, f"parcel{number}x", first=number)
                written = number
                if number % 4 == 0:
                    store._engine().run("OPTIMIZE TABLE trace")
        finally:
            is_over.set()
        assert all(each.result(60) >= 3 for each in searches)
    assert set(kept_after(store._engine(), store._words)) == names(store._engine())


def test_searches_and_statistics_look_into_the_memory_and_a_closed_store_gives_it_back(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, "parcels")
    asked = statements_of(store._engine(), monkeypatch)
    assert [found(store, "arcel") for _ in range(3)] == [[1], [1], [1]]
    assert store.explain(parse_search(["0"], "trace.text LIKE '%arcel%'")).found == 1
    assert len([text for text in asked if READS in text]) == 1
    assert store._words._parts
    store.close()
    assert not store._words._parts


def test_a_store_that_is_closed_while_a_search_reads_words_keeps_none(
    store: ClickHouseStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, "parcel1")
    kept = KeptWords()
    between(engine, monkeypatch, READS, kept.forget)
    assert parcels(engine, kept) == {"parcel1"}
    assert not kept._parts


@pytest.mark.parametrize("error", [StoreBusyError("does not answer"), SearchTimeoutError("it took too long")])
def test_a_read_that_fails_costs_no_search_and_is_tried_again_later(
    store: ClickHouseStore, engine: Engine, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    write(store, "parcel1")

    def fail() -> None:
        raise error

    later, soon = KeptWords(), KeptWords(again_s=0)
    for kept, is_kept in ((later, False), (soon, True)):
        with monkeypatch.context() as failing:
            between(engine, failing, READS, fail)
            assert words_with(engine, [PARCEL], SearchLimit(60), kept) == {PARCEL: ["parcel1"]}
        assert bool(kept.parts(engine)) == is_kept


def test_a_read_may_take_a_part_of_the_time_of_a_search(
    store: ClickHouseStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, "parcel1")
    given: list[SearchLimit | None] = []
    read = engine.select_bytes

    def noted(sql: Sql, limit: SearchLimit | None = None) -> Rows:
        given.append(limit)
        return read(sql, limit)

    monkeypatch.setattr(engine, "select_bytes", noted)
    limit = SearchLimit(60)
    assert KeptWords().parts(engine, limit)
    assert given[0] is not None
    assert given[0].seconds is not None
    assert given[0].seconds <= 15
    assert limit.spent_s() > given[0].spent_s() > 0


def test_a_look_into_the_memory_is_of_the_time_of_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_words, "_WINDOW_BYTES", 1)
    part = part_of(iter([b"a" * 10_000]))
    limit = SearchLimit(60)
    assert kept_words.words_with([part], [b"aa"], 10, limit) == {"a" * 10_000}
    assert limit.spent_s() > 0
    with pytest.raises(SearchTimeoutError):
        kept_words.words_with([part], [b"b"], 10, SearchLimit(1e-9))
    limit.cancel()
    with pytest.raises(SearchCancelledError):
        kept_words.words_with([part], [b"b"], 10, limit)


def test_no_more_words_come_than_there_is_room_for(
    store: ClickHouseStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(3)
    for first in range(1, 101, 20):
        write(store, *(" ".join(chance.randbytes(12).hex() for _ in range(20)) for _ in range(20)), first=first)
    came: list[int] = []
    read = engine.select_bytes

    def noted(sql: Sql, limit: SearchLimit | None = None) -> Rows:
        rows = read(sql, limit)
        came.append(sum(len(row[3]) for row in rows))
        return rows

    monkeypatch.setattr(engine, "select_bytes", noted)
    kept = KeptWords(most_bytes=25_000)
    assert len(kept_after(engine, kept)) == 2
    assert max(came) <= kept.most_bytes
    assert len(came) == 2  # the first told how many bytes there are


def test_what_is_no_text_in_the_index_breaks_no_search(store: ClickHouseStore) -> None:
    write(store, "abc\\ud800def", "abcxyz")
    assert [found(store, "bc") for _ in range(3)] == [[1, 2]] * 3


@pytest.mark.parametrize("refused", [LISTS, READS])
def test_where_the_engine_refuses_that_it_is_asked_for_all_words(
    store: ClickHouseStore, engine: Engine, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    write(store, "parcel1")

    def refuse() -> None:
        raise StoreError("does not let this user do that")

    kept = KeptWords()
    between(engine, monkeypatch, refused, refuse)
    asked = statements_of(engine, monkeypatch)
    assert words_with(engine, [PARCEL], kept=kept) == {PARCEL: ["parcel1"]}
    assert not kept._parts or all(each.texts is None for each in kept._parts.values())
    assert words_with(engine, [PARCEL], kept=kept) == {PARCEL: ["parcel1"]}
    assert len([text for text in asked if READS in text]) == 1  # and not again where it was refused


def test_a_server_tells_the_same_words(engine: Engine, store: ClickHouseStore) -> None:
    write(store, "parcel1", "Größe", "日本語")
    with bridge() as server, contextlib.closing(Engine(parse_address(server.uri(engine.address)))) as client:
        kept = KeptWords()
        assert kept.parts(client) == KeptWords().parts(engine)
        assert parcels(client, kept) == {"parcel1"}
        wide = Piece("本".encode(), open_left=True, open_right=True)
        assert sorted(words_with(client, [wide], kept=kept)[wide] or ()) == ["日本", "本語"]


def test_a_search_whose_time_is_over_says_so(store: ClickHouseStore, engine: Engine) -> None:
    write(store, "parcel1")
    with pytest.raises(SearchTimeoutError):
        KeptWords().parts(engine, SearchLimit(1e-9))


def test_of_a_cluster_nothing_is_kept(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "address", dataclasses.replace(engine.address, cluster="main"))
    asked = statements_of(engine, monkeypatch)
    assert KeptWords().parts(engine) == {}
    assert asked == []


@pytest.mark.parametrize("window", [1, 3, 50])
def test_words_that_have_a_text_are_all_found_whatever_is_looked_through_at_a_time(
    monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(kept_words, "_WINDOW_BYTES", window)
    chance = random.Random(5)
    for _ in range(200):
        words = {bytes(chance.choices(b"ab1", k=chance.randint(1, 6))) for _ in range(chance.randint(1, 20))}
        words |= {bytes(chance.choices(b"AB1", k=chance.randint(1, 6))) for _ in range(chance.randint(1, 20))}
        parts = [part_of(each for each in words if chance.random() < 0.7) for _ in range(2)]
        there = {word for each in parts for text in (each.texts or {}).values() for word in text.split()}
        for text in (b"a", b"ab", b" a", b"b ", b" 1", b"11", b"1 ", b"AB", b"B1A", b" AA", b"x"):
            expected = {word.decode() for word in there if text in b" %b " % word}
            assert kept_words.words_with(parts, [text], 100) == expected
            some = kept_words.words_with(parts, [text], 2)
            assert some <= expected
            assert len(some) >= min(3, len(expected))


def part_of(words: Iterator[bytes]) -> Part:
    texts: dict[int, list[bytes]] = {}
    for each in words:
        texts.setdefault((each != each.upper()) + 2 * (each != each.lower()), []).append(each)
    return Part(1, 1, 0, {letters: b" %b " % b" ".join(some) for letters, some in texts.items()})


def kept_after(engine: Engine, kept: KeptWords) -> dict[str, Part]:
    """Return the parts that are kept when there was time to read all."""
    for _ in range(20):
        parts = kept.parts(engine)
    return parts


def found(store: ClickHouseStore, text: str) -> list[int]:
    infos = store.search(parse_search(["0"], f"trace.text LIKE '%{text}%'")).traces
    return sorted(int(info.trace_id.removeprefix("tr-"), 16) for info in infos)
