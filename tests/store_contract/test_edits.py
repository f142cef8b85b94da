"""Edits and deletions, on every store."""

from __future__ import annotations

import itertools
import sqlite3
from pathlib import Path

import pytest

from tests.traces import START_MS, part, said_tags, span
from tracehound.client.counting import count_traces
from tracehound.model.edit import Change, Deletion, Edit
from tracehound.model.trace import Trace
from tracehound.query.fields import NAME
from tracehound.query.search import parse_search
from tracehound.query.statistics import StatisticsQuery
from tracehound.store.api import SegmentRange, Store
from tracehound.store.sqlite.store import SqliteStore

TRACE = span(1).trace_id
PART = part(span(1, name="agent"), tags={"env": "prod", "team": "a"}, written_ns=10**9)
SECRET = "a value that must be gone"


def edit(key: str, value: str | None, written_ns: int = 5) -> Edit:
    return Edit(TRACE, key, value, written_ns)


def test_an_edited_tag_is_found_and_read_and_the_captured_one_is_not(store: Store) -> None:
    store.write([PART])
    store.write([edit("env", "dev"), edit("new", "5")])
    assert found(store, "tags.env = 'dev' AND tags.new > 4 AND tags.team = 'a'") == [TRACE]
    assert found(store, "tags.env = 'prod'") == []
    assert said_tags(only_trace(store).info) == {"mlflow.traceName": "agent", "env": "dev", "team": "a", "new": "5"}
    assert store.search(parse_search(["0"])).traces == [only_trace(store).info]


def test_a_removed_tag_is_absent_to_every_filter(store: Store) -> None:
    store.write([PART, edit("env", None)])
    assert found(store, "tags.env IS NULL") == [TRACE]
    assert found(store, "tags.env = 'prod' OR tags.env != 'x'") == []
    assert "env" not in only_trace(store).info.tags


def test_the_latest_edit_counts_in_whatever_order_they_arrive(store: Store) -> None:
    edits = [edit("env", "one", 1), edit("env", None, 2), edit("env", "three", 3)]
    for number, order in enumerate(itertools.permutations(edits)):
        trace_id = span(1, trace=10 + number).trace_id
        for each in order:
            store.write([Edit(trace_id, each.key, each.value, each.written_ns)])
        store.write([part(span(1, trace=10 + number))])
        assert store.read_traces([trace_id])[trace_id].info.tags["env"] == "three"


def test_of_edits_of_the_same_time_one_counts_in_either_order(store: Store) -> None:
    one, other = (part(span(1, trace=number)) for number in (1, 2))
    store.write([one, other])
    store.write([Edit(one.trace_id, "env", "a", 1), Edit(one.trace_id, "env", "b", 1)])
    store.write([Edit(other.trace_id, "env", "b", 1)])
    store.write([Edit(other.trace_id, "env", "a", 1)])
    shown = store.read_traces([one.trace_id, other.trace_id])
    assert len({trace.info.tags["env"] for trace in shown.values()}) == 1


def test_an_edit_waits_for_its_trace_and_makes_none(store: Store) -> None:
    store.write([edit("env", "dev"), edit("team", None)])
    assert found(store) == []
    assert store.read_traces([TRACE]) == {}
    assert store.experiments() == []
    store.write([PART])
    assert said_tags(only_trace(store).info) == {"mlflow.traceName": "agent", "env": "dev"}
    assert found(store, "tags.env = 'dev'") == [TRACE]


def test_an_edit_wins_over_a_part_that_is_written_later(store: Store) -> None:
    store.write([PART, edit("env", "dev")])
    store.write([part(span(2, parent=1), tags={"env": "late"}, written_ns=10**18)])
    assert found(store, "tags.env = 'dev'") == [TRACE]
    assert found(store, "tags.env = 'late'") == []


def test_the_tag_of_the_name_is_the_name(store: Store) -> None:
    store.write([PART, edit("mlflow.traceName", "better", 1)])
    assert found(store, "attributes.name = 'better'") == [TRACE]
    assert store.statistics(StatisticsQuery(parse_search(["0"]), (NAME,))).keys() == {("better",)}
    assert only_trace(store).info.name == "better"
    store.write([edit("mlflow.traceName", None, 2)])
    assert found(store, "attributes.name = 'agent' AND tags.`mlflow.traceName` = 'agent'") == [TRACE]


def test_an_edit_stays_when_the_process_of_the_trace_ends(store: Store) -> None:
    running = part(span(1, duration_ms=None), tags={"env": "prod"}, owner="A", written_ns=(START_MS + 9) * 10**6)
    store.write([running, edit("env", "dev")])
    store.end_owner("A")
    assert found(store, "tags.env = 'dev' AND attributes.status = 'ERROR'") == [TRACE]
    assert only_trace(store).info.tags["env"] == "dev"


def test_odd_texts_are_edited_as_they_are(store: Store) -> None:
    odd = {"nul": "a\0b", "a\0key": "x", "quote": "\"'`", "long": "x" * 5000, "日本": "🐕", "empty": ""}
    store.write([PART, *(edit(key, value) for key, value in odd.items())])
    assert only_trace(store).info.tags.items() >= odd.items()


def test_a_deleted_trace_is_gone_and_the_others_stay(store: Store) -> None:
    other = part(span(1, trace=2), tags={"env": "prod"})
    store.write([PART, other, edit("team", "b")])
    store.write([Deletion(TRACE, 7)])
    assert found(store) == [other.trace_id]
    assert found(store, "tags.env = 'prod'") == [other.trace_id]
    assert store.read_traces([TRACE]) == {}
    assert count_traces(store, parse_search(["0"])) == 1


