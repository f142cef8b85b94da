"""Kill programs and the server that they trace to, round by round, and look for what their calls had returned."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import Final

from tests.forked import Program
from tests.server.killing import Killed, spans_in
from tests.server.process import ServerProcess
from tests.spool.programs import ENDLESS
from tracehound.settings import STATE

PROGRAMS: Final = 3
AT_LEAST: Final = 20  # calls of each that have returned, in a round
_LONGEST_MORE_S: Final = 0.1

# Sends what other programs have left behind, and says how much still waits.
SENDING: Final = """
import tracehound
with tracehound.start_span("later"):
    pass
print(tracehound.flush().pending)
"""


class RemoteKilling:
    """A server over a store at a port, the programs that trace to it, and the folder where what they finished waits."""

    def __init__(self, store: Path, chance: random.Random, port: int) -> None:
        self._store = store
        self._chance = chance
        self._state = store.with_name("state")
        self._returned: set[str] = set()
        self._rounds = 0
        self._port = port

    def play(self) -> None:
        """Run one round: kill the server and every program, each at its own moment, and in any order."""
        server = ServerProcess(self._store, port=self._port)
        programs = [self._start(ENDLESS, server.url) for _ in range(PROGRAMS)]
        try:
            for program in programs:
                self._returned.update(program.stdout.readline().strip() for _ in range(AT_LEAST))
            ends = [server.kill, *(program.kill for program in programs)]
            self._chance.shuffle(ends)
            for end in ends:
                time.sleep(self._chance.uniform(0, _LONGEST_MORE_S))  # what is waited for is the moment itself
                end()
        finally:
            for program in programs:
                program.kill()
        for program in programs:
            program.stdin.close()
            with program.stdout:
                rest = program.stdout.readlines()
            program.wait()
            self._returned.update(line.strip() for line in rest if line.endswith("\n"))
        self._rounds += 1

    def look(self) -> Killed:
        """Start the server once more, have a later program send what was left, and return what is there."""
        server = ServerProcess(self._store, port=self._port)
        try:
            later = self._start(SENDING, server.url)
            pending = later.communicate()
        finally:
            server.stop()
            server.kill()
        assert (pending, later.returncode) == ("0\n", 0)
        found = spans_in(self._store)
        traces = {trace_id for trace_id, _ in found}
        return Killed(
            rounds=self._rounds,
            answered=len(self._returned),
            found=len(traces),
            lost=len(self._returned - traces),
            twice=sum(found.values()) - len(traces),  # each of their traces is one span
        )

    def left(self) -> list[Path]:
        """Return the segments that still wait."""
        return sorted(self._state.glob("spool/*/*.seg"))

    def _start(self, source: str, url: str) -> Program:
        return Program(source, {**os.environ, "TRACEHOUND_TRACKING_URI": url, STATE: str(self._state)})
