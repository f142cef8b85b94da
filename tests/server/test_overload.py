"""More than a server can take at once: a short round of what `./dev overload` does for two minutes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from tests.overload import Sender, missing_in
from tracehound.server.app import create_app
from tracehound.server.limits import ServerLimits
from tracehound.settings import Settings
from tracehound.store.sqlite.store import SqliteStore

AT_ONCE = 50
ROUNDS = 3
SPANS = 20


@contextmanager
def listening(path: Path) -> Iterator[int]:
    """Serve a store that lets little wait; yield the port."""
    store = SqliteStore(path)
    app = create_app(store, Settings(str(path)), ServerLimits(max_waiting_bytes=100_000))
    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override] # given none
            await super().startup()
            started.set()

    server = Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert started.wait(60)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        store.close()


def test_what_cannot_be_taken_is_refused_and_what_was_acknowledged_is_there(tmp_path: Path) -> None:
    async def flood(port: int) -> Sender:
        sender = Sender(port, traces=2, spans=SPANS)
        for _ in range(ROUNDS):
            await asyncio.gather(*(sender.send() for _ in range(AT_ONCE)))
            assert await sender.send() == 200, "it is well again at once"
        return sender

    with listening(tmp_path / "overloaded.db") as port:
        tally = asyncio.run(flood(port)).tally
    # The answer to a body that is still on its way may be lost with it.
    assert set(tally.statuses) <= {0, 200, 429}
    assert tally.statuses[429] > AT_ONCE
    assert tally.statuses[200] > ROUNDS
    assert tally.without_retry == 0
    assert missing_in(tmp_path / "overloaded.db", tally.acknowledged, SPANS) == set()
