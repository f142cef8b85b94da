"""Facts, and edits of metadata and assessments, on every store."""

from __future__ import annotations

import itertools
from pathlib import Path

from tests.traces import part, span
from tracehound.model.assessment import Assessment, Expectation, Feedback
from tracehound.model.edit import ASSESSMENT, METADATA, Change, Deletion, Edit, Facts
from tracehound.model.record import to_json_text
from tracehound.model.trace import Trace
from tracehound.query.expand import linked_run_key
from tracehound.query.search import parse_search
from tracehound.store.api import SegmentRange, Store
from tracehound.store.experiments import KIND, read_experiments, to_facts
from tracehound.store.sqlite.store import SqliteStore

TRACE = span(1).trace_id
PART = part(span(1, name="agent"), metadata={"mlflow.sourceRun": "r-1", "version": "1"}, written_ns=10**9)


def metadata(key: str, value: str | None, written_ns: int = 5) -> Edit:
    return Edit(TRACE, key, value, written_ns, METADATA)


def assessment(said: Assessment, written_ns: int = 5) -> Edit:
    assert said.assessment_id is not None
    return Edit(TRACE, said.assessment_id, to_json_text(said.to_dict()), written_ns, ASSESSMENT)


def feedback(value: object, number: int = 1, time_ms: int = 1) -> Feedback:
    return Feedback("f", value, create_time_ms=time_ms, last_update_time_ms=time_ms, assessment_id=f"a-{number}")


def test_edited_metadata_are_found_and_read_and_what_was_captured_is_not(store: Store) -> None:
    store.write([PART, metadata("version", "2"), metadata("mlflow.sourceRun", None), metadata("new", "5")])
    assert found(store, "metadata.version = '2' AND metadata.new > 4 AND attributes.run_id IS NULL") == [TRACE]
    assert found(store, "metadata.version = '1' OR attributes.run_id = 'r-1'") == []
    shown = only_trace(store).info.trace_metadata
    assert (shown["version"], shown["new"]) == ("2", "5")
    assert "mlflow.sourceRun" not in shown
    assert store.search(parse_search(["0"])).traces == [only_trace(store).info]


def test_a_trace_that_was_linked_to_a_run_is_found_by_it_and_by_its_own(store: Store) -> None:
    store.write([metadata(linked_run_key("r-2"), "true")])
    store.write([PART])
    assert found(store, "attributes.run_id = 'r-1'") == found(store, "attributes.run_id = 'r-2'") == [TRACE]
    assert found(store, "attributes.run_id != 'r-2'") == found(store, "attributes.run_id = 'r-3'") == []


def test_a_tag_and_metadata_of_one_key_are_two_things(store: Store) -> None:
    store.write([PART, Edit(TRACE, "k", "tag", 1), metadata("k", "metadata", 2)])
    store.write([metadata("k", None, 3)])
    assert found(store, "tags.k = 'tag' AND metadata.k IS NULL") == [TRACE]


def test_assessments_are_shown_the_oldest_first_also_those_that_came_before_their_trace(store: Store) -> None:
    late, early = feedback("late", 1, time_ms=2), feedback({"a": [1]}, 2, time_ms=1)
    city = Expectation("city", ["Paris"], create_time_ms=3, last_update_time_ms=3, assessment_id="a-3")
    store.write([assessment(late), assessment(early)])
    assert store.read_traces([TRACE]) == {}
    store.write([PART])
    store.write([assessment(city)])
    assert only_trace(store).info.assessments == [early, late, city]
    assert store.search(parse_search(["0"])).traces[0].assessments == [early, late, city]


def test_the_latest_edit_of_an_assessment_counts_in_whatever_order_they_arrive(store: Store) -> None:
    edits = [
        assessment(feedback("one"), 1),
        Edit(TRACE, "a-1", None, 2, ASSESSMENT),
        assessment(feedback("three"), 3),
        Edit(TRACE, "a-2", None, 9, ASSESSMENT),
        assessment(feedback("gone", 2), 8),
    ]
    for number, order in enumerate(itertools.permutations(edits)):
        trace_id = span(1, trace=10 + number).trace_id
        store.write([part(span(1, trace=10 + number))])
        store.write([Edit(trace_id, each.key, each.value, each.written_ns, each.kind) for each in order])
        assert store.read_traces([trace_id])[trace_id].info.assessments == [feedback("three")]


