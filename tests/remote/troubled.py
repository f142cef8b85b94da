"""Servers that are none, and a way to a good one on which things go wrong: on real sockets, as a client meets them."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path


def answer(status: str, body: str = "", **headers: str) -> bytes:
    """Return an answer of HTTP; the names of headers are written with `_`."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", body]).encode()


class Listening:
    """Takes connections at a port of this machine, each in a thread of its own."""

    def __init__(self, take: Callable[[socket.socket], None]) -> None:
        self._take = take
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads.append(threading.Thread(target=self._run))
        self._threads[0].start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            end(connection)
        for thread in list(self._threads):
            thread.join()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            self._take(connection)
        self._open.discard(connection)


def end(connection: socket.socket) -> None:
    """End a connection in both directions, whoever waits for it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def scripted(answers: Mapping[str, bytes]) -> Iterator[str]:
    """Serve fixed answers by path, and 404 for all others; yield the address."""

    def take(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            received = connection.recv(65_536)
            if not received:
                return
            head += received
        path = head.split(b" ", 2)[1].decode()
        connection.sendall(answers.get(path, answers.get("*", answer("404 Not Found", "nothing here"))))

    listening = Listening(take)
    try:
        yield listening.url
    finally:
        listening.close()


@contextlib.contextmanager
def silent(first: bytes = b"") -> Iterator[str]:
    """Take connections, answer the first of them if that is given, and no other; yield the address."""
    answers = [first] if first else []

    def take(connection: socket.socket) -> None:
        while connection.recv(65_536):
            if answers:
                connection.sendall(answers.pop())
                return

    listening = Listening(take)
    try:
        yield listening.url
    finally:
        listening.close()


REFUSALS = (
    answer("429 Too Many Requests", "slow down", Retry_After="0"),
    answer("503 Service Unavailable", "<html>", Content_Type="text/html"),
    answer("500 Internal Server Error", "oh"),
    answer("502 Bad Gateway", "oh"),
)


# At most, of what is asked and of what is answered.
_CUT_AFTER_BYTES = {"ask": 1_500, "ask more": 20_000, "answer": 600}


class TroubledWay:
    """Passes on to a server what comes; while `is_troubled`, in one of the ways in which that goes wrong."""

    def __init__(self, port: int, seed: int) -> None:
        self._port = port
        self._random = random.Random(seed)
        self.is_troubled = True
        self.troubles = 0
        self._listening = Listening(self._take)
        self.url = self._listening.url

    def close(self) -> None:
        self._listening.close()

    def _take(self, connection: socket.socket) -> None:
        trouble = self._random.choice([*_CUT_AFTER_BYTES, "close", "refuse"]) if self.is_troubled else "none"
        self.troubles += self.is_troubled
        if trouble == "close":
            return
        if trouble == "refuse":
            connection.recv(65_536)
            connection.sendall(self._random.choice(REFUSALS))
            return
        with socket.create_connection(("127.0.0.1", self._port)) as server:
            # So many bytes are passed on in a direction, then both connections end: between two exchanges, or in one.
            most = self._random.randint(0, _CUT_AFTER_BYTES.get(trouble, 0))
            to_server = most if trouble in ("ask", "ask more") else None
            to_client = most if trouble == "answer" else None
            back = threading.Thread(target=_pass_on, args=(server, connection, to_client))
            back.start()
            _pass_on(connection, server, to_server)
            back.join()


def _pass_on(source: socket.socket, sink: socket.socket, most: int | None) -> None:
    left = most
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data if left is None else data[:left])
            if left is not None:
                left -= len(data)
                if left <= 0:
                    break
    end(source)
    end(sink)


def spool_of(state: Path) -> list[Path]:
    """Return the segments that wait in the only spool of a state folder."""
    return sorted(state.glob("spool/*/*.seg"))
