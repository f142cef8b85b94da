"""The first of the documents' pages: its end-to-end example, in our words, with the counts that it promises."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import tracehound
from tests.spool.programs import start
from tests.waiting import wait_until


@tracehound.trace()
def greet_early(name: str) -> str:
    time.sleep(0.002)
    tracehound.update_current_trace(tags={"person": name})
    return f"Good morning, {name}!"


@tracehound.trace()
def greet_late(name: str) -> str:
    time.sleep(0.002)
    tracehound.update_current_trace(tags={"person": name})
    return f"Good evening, {name}!"


@tracehound.trace()
def take_leave() -> None:
    tracehound.update_current_trace(tags={"greeting_type": "goodbye"})
    raise RuntimeError("cannot say goodbye")


def test_the_end_to_end_example_gives_its_counts() -> None:
    greet_early("Tom")
    after_tom_ms = int(time.time() * 1000)
    greet_late("Mary")
    with pytest.raises(RuntimeError, match="cannot say goodbye"):
        take_leave()

    assert count("attributes.status = 'OK'") == 2
    assert count("attributes.status = 'ERROR'") == 1
    assert count(None) == 3
    assert count("tags.person = 'Tom'") == 1
    assert count("tags.person = 'Tom' AND attributes.status = 'OK'") == 1
    # The failed call is in, Tom's is out. Mary's is in if it began in a later millisecond than the one noted.
    assert count(f"attributes.timestamp > {after_tom_ms}") in (1, 2)
    assert count(f"attributes.timestamp >= {after_tom_ms}") == 2


RUNNING = """
import sys, tracehound
@tracehound.trace
def process_request():
    print(tracehound.get_active_trace_id(), flush=True)
    sys.stdin.readline()
process_request()
print("returned", flush=True)
"""


def test_a_request_that_another_process_works_on_is_found_in_progress_and_then_as_it_ended(store_path: Path) -> None:
    program = start(RUNNING, store_path)
    trace_id = program.stdout.readline().strip()
    wait_until(lambda: count("attributes.status = 'IN_PROGRESS'"), "the running request was not found")
    (running,) = tracehound.search_traces("attributes.status = 'IN_PROGRESS'", return_type="list")
    assert running.info.trace_id == trace_id
    assert (running.info.tags["mlflow.traceName"], running.info.execution_duration) == ("process_request", None)
    assert count("attributes.status != 'IN_PROGRESS'") == 0
    program.stdin.write("go on\n")
    program.stdin.flush()
    assert program.stdout.readline() == "returned\n"
    assert count("attributes.status = 'IN_PROGRESS'") == 0
    (ended,) = tracehound.search_traces("attributes.status = 'OK'", return_type="list")
    assert ended.info.trace_id == trace_id
    program.communicate()


def count(filter_string: str | None) -> int:
    return len(tracehound.search_traces(filter_string=filter_string))
