"""Kill a server while it takes spans in, round by round, and look for what it had answered for."""

from __future__ import annotations

import http.client
import itertools
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.server.otlp import request_of, trace_id
from tests.server.process import ServerProcess
from tracehound.query.search import parse_search
from tracehound.store.sqlite.store import SqliteStore

SENDERS: Final = 4
SPANS_OF_A_TRACE: Final = 2
AT_LEAST: Final = 10  # traces that are answered for, in a round
_LONGEST_MORE_S: Final = 0.1
_PAGE: Final = 500


@dataclass
class Killed:
    """What was seen in all rounds: of spans that were answered for, and of those that are there."""

    rounds: int = 0
    answered: int = 0
    found: int = 0
    lost: int = 0
    twice: int = 0

    @property
    def is_good(self) -> bool:
        """Whether all that was answered for is there, once."""
        return not (self.lost or self.twice)


class Killing:
    """A store, and the servers over it that are killed."""

    def __init__(self, store: Path, chance: random.Random) -> None:
        self._store = store
        self._chance = chance
        self._answered: list[int] = []
        self._rounds = 0

    def play(self) -> None:
        """Run one round: send over several connections at once, and kill the server in the midst of it."""
        running = ServerProcess(self._store)
        is_enough = threading.Event()
        firsts = [1_000_000 * self._rounds + 100_000 * sender + 1 for sender in range(SENDERS)]
        senders = [threading.Thread(target=self._send, args=(running.port, first, is_enough)) for first in firsts]
        try:
            for sender in senders:
                sender.start()
            if not is_enough.wait(60):
                raise RuntimeError("the server answers for nothing")
            time.sleep(self._chance.uniform(0, _LONGEST_MORE_S))  # what is waited for is the moment itself
        finally:
            running.kill()
            for sender in senders:
                sender.join()
        self._rounds += 1

    def look(self) -> Killed:
        """Return what is there of all that was answered for."""
        found = spans_in(self._store)
        answered = {(trace_id(each), f"{span:016x}") for each in self._answered for span in (1, SPANS_OF_A_TRACE)}
        return Killed(
            rounds=self._rounds,
            answered=len(answered),
            found=len(found),
            lost=len(answered - found.keys()),
            twice=sum(count - 1 for count in found.values()),
        )

    def _send(self, port: int, first: int, is_enough: threading.Event) -> None:
        """Send traces of two spans, from a number on, until the server is gone."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for number in itertools.count(first):
            body = request_of((number, 1), (number, 2)).SerializeToString()
            try:
                connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                break
            if response.status == 200:
                self._answered.append(number)
            if len(self._answered) >= AT_LEAST * (self._rounds + 1):
                is_enough.set()
        connection.close()


def spans_in(path: Path) -> Counter[tuple[str, str]]:
    """Return how often each span is in a store, by the ids of its trace and its own, read from the file itself."""
    store = SqliteStore(path)
    search = parse_search(["0"], limit=_PAGE)
    found: Counter[tuple[str, str]] = Counter()
    while True:
        page = store.search_whole(search)
        found.update((trace.info.trace_id, span.span_id) for trace in page.traces for span in trace.data.spans)
        if page.next_cursor is None:
            break
        search = search.behind(page.next_cursor)
    store.close()
    return found
