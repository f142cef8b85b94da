"""Send a server four times what it can take: ./dev overload [SECONDS].

First it is found out how much that is. Then so many requests a second are begun, whatever becomes of those before, as
from many programs that know nothing of each other. What cannot be taken has to be refused with 429 and Retry-After;
memory has to stay bounded; every span of a request that was acknowledged has to be there afterwards; and the next
request is answered at once. The exit code is 1 where it was otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tracehound.model.ids import experiment_id
from tracehound.query.search import parse_search
from tracehound.store.sqlite.store import SqliteStore

MOST_BYTES: Final = 600_000_000  # of memory
SOON_S: Final = 5.0
MOST_TIMES: Final = 1_024  # what it was found to take
LEAST: Final = 20  # bodies by which that is found out
_MOST_UNDER_WAY: Final = 400  # connections, of which a server takes 500
_TRACES: Final = 20
_SPANS: Final = 50
_MARKS: Final = [bytes([0xA0 + number]) * 16 for number in range(_TRACES)]
_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass
class Tally:
    """What became of requests: how many had which status, and the traces of those that were acknowledged."""

    statuses: Counter[int] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set)
    without_retry: int = 0


class Sender:
    """Sends bodies that are alike but for the ids of their traces."""

    def __init__(self, port: int, traces: int = _TRACES, spans: int = _SPANS, text: str = "why? " * 60) -> None:
        self._port = port
        self._marks = _MARKS[:traces]
        self._template = _body(self._marks, spans, text)
        self._count = 0
        self.tally = Tally()

    async def send(self) -> int:
        """Send a body on a connection of its own; return the status of the answer, 0 where there was none."""
        self._count += 1
        body, ids = self._template, []
        for number, mark in enumerate(self._marks):
            trace = (self._count * len(_MARKS) + number + 1).to_bytes(16, "big")
            body = body.replace(mark, trace)
            ids.append(f"tr-{trace.hex()}")
        status, answer = await self._exchange(body)
        self.tally.statuses[status] += 1
        if status == 200:
            self.tally.acknowledged.update(ids)
        self.tally.without_retry += status == 429 and b"retry-after: " not in answer.lower()
        return status

    async def _exchange(self, body: bytes) -> tuple[int, bytes]:
        head = (
            "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        answer = b""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                writer.write(head.encode() + body)
                while chunk := await reader.read(65_536):
                    answer += chunk
            finally:
                writer.close()
        except OSError:  # it is refused before all of it was read, and the answer may be lost with the rest
            pass
        found = _STATUS.match(answer)
        return (0 if found is None else int(found[1])), answer

    async def offer(self, a_second: float, seconds: float) -> int:
        """Begin so many requests a second; return how many of them there were."""
        under_way: set[asyncio.Task[int]] = set()
        begun_s = time.monotonic()
        begun = 0
        while (passed_s := time.monotonic() - begun_s) < seconds:
            while begun < passed_s * a_second and len(under_way) < _MOST_UNDER_WAY:
                task = asyncio.create_task(self.send())
                under_way.add(task)
                task.add_done_callback(under_way.discard)
                begun += 1
            await asyncio.sleep(0.005)
        await asyncio.gather(*under_way)
        return begun


def _body(marks: list[bytes], spans: int, text: str) -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for mark in marks:
        for number in range(1, spans + 1):
            span = scope.spans.add(
                trace_id=mark, span_id=number.to_bytes(8, "big"), name=f"step {number}", kind=1,
                parent_span_id=b"" if number == 1 else (1).to_bytes(8, "big"),
                start_time_unix_nano=1_735_689_600_000_000_000 + number, end_time_unix_nano=1_735_689_601_000_000_000,
            )  # fmt: skip
            span.attributes.add(key="gen_ai.prompt").value.string_value = text
    return request.SerializeToString()


async def _capacity(sender: Sender, seconds: float) -> float:
    """Return how many bodies a second are acknowledged where a few senders wait for each answer."""
    begun_s = time.monotonic()
    count = 0

    async def go_on() -> None:
        nonlocal count
        while time.monotonic() < begun_s + seconds or count < LEAST:
            count += await sender.send() == 200

    await asyncio.gather(*(go_on() for _ in range(8)))
    return count / (time.monotonic() - begun_s)


async def _watch(process: psutil.Process, seen: list[int]) -> None:
    while True:
        seen.append(process.memory_info().rss)
        await asyncio.sleep(0.1)


async def _overload(port: int, process: psutil.Process, seconds: float) -> list[str]:
    """Overload a server, tell what became of it, and return what was wrong, but for what is missing."""
    sender = Sender(port)
    capacity = await _capacity(sender, max(3.0, seconds / 10))
    before = sender.tally.statuses.copy()
    print(f"it takes {capacity:.1f} bodies a second, of {_TRACES * _SPANS:,} spans each", flush=True)
    seen: list[int] = []
    watching = asyncio.create_task(_watch(process, seen))
    times, begun = 4, 0
    while 429 not in sender.tally.statuses - before and times <= MOST_TIMES:
        # More where it was not too much: what else the machine did while the capacity was looked for may have ended.
        begun = await sender.offer(times * capacity, seconds)
        times *= 4
    again_s = time.monotonic()
    status = await sender.send()
    again_s = time.monotonic() - again_s
    watching.cancel()
    told = sender.tally.statuses - before
    shown = ", ".join(f"{count:,} with {number or 'no answer'}" for number, count in sorted(told.items()))
    print(f"{begun:,} were sent in {seconds:g} s, {begun / seconds / capacity:.1f} times that: {shown}")
    print(f"memory: {max(seen) / 1e6:.0f} MB at most; the next request: {status} after {again_s:.2f} s")
    wrong = {
        "nothing was refused": 429 not in told,
        "something was answered otherwise than with 200 and 429": bool(told.keys() - {0, 200, 429, 503}),
        "a refusal did not say when to try again": sender.tally.without_retry > 0,
        "memory was not bounded": max(seen) > MOST_BYTES,
        "it was not well again at once": status != 200 or again_s > SOON_S,
    }
    return [*(what for what, is_so in wrong.items() if is_so), *sorted(sender.tally.acknowledged)]


def missing_in(path: Path, trace_ids: set[str], spans: int = _SPANS) -> set[str]:
    """Return which of the traces a store does not have with all their spans."""
    store = SqliteStore(path)
    search = parse_search([experiment_id("Default")], None, None, limit=500)
    whole: set[str] = set()
    cursor: str | None = None
    while True:
        page = store.search_whole(search if cursor is None else search.behind(cursor))
        whole.update(each.info.trace_id for each in page.traces if len(each.data.spans) == spans)
        cursor = page.next_cursor
        if cursor is None:
            store.close()
            return trace_ids - whole


def main() -> int:
    """Overload a server of its own and say how it fared."""
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", type=float, nargs="?", default=120.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "overload.db")
        arguments = [sys.executable, "-m", "tracehound", "server", "--port", "0", "--store", str(path)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            port = int(re.findall(r":(\d+) ", process.stdout.readline())[0])
            told = asyncio.run(_overload(port, psutil.Process(process.pid), seconds))
            process.terminate()
            process.stdout.read()
        wrong = [each for each in told if not each.startswith("tr-")]
        acknowledged = {each for each in told if each.startswith("tr-")}
        missing = missing_in(path, acknowledged)
    print(f"{len(acknowledged):,} traces were acknowledged, of which {len(missing):,} are missing")
    wrong += ["something that was acknowledged is missing"] if missing else []
    print("\n".join(wrong) or "all is well")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
