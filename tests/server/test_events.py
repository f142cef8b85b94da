"""Server-sent events: who listens hears of what is new and of what has changed, whoever did it."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import tracehound
from tests.forked import Program
from tests.server.process import ServerProcess
from tests.server.test_serving import post, send
from tests.spool.programs import start
from tests.traces import part, span
from tracehound.model.edit import Edit
from tracehound.runtime import Runtime
from tracehound.server.changes import Changes
from tracehound.server.events import Announcer
from tracehound.server.limits import ServerLimits
from tracehound.server.problems import BacklogFullError
from tracehound.settings import Settings
from tracehound.store.sqlite.store import SqliteStore


class Listener:
    """Somebody who listens, and reads one event after the other."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response

    def line(self) -> str:
        return self._response.readline().decode().rstrip("\n")

    def event(self) -> tuple[str, dict[str, Any], str | None]:
        """Return the name of the next event, its data and its id."""
        said: dict[str, str] = {}
        while True:
            name, colon, value = self.line().partition(": ")
            if name and colon:
                said[name] = value
            elif "data" in said:
                return said["event"], json.loads(said["data"]), said.get("id")


@contextmanager
def listening(server: ServerProcess, **headers: str) -> Iterator[Listener]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", "/api/v1/events", headers={key.replace("_", "-"): text for key, text in headers.items()})
    response = connection.getresponse()
    assert response.headers["content-type"].startswith("text/event-stream")
    listener = Listener(response)
    assert listener.line() == ": still here"
    yield listener
    response.close()
    connection.close()


def test_new_traces_are_told_to_all_who_listen(server: ServerProcess) -> None:
    with listening(server) as first, listening(server) as second:
        send(server.port, (1, 1), (1, 2))
        for listener in (first, second):
            name, data, number = listener.event()
            assert (name, data["trace_id"], data["name"], number) == ("trace", f"tr-{1:032x}", "step 1", "1")


def test_what_other_processes_do_is_told(server: ServerProcess) -> None:
    program = """
import dataclasses, tracehound
from tracehound import runtime
# Not while it runs, or it is told twice, however long it takes.
runtime.replace(runtime.Runtime(dataclasses.replace(runtime.current().settings, snapshot_after_s=0)))
with tracehound.start_span("outer") as span:
    print(span.trace_id, flush=True)
tracehound.flush()
input()
tracehound.set_trace_tag(span.trace_id, "reviewed", True)
tracehound.flush()
input()
"""
    with listening(server) as listener:
        other: Program = start(program, server.store)
        told = other.stdout.readline().strip()
        assert listener.event()[:2][1]["trace_id"] == told
        other.stdin.write("\n")
        other.stdin.flush()
        assert listener.event()[0] == "stale"
        other.stdin.write("\n")
        other.communicate()


def test_a_trace_that_was_told_while_it_ran_is_told_again_when_it_ends(server: ServerProcess) -> None:
    program = """
import dataclasses, tracehound
from tracehound import runtime
runtime.replace(runtime.Runtime(dataclasses.replace(runtime.current().settings, snapshot_after_s=0.01)))
with tracehound.start_span("outer"):
    input()
tracehound.flush()
"""
    with listening(server) as listener:
        other = start(program, server.store)
        name, data, _ = listener.event()
        assert (name, data["state"], data["duration_ms"]) == ("trace", "IN_PROGRESS", None)
        other.stdin.write("\n")
        other.communicate()
        while data["state"] == "IN_PROGRESS":  # it may be seen once more while it runs
            name, data, _ = listener.event()
            assert name == "changed"
        assert data["state"] == "OK"


def test_what_is_said_of_a_trace_is_told(server: ServerProcess) -> None:
    send(server.port, (1, 1))
    with listening(server) as listener:
        said = json.dumps({"name": "correct", "value": True}).encode()
        status, _ = post(server.port, f"/api/v1/traces/tr-{1:032x}/assessments", said)
        assert status == 200
        while (told := listener.event())[0] == "stale":  # which is told, too, where a look comes before what changed it
            pass
        name, data, _ = told
        assert (name, [each["name"] for each in data["assessments"]]) == ("changed", ["correct"])


