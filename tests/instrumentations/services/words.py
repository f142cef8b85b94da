"""What every service serves, and how it is served until its input ends."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import tracehound

tracehound.set_tracking_uri(sys.argv[1])


@tracehound.trace
def shout(word: str) -> str:
    """Return the word in capitals."""
    return word.upper()


class Silent(WSGIRequestHandler):
    """Writes no log."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Do nothing."""


def serve_wsgi(app: Any) -> None:
    """Serve an application of WSGI."""
    with make_server("127.0.0.1", 0, app, handler_class=Silent) as server:
        end_with_input(server.shutdown)
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


def serve_asgi(app: Any) -> None:
    """Serve an application of ASGI."""
    import socket

    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        end_with_input(lambda: setattr(server, "should_exit", True))
        print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        server.run(sockets=[listening])


def end_with_input(stop: Callable[[], object]) -> None:
    """Call a function when standard input ends."""

    def wait() -> None:
        sys.stdin.read()
        stop()

    threading.Thread(target=wait, daemon=True).start()
