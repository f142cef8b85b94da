"""Server-sent events: who listens is told of new and changed traces, whoever wrote them.

    event: trace      a trace that is new; its id is the number that `Last-Event-ID` gives when somebody listens again
    event: changed    a trace that was known and is another now
    event: stale      something was changed that is not told one by one: whatever is shown is to be asked for anew

Between events a comment is sent, so that connections that are gone are noticed. One task looks for all who listen, and
only while there are any.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from typing import Final

from starlette.concurrency import run_in_threadpool

from tracehound.model.record import Record, to_json
from tracehound.runtime import Runtime
from tracehound.server.changes import Changes, Look
from tracehound.server.guard.rights import EVERYTHING, Rights
from tracehound.server.limits import ServerLimits
from tracehound.server.problems import BacklogFullError
from tracehound.server.shapes import shape_of_trace

MEDIA_TYPE: Final = "text/event-stream"
_STALE: Final = b"event: stale\ndata: {}\n\n"
_ALIVE: Final = b": still here\n\n"

_logger = logging.getLogger("tracehound.server")


class Announcer:
    """Tells those who listen. All of it but `note` and `stop` is for the event loop alone."""

    def __init__(self, runtime: Runtime, limits: ServerLimits) -> None:
        self._changes = Changes(runtime)
        self._limits = limits
        self._listeners: dict[asyncio.Queue[bytes | None], Rights] = {}
        self._task: asyncio.Task[None] | None = None
        self._beginning = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.note = self._changes.note
        self.told = 0  # how often those who listen were told something

    def count(self) -> int:
        """Return how many listen."""
        return len(self._listeners)

    async def listen(self, last_id: int | None, rights: Rights = EVERYTHING) -> AsyncIterator[bytes]:
        """Return messages, from behind the last one that was heard if it is given; raise where too many listen.

        They tell of the traces of those experiments alone that the rights are about.
        """
        if len(self._listeners) >= self._limits.max_listeners:
            raise BacklogFullError(f"{self._limits.max_listeners} listen already: try again later")
        async with self._beginning:  # once for those who come at once: what the first may miss is told from here on
            if self._task is None:
                self._loop = asyncio.get_running_loop()
                await run_in_threadpool(self._changes.begin)
                self._task = asyncio.create_task(self._watch())
        return self._read(last_id, rights)

    async def _read(self, last_id: int | None, rights: Rights) -> AsyncIterator[bytes]:
        """Yield messages from now on, until the server stops."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._listeners[queue] = rights
        if self._task is None:
            self._task = asyncio.create_task(self._watch())
        try:
            yield _ALIVE
            if last_id is not None:
                yield await run_in_threadpool(self._missed, last_id, rights)
            while True:
                try:
                    message = await asyncio.wait_for(queue.get(), self._limits.heartbeat_s)
                except (TimeoutError, asyncio.TimeoutError):
                    message = _ALIVE
                if message is None:
                    return
                yield message
        finally:
            self._listeners.pop(queue, None)

    def stop(self) -> None:
        """End what those who listen are told, from any thread: the server is about to stop."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end)

    async def close(self) -> None:
        """Look no more."""
        self._end()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self) -> None:
        """Look for changes as long as anybody listens."""
        while True:
            await asyncio.sleep(self._limits.look_every_s)
            if not self._listeners:
                self._task = None
                return
            try:
                messages = await run_in_threadpool(self._look, set(self._listeners.values()))
            except Exception as error:  # noqa: BLE001 - whatever it is, the next changes are to be told too
                _logger.warning("changes cannot be told: %s", error)
                continue
            self._tell(messages)

    def _missed(self, last_id: int, rights: Rights) -> bytes:
        return _to_messages(self._changes.since(last_id), rights)

    def _look(self, listening: Iterable[Rights]) -> dict[Rights, bytes]:
        """Return what has happened, for each of those who listen."""
        found = self._changes.look()
        return {} if found is None else {rights: _to_messages(found, rights) for rights in listening}

    def _tell(self, messages: Mapping[Rights, bytes]) -> None:
        """Tell each what is his; who has come meanwhile hears it from what he asks for."""
        for queue, rights in self._listeners.items():
            message = messages.get(rights)
            if message:
                self._put(queue, message)
        self.told += bool(messages)

    def _end(self) -> None:
        for queue in self._listeners:
            self._put(queue, None)

    def _put(self, queue: asyncio.Queue[bytes | None], message: bytes | None) -> None:
        if queue.qsize() >= self._limits.max_unread:  # who reads so slowly is to ask anew
            while not queue.empty():
                queue.get_nowait()
            queue.put_nowait(_STALE)
        queue.put_nowait(message)


def _to_messages(look: Look, rights: Rights) -> bytes:
    """Return what has happened in the experiments that the rights are about, as events."""
    new = [each for each in look.new if rights.include(each.info.experiment_id)]
    changed = [info for info in look.changed if rights.include(info.experiment_id)]
    messages = [_to_message("trace", shape_of_trace(each.info), each.number) for each in new]
    messages += [_to_message("changed", shape_of_trace(info)) for info in changed]
    return b"".join([*messages, _STALE] if look.has_more else messages)


def _to_message(event: str, data: Record, number: int | None = None) -> bytes:
    head = f"event: {event}\n" if number is None else f"id: {number}\nevent: {event}\n"
    return head.encode() + b"data: " + to_json(data) + b"\n\n"
