"""Connections on which requests begin and never end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn

from tracehound.server.app import create_app
from tracehound.server.limits import ServerLimits
from tracehound.server.patience import patient_for
from tracehound.settings import Settings
from tracehound.store.memory import MemoryStore


@contextmanager
def impatient() -> Iterator[int]:
    """Serve a store that waits for nobody; yield the port."""
    app = create_app(MemoryStore(), Settings("memory://"), ServerLimits(body_timeout_s=0.05, heartbeat_s=0.05))
    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    config = uvicorn.Config(app, port=0, log_level="warning", http=patient_for(0.05), timeout_keep_alive=0)
    server = Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    assert started.wait(60)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


HEAD = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"


@pytest.mark.parametrize(
    ("begun", "status"),
    [
        (b"", b""),
        (b"P", b""),
        (HEAD[:-2], b""),
        (HEAD, b"HTTP/1.1 408 "),
        (HEAD + b"{", b"HTTP/1.1 408 "),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hea", b"HTTP/1.1 200 "),
    ],
)
def test_a_request_that_does_not_go_on_is_ended(begun: bytes, status: bytes) -> None:
    with impatient() as port, socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(begun)
        received = b""
        while chunk := connection.recv(65_536):  # which ends, since the server closes the connection
            received += chunk
    assert received.startswith(status)
    assert bool(received) == bool(status)


def test_a_request_that_has_come_may_take_its_time() -> None:
    with impatient() as port, socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = b""
        while received.count(b"still here") < 5:  # which comes after four times as long as a head may take
            received += connection.recv(65_536)
    assert received.startswith(b"HTTP/1.1 200 ")
