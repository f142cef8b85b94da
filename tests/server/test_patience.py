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
def asked_impatiently(begun: bytes) -> Iterator[socket.socket]:
    """Serve a store that waits for nobody; yield a connection on which all of this has come when it is looked at."""
    app = create_app(MemoryStore(), Settings("memory://"), ServerLimits(body_timeout_s=0.05, heartbeat_s=0.05))
    config = uvicorn.Config(app, log_level="warning", http=patient_for(0.05), timeout_keep_alive=0)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],))
    with listener, socket.create_connection(listener.getsockname(), timeout=60) as connection:
        connection.sendall(begun)
        thread.start()
        try:
            yield connection
        finally:
            connection.close()  # or the server would wait for the end of what it answers
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
    with asked_impatiently(begun) as connection:
        received = b""
        while chunk := connection.recv(65_536):  # which ends, since the server closes the connection
            received += chunk
    assert received.startswith(status)
    assert bool(received) == bool(status)


def test_a_request_that_has_come_may_take_its_time() -> None:
    with asked_impatiently(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n") as connection:
        received = b""
        while received.count(b"still here") < 5:  # which comes after four times as long as a head may take
            chunk = connection.recv(65_536)
            assert chunk, received
            received += chunk
    assert received.startswith(b"HTTP/1.1 200 ")
