"""A gate in front of what takes much memory: as much is let in at a time as there is room for, in order of coming."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """Bounds how many bytes are inside; whoever finds no room waits for those who came before. For one event loop."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._inside_bytes = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def passed(self, count: int) -> AsyncIterator[None]:
        """Have the block run with so many bytes inside; one who wants more than there is room for goes in alone."""
        size = min(count, self._max_bytes)
        if self._waiting or self._inside_bytes + size > self._max_bytes:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((size, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():  # let in and gone in the same moment
                    self._leave(size)
                raise
        else:
            self._inside_bytes += size
        try:
            yield
        finally:
            self._leave(size)

    def _leave(self, size: int) -> None:
        self._inside_bytes -= size
        while self._waiting:
            wanted, turn = self._waiting[0]
            if turn.cancelled():
                self._waiting.popleft()
            elif self._inside_bytes + wanted <= self._max_bytes:
                self._waiting.popleft()
                self._inside_bytes += wanted
                turn.set_result(None)
            else:
                return