def test_who_listens_again_hears_what_was_missed(server: ServerProcess) -> None:
    with listening(server) as listener:
        send(server.port, (1, 1))
        number = listener.event()[2]
    assert number is not None
    send(server.port, (2, 1))
    send(server.port, (3, 1))
    with listening(server, Last_Event_ID=number) as listener:
        assert [listener.event()[1]["trace_id"][-1] for _ in range(2)] == ["2", "3"]


def announcer(store_path: Path, **limits: Any) -> Announcer:
    store = SqliteStore(store_path)
    return Announcer(Runtime(Settings(str(store_path)), store=store), ServerLimits(**limits))


def test_who_hears_nothing_hears_that(store_path: Path) -> None:
    async def hear() -> list[bytes]:
        messages = await announcer(store_path, heartbeat_s=0.001).listen(None)
        return [await anext(messages) for _ in range(3)]

    assert asyncio.run(hear()) == [b": still here\n\n"] * 3


def test_no_more_may_listen_than_the_limit_says(store_path: Path) -> None:
    async def hear() -> None:
        telling = announcer(store_path, max_listeners=1)
        first = await telling.listen(None)
        await anext(first)
        with pytest.raises(BacklogFullError, match="1 listen already"):
            await telling.listen(None)
        await telling.close()
        assert [each async for each in first] == []
        assert telling.count() == 0

    asyncio.run(hear())


def test_who_reads_too_slowly_is_told_to_ask_anew(store_path: Path) -> None:
    async def hear() -> list[bytes]:
        telling = announcer(store_path, max_unread=2, look_every_s=0.001)
        messages = await telling.listen(None)
        found = [await anext(messages)]
        for number in range(1, 6):
            seen = telling.told
            await asyncio.to_thread(tracehound.start_span_no_context(f"step {number}").end)
            await asyncio.to_thread(tracehound.flush)
            while telling.told == seen:
                await asyncio.sleep(0)
        await telling.close()
        return found + [each async for each in messages]

    assert asyncio.run(hear()) == [b": still here\n\n", b"event: stale\ndata: {}\n\n"]


def test_what_is_noted_after_it_was_seen_to_be_written_is_told_by_the_next_look(store_path: Path) -> None:
    store = SqliteStore(store_path)
    store.write([part(span(1))])
    changes = Changes(Runtime(Settings(str(store_path)), store=store))
    changes.note([span(1).trace_id])
    changes.begin()
    assert changes.look() is None
    store.write([Edit(span(1).trace_id, "k", "v", 5)])
    seen = changes.look()
    assert seen is not None
    assert (seen.new, seen.changed, seen.has_more) == ((), (), True)
    changes.note([span(1).trace_id])
    named = changes.look()
    assert named is not None
    assert ([each.tags["k"] for each in named.changed], named.has_more) == (["v"], False)
    assert changes.look() is None
    store.close()


def test_who_comes_second_does_not_take_for_known_what_the_first_is_to_hear(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Changes] = []
    real_begin = Changes.begin

    def begin(changes: Changes) -> None:
        begun.append(changes)
        real_begin(changes)

    async def hear() -> None:
        telling = announcer(store_path)
        await asyncio.gather(telling.listen(None), telling.listen(None))
        await telling.close()

    monkeypatch.setattr(Changes, "begin", begin)
    asyncio.run(hear())
    assert len(begun) == 1


def test_of_very_many_new_traces_some_are_told_and_that_there_are_more(store_path: Path) -> None:
    store = SqliteStore(store_path)
    changes = Changes(Runtime(Settings(str(store_path)), store=store))
    changes.begin()
    store.write([part(span(1, number)) for number in range(1, 701)])
    first = changes.look()
    assert first is not None
    assert (len(first.new), first.has_more) == (500, True)
    assert changes.look() is None
    store.write([part(span(1, 701))])
    second = changes.look()
    assert second is not None
    assert ([each.number for each in second.new], second.has_more) == ([701], False)
    store.close()
