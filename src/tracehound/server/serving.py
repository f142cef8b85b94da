"""One process that serves a store on one port, until it is told to stop; then it ends what it has begun."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import FrameType
from typing import Final

import uvicorn
from starlette.applications import Starlette

from tracehound.errors import ArgumentError
from tracehound.server.app import create_app
from tracehound.server.limits import ServerLimits
from tracehound.server.served import Served
from tracehound.settings import Settings
from tracehound.spool.drain import Drainer
from tracehound.store.targets import open_store, parse_target

_STOPS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))
_LONGEST_STOP_S: Final = 10  # for requests that are under way
_BACKLOG: Final = 2_048


def run_server(
    settings: Settings,
    host: str,
    port: int,
    limits: ServerLimits,
    on_ready: Callable[[str, str | None], None],
    grpc_port: int | None = None,
) -> None:
    """Serve the store of the settings until SIGTERM or SIGINT; everything that was answered for is kept.

    `on_ready` is told the address when requests are taken, and that of OTLP/gRPC where a port is given for it. Port 0
    is one that is free. Raise `ArgumentError` where the
    address cannot be had, `StoreError` where the store cannot be opened.
    """
    target = parse_target(settings.tracking_uri)
    if target.url is not None and target.clickhouse is None:
        raise ArgumentError(f"{target.url} is a server itself: serve the path of a file, memory:// or a ClickHouse")
    allow_network = settings.allow_network_filesystem
    with closing(_listen(host, port)) as listener, closing(open_store(target, allow_network=allow_network)) as store:
        folder = target.spool_directory
        drain = None if folder is None else Drainer(folder, lambda: store, settings.prices).drain
        app = create_app(store, settings, limits, drain=drain)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, lifespan="on", server_header=False,
            timeout_graceful_shutdown=_LONGEST_STOP_S,
        )  # fmt: skip
        with _taking_grpc(app.state.served, host, grpc_port) as grpc_address, _signals_are_swallowed():
            _Server(config, app, lambda: on_ready(_address_of(listener), grpc_address)).run([listener])


class _Server(uvicorn.Server):
    """A server that says when it takes requests, and ends what has no end by itself when it is to stop."""

    def __init__(self, config: uvicorn.Config, app: Starlette, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._served: Served = app.state.served
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take requests, and say so."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop taking requests; those who listen to events hear the end of them."""
        self._served.announcer.stop()
        super().handle_exit(sig, frame)


@contextmanager
def _taking_grpc(served: Served, host: str, port: int | None) -> Iterator[str | None]:
    """Take OTLP/gRPC at a port meanwhile, if one is given; yield the address."""
    if port is None:
        yield None
        return
    from tracehound.server.otlp_grpc import run_grpc

    with run_grpc(served, host, port, _LONGEST_STOP_S) as address:
        yield address


@contextmanager
def _signals_are_swallowed() -> Iterator[None]:
    """Have the signals that stop the server end nothing else: it raises them again when it has stopped."""
    before = {number: signal.signal(number, lambda *_: None) for number in _STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raise `ArgumentError`, which says what to do, where it cannot."""
    try:
        [family, *_], *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except socket.gaierror as error:
        raise ArgumentError(
            f"there is no address {host!r}; 127.0.0.1 is this machine alone, 0.0.0.0 all of it"
        ) from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ArgumentError(
            f"{host} port {port} cannot be listened on ({reason}): another program may use it; --port names another"
            " one, --port 0 takes one that is free"
        ) from error


def _address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
