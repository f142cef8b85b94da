"""Requests to one server: how they get there is a seam, which HTTP is one side of, and an application in this process
another, for tests.

HTTP keeps one connection for each thread, since a connection takes one request at a time. A server may close it between
two requests; then the request is sent once more, which all requests of ours bear.
"""

from __future__ import annotations

import http.client
import selectors
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlsplit

from tracehound.query.limit import SearchLimit

CONNECT_TIMEOUT_S: Final = 5.0
_LOOK_EVERY_S: Final = 0.05  # whether a search was cancelled
_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Sent:
    """A request; the path is below the address of the server. `limit` may be cancelled while the answer is awaited."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = CONNECT_TIMEOUT_S
    limit: SearchLimit | None = None


@dataclass(frozen=True)
class Answer:
    """What came back; the names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Takes requests to a server. Called from any thread."""

    def send(self, request: Sent) -> Answer:
        """Return the answer; raise `OSError` or `http.client.HTTPException` where there is none."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


class HttpTransport:
    """Requests over HTTP or HTTPS to `scheme://host[:port][/path]`."""

    def __init__(self, url: str) -> None:
        found = urlsplit(url)
        self._is_safe = found.scheme == "https"
        self._host = found.hostname or ""
        self._port = found.port
        self._base = found.path.rstrip("/")
        self._own = threading.local()
        self._lock = threading.Lock()
        self._open: dict[int, http.client.HTTPConnection] = {}  # by thread; one of a thread that is gone is replaced

    def send(self, request: Sent) -> Answer:
        """Return the answer; raise `OSError` or `http.client.HTTPException` where there is none."""
        connection = self._connection()
        is_used = connection.sock is not None
        try:
            return self._exchange(connection, request)
        except TimeoutError:
            raise
        except (OSError, http.client.HTTPException):
            if not is_used:
                raise
        return self._exchange(connection, request)

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for connection in self._open.values():
                connection.close()
            self._open.clear()

    def _connection(self) -> http.client.HTTPConnection:
        known: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if known is None:
            kind = http.client.HTTPSConnection if self._is_safe else http.client.HTTPConnection
            known = self._own.connection = kind(self._host, self._port, timeout=CONNECT_TIMEOUT_S)
        with self._lock:
            self._open[threading.get_ident()] = known
        return known

    def _exchange(self, connection: http.client.HTTPConnection, request: Sent) -> Answer:
        deadline_s = time.monotonic() + request.timeout_s
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(request.timeout_s)
            # A server may refuse a body before it has read all of it: then the answer is there though the rest is not.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(request.method, self._base + request.path, request.body, dict(request.headers))
            if request.limit is not None:
                _await(connection, request.limit, deadline_s)
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, _read(response, deadline_s))
        except BaseException:
            connection.close()  # what comes on it later belongs to a request that nobody waits for
            raise


def _await(connection: http.client.HTTPConnection, limit: SearchLimit, deadline_s: float) -> None:
    """Wait for the beginning of an answer; raise `SearchCancelledError` when somebody ends the search."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        while not (isinstance(connection.sock, ssl.SSLSocket) and connection.sock.pending()):
            if selector.select(_LOOK_EVERY_S):
                return
            limit.check_cancelled()
            if time.monotonic() > deadline_s:
                raise TimeoutError("timed out")


def _read(response: http.client.HTTPResponse, deadline_s: float) -> bytes:
    """Return the body; raise `TimeoutError` where it comes too slowly, however steadily."""
    chunks: list[bytes] = []
    while chunk := response.read(_CHUNK_BYTES):
        chunks.append(chunk)
        if time.monotonic() > deadline_s:
            raise TimeoutError("timed out")
    if response.length:
        raise http.client.IncompleteRead(b"".join(chunks), response.length)
    return b"".join(chunks)
