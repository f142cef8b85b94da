"""A server that is away for a while, and a program that goes on with its work: what it takes, and what arrives."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from tests.forked import Program
from tests.ports import held_port
from tests.server.killing import spans_in
from tests.server.process import ServerProcess
from tracehound.settings import STATE

# Traces so many times a second until its input ends, and says how many calls have returned; their ids go into a file.
# Then it waits until nothing waits any more, and says what its flush has told.
STEADY: Final = """
import sys, threading, time, tracehound
rate, path = {rate}, {path!r}
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()

@tracehound.trace
def work(number, text):
    return tracehound.get_active_trace_id()

begun_s = time.monotonic()
count = 0
with open(path, "w") as returned:
    while not over.wait(max(0.0, begun_s + count / rate - time.monotonic())):
        for _ in range(20):
            print(work(count, "why " * 50), file=returned)
            count += 1
        print(count, flush=True)
report = tracehound.flush()
while report.pending:
    over.wait(0.1)
    report = tracehound.flush()
print("end", report.accepted, report.stored, report.pending, report.dropped, flush=True)
"""


@dataclass
class Away:
    """What was seen of a server that was away: calls that have returned, their traces, and what the program took."""

    seconds: float = 0.0
    returned: int = 0
    found: int = 0
    lost: int = 0
    twice: int = 0
    dropped: int = 0
    memory_before_mb: float = 0.0
    memory_most_mb: float = 0.0
    disk_most_mb: float = 0.0
    disk_after_mb: float = 0.0
    caught_up_s: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether all is there, once, and nothing waits any more."""
        return not (self.lost or self.twice or self.dropped or self.disk_after_mb) and self.returned > 0


class Watch:
    """Looks at what a program takes, of memory and of disk."""

    def __init__(self, state: Path, seen: Away) -> None:
        self._state = state
        self._seen = seen
        self._process: psutil.Process | None = None

    def look(self, pid: int) -> None:
        """Look once."""
        process = self._process = self._process or psutil.Process(pid)
        memory_mb = process.memory_info().rss / 1e6
        self._seen.memory_before_mb = self._seen.memory_before_mb or memory_mb
        self._seen.memory_most_mb = max(self._seen.memory_most_mb, memory_mb)
        self._seen.disk_most_mb = max(self._seen.disk_most_mb, self.disk_mb())

    def disk_mb(self) -> float:
        """Return how much waits on disk."""
        sizes = 0
        for path in self._state.glob("spool/*/*.seg"):
            with contextlib.suppress(FileNotFoundError):  # it was sent meanwhile
                sizes += path.stat().st_size
        return sizes / 1e6


def be_away(folder: Path, seconds: float, rate: int) -> Away:
    """Kill the server of a program that traces so many times a second, and start it again after so long."""
    with held_port() as port:
        return _be_away(folder, seconds, rate, port)


def _be_away(folder: Path, seconds: float, rate: int, port: int) -> Away:
    store, state, ids = folder / "served.db", folder / "state", folder / "returned"
    seen = Away()
    watch = Watch(state, seen)
    with _server(store, port) as server:
        environment = {**os.environ, "TRACEHOUND_TRACKING_URI": server.url, STATE: str(state)}
        program = Program(STEADY.format(rate=rate, path=str(ids)), environment)
        _read_until(program, rate // 2)
        watch.look(program.pid)
    begun_s = time.monotonic()
    while (now_s := time.monotonic() - begun_s) < seconds:
        _read_until(program, 0)
        watch.look(program.pid)
    seen.seconds = now_s
    with _server(store, port) as server:
        begun_s = time.monotonic()
        program.stdin.close()
        while not (line := program.stdout.readline()).startswith("end"):
            watch.look(program.pid)
            assert line, "the program has ended too soon"
        seen.caught_up_s = time.monotonic() - begun_s
        seen.dropped = int(line.split()[-1])
        program.wait()
        server.stop()
    program.stdout.close()
    found = spans_in(store)
    traces = {trace_id for trace_id, _ in found}
    returned = set(ids.read_text().split())
    seen.returned, seen.found, seen.lost = len(returned), len(traces), len(returned - traces)
    seen.twice = sum(found.values()) - len(traces)
    seen.disk_after_mb = watch.disk_mb()
    return seen


@contextlib.contextmanager
def _server(store: Path, port: int) -> Iterator[ServerProcess]:
    running = ServerProcess(store, port=port)
    try:
        yield running
    finally:
        running.kill()


def _read_until(program: Program, count: int) -> None:
    """Read a line, and more until a program has said that so many calls have returned."""
    while True:
        line = program.stdout.readline()
        assert line, "the program has ended too soon"
        if int(line) >= count:
            return