CHANGES: list[Change] = [PART, edit("env", "dev"), Deletion(TRACE, 7), part(span(1, duration_ms=None), owner="A")]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
def test_what_arrives_of_a_deleted_trace_changes_nothing_in_any_order(store: Store, order: tuple[int, ...]) -> None:
    for number in order:
        store.write([CHANGES[number]])
    store.write(CHANGES[:2])
    assert found(store) == []
    assert store.read_traces([TRACE]) == {}
    assert store.experiments() == []
    assert store.running_owners() == []


def test_the_end_of_a_trace_that_was_deleted_while_it_ran_brings_nothing_back(store: Store) -> None:
    store.write([part(span(1, duration_ms=None), owner="A"), part(span(1, trace=2, duration_ms=None), owner="A")])
    store.write([Deletion(TRACE, 7)])
    store.write([part(span(1), written_ns=2), part(span(1, trace=2), written_ns=2)])
    assert found(store) == [span(1, trace=2).trace_id]


def test_parts_edits_and_deletions_are_applied_with_the_position_of_their_segment(store: Store) -> None:
    changes: list[Change] = [PART, edit("env", "dev"), part(span(1, trace=2)), Deletion(span(1, trace=2).trace_id, 1)]
    assert store.write(changes, SegmentRange("1-a.seg", 0, 100))
    assert not store.write([Deletion(TRACE, 1)], SegmentRange("1-a.seg", 0, 100))
    assert found(store, "tags.env = 'dev'") == [TRACE]
    assert store.position("1-a.seg") == 100


def test_a_tombstone_is_kept_until_nothing_older_is_on_its_way(settling_store: Store) -> None:
    settling_store.write([PART, Deletion(TRACE, 100)])
    settling_store.settle(100)
    settling_store.write([PART])
    assert found(settling_store) == []
    settling_store.settle(101)
    settling_store.write([PART])
    assert found(settling_store) == [TRACE]


def test_a_trace_that_was_deleted_twice_is_deleted_until_the_later_time(settling_store: Store) -> None:
    settling_store.write([Deletion(TRACE, 200), Deletion(TRACE, 100)])
    settling_store.write([Deletion(TRACE, 50)])
    settling_store.settle(150)
    settling_store.write([PART])
    assert found(settling_store) == []


def test_only_edits_that_wait_are_forgotten_when_nothing_older_is_on_its_way(settling_store: Store) -> None:
    settling_store.write([PART, edit("env", "dev", 5), Edit(span(1, trace=2).trace_id, "env", "dev", 5)])
    settling_store.settle(6)
    settling_store.write([part(span(1, trace=2), tags={"env": "prod"}), part(span(2, parent=1), written_ns=9)])
    assert found(settling_store, "tags.env = 'dev'") == [TRACE]
    assert found(settling_store, "tags.env = 'prod'") == [span(1, trace=2).trace_id]


def test_an_experiment_without_traces_is_none(store: Store) -> None:
    store.write([part(span(1), experiment="shop"), part(span(1, trace=2))])
    store.write([Deletion(TRACE, 1)])
    assert [each.name for each in store.experiments()] == ["Default"]
    store.write([part(span(1, trace=3), experiment="shop")])
    assert [each.name for each in store.experiments()] == ["Default", "shop"]


def test_reclaiming_ends_and_harms_nothing(store: Store) -> None:
    store.write([part(span(1, trace=number)) for number in range(1, 1001)])
    store.write([Deletion(span(1, trace=number).trace_id, 1) for number in range(2, 1001)])
    while store.reclaim(40_000):
        pass
    assert found(store) == [TRACE]
    assert store.reclaim(40_000) == 0


def test_a_sqlite_file_becomes_shorter_when_its_traces_are_deleted(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "short.db")
    store.write([part(span(1, trace=number)) for number in range(1, 2001)])
    store.make_durable()
    full = (tmp_path / "short.db").stat().st_size
    store.write([Deletion(span(1, trace=number).trace_id, 1) for number in range(1, 2001)])
    steps = list(iter(lambda: store.reclaim(40_000), 0))
    store.make_durable()
    store.close()
    assert max(steps) <= 40_000
    assert (tmp_path / "short.db").stat().st_size == full - sum(steps) < full / 2


def test_nothing_of_a_deleted_trace_is_left_in_a_sqlite_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.db"
    store = SqliteStore(path)
    secret = part(
        span(1, name=SECRET), tags={"k": SECRET, SECRET: "v"}, metadata={"k": SECRET}, client_request_id=SECRET
    )
    snapshot = part(span(1, name=SECRET, duration_ms=None), tags={"k": SECRET}, owner="A", written_ns=0)
    other = part(span(1, trace=2), tags={"env": "prod"})
    store.write([snapshot, other])
    store.write([secret, edit("edited", SECRET), Edit(TRACE, "edited again", SECRET + "!", 9)])
    store.write([Deletion(TRACE, 7)])
    store.write([secret, edit("edited", SECRET, 9)])
    store.make_durable()
    store.close()
    with sqlite3.connect(path) as connection:
        assert SECRET not in "\n".join(connection.iterdump())
        assert connection.execute("SELECT count(*) FROM part").fetchone() == (1,)
    connection.close()
    assert SECRET.encode() not in path.read_bytes()


def only_trace(store: Store) -> Trace:
    return store.read_traces([TRACE])[TRACE]


def found(store: Store, filter_string: str | None = None) -> list[str]:
    ids = [each.experiment_id for each in store.experiments()]
    return [info.trace_id for info in store.search(parse_search(ids, filter_string)).traces]
