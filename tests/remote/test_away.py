"""A server that is away, and programs that are killed meanwhile: what a call has returned is found in the end, once."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracehound
from tests.forked import Program
from tests.ports import held_port
from tests.remote.away import be_away
from tests.remote.killing import AT_LEAST, PROGRAMS, RemoteKilling
from tests.remote.troubled import spool_of
from tests.server.process import ServerProcess
from tests.spool.programs import ENDLESS, kill_after
from tracehound.model.trace import Trace

# Begins a trace, says what another process needs to go on with it, and ends it when it is told to.
BEGINNING = """
import tracehound
span = tracehound.start_span_no_context("first service")
print(span.trace_id, span.span_id, flush=True)
input()
span.end()
"""
# Goes on with a trace that another process has begun, as OpenTelemetry's headers say it.
GOING_ON = """
import sys
from opentelemetry.propagate import extract
from opentelemetry import context
import tracehound
trace_id, span_id = input().split()
context.attach(extract({"traceparent": f"00-{trace_id[3:]}-{span_id}-01"}))
with tracehound.start_span("second service"):
    pass
"""


@pytest.fixture
def port() -> Iterator[int]:
    """Return the port of a server that ends and begins."""
    with held_port() as held:
        yield held


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return the path of the server's store."""
    return tmp_path / "served.db"


def start(program: str, url: str, name: str = "MLFLOW_TRACKING_URI") -> Program:
    """Start a program whose environment names the server."""
    return Program(program, {**os.environ, name: url})


def everything(url: str) -> list[Trace]:
    tracehound.set_tracking_uri(url)
    return tracehound.search_traces(return_type="list")


def test_a_server_that_is_killed_and_started_anew_under_load_misses_nothing(
    place: Path, state: Path, port: int
) -> None:
    server = ServerProcess(place, port=port)
    url = server.url
    programs = [start(ENDLESS, url) for _ in range(2)]
    returned: list[str] = []
    for _ in range(4):
        for program in programs:
            returned += [program.stdout.readline().strip() for _ in range(150)]
        server.kill()
        for program in programs:
            returned += [program.stdout.readline().strip() for _ in range(150)]
        server = ServerProcess(place, port=port)
    for program in programs:
        returned += kill_after(program, 10)
    found = everything(url)
    assert len(found) == len({trace.info.trace_id for trace in found})
    assert set(returned) <= {trace.info.trace_id for trace in found}
    assert {len(trace.data.spans) for trace in found} == {1}
    assert not spool_of(state)
    server.kill()


def test_nothing_is_lost_whichever_of_the_programs_and_their_server_is_killed_first(tmp_path: Path, port: int) -> None:
    killing = RemoteKilling(tmp_path / "served.db", random.Random(7), port)
    for _ in range(2):
        killing.play()
    seen = killing.look()
    assert (seen.rounds, seen.lost, seen.twice) == (2, 0, 0)
    assert seen.answered >= 2 * PROGRAMS * AT_LEAST
    assert not killing.left()


def test_a_program_traces_on_while_its_server_is_away_and_takes_no_more_than_what_waits(tmp_path: Path) -> None:
    seen = be_away(tmp_path, seconds=0.5, rate=1_000)
    assert seen.is_good, seen
    assert seen.memory_most_mb < seen.memory_before_mb + 20
    assert 0 < seen.disk_most_mb < seen.returned * 2_000 / 1e6


def test_what_a_killed_program_left_while_the_server_was_away_is_sent_by_a_later_one(
    place: Path, state: Path, port: int
) -> None:
    server = ServerProcess(place, port=port)
    server.kill()
    returned = kill_after(start(ENDLESS, server.url), 200)
    assert len(returned) >= 200
    assert spool_of(state)
    again = ServerProcess(place, port=port)
    later = start("import tracehound\nwith tracehound.start_span('later'): pass\ntracehound.flush()", server.url)
    assert later.communicate() == ""
    assert later.returncode == 0
    assert set(returned) < {trace.info.trace_id for trace in everything(server.url)}
    assert not spool_of(state)
    again.kill()


def test_a_program_ends_though_the_server_is_away_and_its_traces_wait(place: Path, state: Path, port: int) -> None:
    server = ServerProcess(place, port=port)
    server.kill()
    program = start("import tracehound; print(tracehound.trace(len)('abc'))", server.url, "TRACEHOUND_TRACKING_URI")
    assert program.communicate(timeout=30) == "3\n"
    assert program.returncode == 0
    again = ServerProcess(place, port=port)
    assert [trace.info.name for trace in everything(server.url)] == ["len"]
    again.kill()


def test_what_ran_in_a_program_that_was_killed_has_ended_with_it(place: Path) -> None:
    server = ServerProcess(place)
    program = start(BEGINNING, server.url)
    assert program.stdout.readline()
    while not (found := everything(server.url)):  # a trace is shown when it has run for a second
        pass
    assert [trace.info.state for trace in found] == ["IN_PROGRESS"]
    program.kill()
    program.wait()
    [trace] = everything(server.url)
    assert (trace.info.state, trace.data.spans[0].status.description) == ("ERROR", "the process ended while this ran")
    program.stdin.close()
    program.stdout.close()
    server.kill()


def test_a_trace_of_two_processes_is_one(place: Path) -> None:
    server = ServerProcess(place)
    first, second = start(BEGINNING, server.url), start(GOING_ON, server.url)
    second.stdin.write(first.stdout.readline())
    assert second.communicate() == ""
    first.stdin.write("end\n")
    assert first.communicate() == ""
    [trace] = everything(server.url)
    assert {each.name for each in trace.data.spans} == {"first service", "second service"}
    assert trace.info.name == "first service"
    server.kill()
