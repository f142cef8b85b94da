"""What a call has returned is found, whatever became of its process."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

import tracehound
from tests.spool.programs import ENDLESS, FORKING, kill_after, start
from tracehound.model.trace import Trace


@pytest.mark.parametrize("calls", [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 4, 10, 100, 1000, 1500])
def test_what_returned_is_found_after_kill_9(store_path: Path, calls: int) -> None:
    returned = kill_after(start(ENDLESS, store_path), calls)
    assert len(returned) >= calls
    found = [trace.info.trace_id for trace in everything()]
    assert len(found) == len(set(found))
    assert set(returned) <= set(found)


def test_processes_that_drain_each_other_lose_and_repeat_nothing(store_path: Path) -> None:
    processes = [start(ENDLESS, store_path) for _ in range(3)]
    returned = []
    for process in processes:
        returned += kill_after(process, 200)
        everything()
    found = [trace.info.trace_id for trace in everything()]
    assert len(found) == len(set(found))
    assert set(returned) <= set(found)


def test_a_finished_trace_is_found_at_once_from_another_process(store_path: Path) -> None:
    process = start(ENDLESS, store_path)
    trace_id = process.stdout.readline().strip()
    assert tracehound.get_trace(trace_id) is not None
    kill_after(process, 1)


def test_segments_of_the_dead_are_removed_when_they_are_in_the_store(store_path: Path) -> None:
    kill_after(start(ENDLESS, store_path), 10)
    segments = store_path.with_name("tracehound.db-spool")
    assert list(segments.iterdir())
    everything()
    assert not list(segments.iterdir())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_parent_and_forked_child_keep_their_own_traces(store_path: Path) -> None:
    process = start(FORKING, store_path)
    assert process.communicate() == ""
    traces = everything()
    assert sorted(trace.info.name for trace in traces) == ["before", "child", "child", "parent", "parent"]
    assert len({trace.info.trace_id for trace in traces}) == 5
    assert len({span.span_id for trace in traces for span in trace.data.spans}) == 5


def test_a_store_that_is_locked_does_not_keep_a_program_from_ending(store_path: Path) -> None:
    with tracehound.start_span("before"):
        pass
    everything()
    locker = sqlite3.connect(store_path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    process = start("import tracehound; tracehound.trace(len)('abc')", store_path)
    process.communicate(timeout=20)  # the store itself would wait for the lock for 30 s
    locker.execute("ROLLBACK")
    locker.close()
    assert process.returncode == 0
    assert {trace.info.name for trace in everything()} == {"len", "before"}


def test_a_search_waits_a_moment_for_a_store_that_is_locked_and_says_what_may_be_missing(
    store_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with tracehound.start_span("before"):
        pass
    everything()
    locker = sqlite3.connect(store_path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    with tracehound.start_span("meanwhile"):
        pass
    assert [trace.info.name for trace in everything()] == ["before"]
    assert "what was finished last may be missing" in caplog.text
    locker.execute("ROLLBACK")
    locker.close()
    assert {trace.info.name for trace in everything()} == {"meanwhile", "before"}


def everything() -> list[Trace]:
    return tracehound.search_traces(return_type="list")
