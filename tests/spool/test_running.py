"""Traces that run, as other processes see them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tracehound
from tests.forked import Program
from tests.spool.programs import start
from tracehound.model.trace import Trace, TraceState

# Begins a trace, tells its id when a first step is done, and goes on when it is told to.
WAITING = """
import sys, threading, tracehound
@tracehound.trace
def lookup(key):
    return key
@tracehound.trace(span_type="TOOL")
def wait():
    sys.stdin.readline()
with tracehound.start_span("agent") as span:
    span.set_inputs({"question": "why?"})
    tracehound.update_current_trace(tags={"step": "first"})
    lookup("a")
    print(span.trace_id, flush=True)
    wait()
print("done", flush=True)
sys.stdin.readline()
"""


def test_a_trace_is_found_while_it_runs_and_as_it_ended(store_path: Path) -> None:
    process, trace_id = begin(store_path)
    running = wait_for(lambda: seen_waiting(trace_id))
    assert running.info.state is TraceState.IN_PROGRESS
    assert running.info.tags["step"] == "first"
    assert running.info.request_preview == '{"question":"why?"}'
    assert {span.name: span.end_time_ns is None for span in running.data.spans} == {
        "agent": True,
        "lookup": False,
        "wait": True,
    }
    assert in_state("IN_PROGRESS") == [trace_id]
    assert say(process, "go on") == "done"
    assert in_state("IN_PROGRESS") == []
    assert in_state("OK") == [trace_id]
    end(process)


def test_a_crash_shows_the_span_it_happened_in(store_path: Path) -> None:
    process, trace_id = begin(store_path)
    wait_for(lambda: seen_waiting(trace_id))
    process.kill()
    process.wait()
    assert in_state("ERROR") == [trace_id]
    died = tracehound.get_trace(trace_id)
    assert died is not None
    assert {span.name: span.status.description for span in died.data.spans} == {
        "agent": "the process ended while this ran",
        "lookup": "",
        "wait": "the process ended while this ran",
    }
    end(process)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot pause a process")
def test_a_process_that_is_paused_is_not_taken_for_dead(store_path: Path) -> None:
    process, trace_id = begin(store_path)
    wait_for(lambda: tracehound.get_trace(trace_id, silent=True))
    process.send_signal(signal.SIGSTOP)
    assert in_state("IN_PROGRESS") == [trace_id]
    process.send_signal(signal.SIGCONT)
    assert say(process, "go on") == "done"
    assert in_state("OK") == [trace_id]
    end(process)


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open cannot be removed")
def test_a_process_that_was_taken_for_dead_heals_its_trace(store_path: Path) -> None:
    process, trace_id = begin(store_path)
    wait_for(lambda: tracehound.get_trace(trace_id, silent=True))
    (lock,) = store_path.with_name("tracehound.db-spool").glob("*.lock")
    lock.unlink()
    assert in_state("ERROR") == [trace_id]
    assert say(process, "go on") == "done"
    wait_for(lambda: in_state("OK") == [trace_id])
    end(process)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_what_still_runs_when_the_interpreter_ends_is_kept(store_path: Path) -> None:
    program = "import tracehound; span = tracehound.start_span_no_context('never ended', inputs={'n': 1})"
    process = start(program, store_path)
    process.communicate()
    (trace,) = tracehound.search_traces("attributes.status = 'ERROR'", return_type="list")
    assert trace.data.spans[0].inputs == {"n": 1}


def begin(store_path: Path) -> tuple[Program, str]:
    process = start(WAITING, store_path)
    return process, process.stdout.readline().strip()


def say(process: Program, line: str) -> str:
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def end(process: Program) -> None:
    process.kill()
    process.communicate()


def seen_waiting(trace_id: str) -> Trace | None:
    """Return the trace once its last step is seen to have begun: others may see it before that."""
    found = tracehound.get_trace(trace_id, silent=True)
    return found if found is not None and any(span.name == "wait" for span in found.data.spans) else None


def in_state(state: str) -> list[str]:
    found = tracehound.search_traces(f"attributes.status = '{state}'", return_type="list")
    return [trace.info.trace_id for trace in found]


def wait_for(condition: Callable[[], Trace | bool | None]) -> Trace:
    """Ask until the answer is yes; pytest's own time limit is the end."""
    while not (answer := condition()):
        pass
    return answer  # type: ignore[return-value] # where it is used, it is the trace