def test_a_deleted_trace_takes_what_was_said_of_it_along(settling_store: Store) -> None:
    said: list[Change] = [assessment(feedback("good")), metadata("version", "2"), Facts("run", "r-1", {"name": "a"}, 1)]
    settling_store.write([PART, *said])
    settling_store.write([Deletion(TRACE, 7), assessment(feedback("late"), 9)])
    assert found(settling_store) == []
    settling_store.settle(10**18)
    settling_store.write([PART])
    assert only_trace(settling_store).info.assessments == []
    assert only_trace(settling_store).info.trace_metadata["version"] == "1"
    assert settling_store.facts("run") == {"r-1": {"name": "a"}}


def test_facts_are_read_by_kind_and_by_subject(store: Store) -> None:
    store.write([Facts("run", "r-1", {"name": "a", "tag.k": ""}, 1), Facts("run", "r-2", {"name": "b"}, 1)])
    store.write([Facts("model", "r-1", {"name": "c"}, 1)])
    assert store.facts("run") == {"r-1": {"name": "a", "tag.k": ""}, "r-2": {"name": "b"}}
    assert store.facts("run", "r-1") == {"r-1": {"name": "a", "tag.k": ""}}
    assert store.facts("run", "r-3") == store.facts("nothing") == {}


def test_of_facts_of_one_key_the_latest_counts_and_none_takes_it_away(store: Store) -> None:
    said = [
        Facts("run", "", {"status": "RUNNING", "end": "5"}, 1),
        Facts("run", "", {"status": "FINISHED"}, 3),
        Facts("run", "", {"end": None, "status": "FAILED"}, 2),
    ]
    for number, order in enumerate(itertools.permutations(said)):
        for facts in order:
            store.write([Facts("run", f"r-{number}", facts.values, facts.written_ns)])
        assert store.facts("run", f"r-{number}") == {f"r-{number}": {"status": "FINISHED"}}


def test_a_subject_of_which_nothing_is_known_any_more_is_none(store: Store) -> None:
    store.write([Facts("run", "r-1", {"name": "a"}, 1)])
    store.write([Facts("run", "r-1", {"name": None}, 2)])
    assert store.facts("run") == {}


def test_of_facts_of_one_time_one_counts_in_either_order(store: Store) -> None:
    for number, values in enumerate((["a", "b", None], [None, "b", "a"], ["b", None, "a"])):
        for value in values:
            store.write([Facts("run", f"r-{number}", {"name": value}, 1)])
    assert store.facts("run") == {f"r-{number}": {"name": "b"} for number in range(3)}


def test_odd_texts_are_kept_as_they_are(store: Store) -> None:
    odd = {"nul": "a\0b", "a\0key": "x", "quote": "\"'`", "long": "x" * 5000, "日本": "🐕", "empty": ""}
    store.write([Facts("run", "r\0'1", dict(odd), 1)])
    assert store.facts("run") == store.facts("run", "r\0'1") == {"r\0'1": odd}


def test_facts_are_applied_with_the_position_of_their_segment(store: Store) -> None:
    segment = SegmentRange("1-a.seg", 0, 100)
    assert store.write([Facts("run", "r-1", {"name": "a"}, 1)], segment)
    assert not store.write([Facts("run", "r-1", {"name": "b"}, 2)], segment)
    assert store.facts("run") == {"r-1": {"name": "a"}}


def test_experiments_are_those_that_were_created_and_those_that_have_traces(store: Store) -> None:
    store.write([part(span(1), experiment="shop"), Facts(KIND, "77", dict(to_facts("farm", {"team": "a"}, 5)), 1)])
    found_by_name = {each.name: each for each in read_experiments(store).values()}
    assert set(found_by_name) == {"Default", "farm", "shop"}
    assert (found_by_name["farm"].tags, found_by_name["farm"].creation_time) == ({"team": "a"}, 5)
    assert [each.name for each in store.experiments()] == ["shop"]


def test_facts_are_there_when_a_sqlite_file_is_opened_again(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "facts.db")
    store.write([PART, assessment(feedback("good")), Facts("run", "r-1", {"name": "a"}, 1)])
    store.close()
    again = SqliteStore(tmp_path / "facts.db")
    assert again.facts("run") == {"r-1": {"name": "a"}}
    assert only_trace(again).info.assessments == [feedback("good")]
    again.close()


def only_trace(store: Store) -> Trace:
    return store.read_traces([TRACE])[TRACE]


def found(store: Store, filter_string: str | None = None) -> list[str]:
    ids = [each.experiment_id for each in store.experiments()]
    return [info.trace_id for info in store.search(parse_search(ids, filter_string)).traces]
