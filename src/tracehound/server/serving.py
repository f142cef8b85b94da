"""One process that serves a store on one port, until it is told to stop; then it ends what it has begun."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

import uvicorn
from starlette.applications import Starlette

from tracehound.errors import ArgumentError
from tracehound.server.allocation import give_back_large_blocks
from tracehound.server.app import create_app
from tracehound.server.certificate import Certificate
from tracehound.server.collecting import collect_seldom
from tracehound.server.guard.credentials import Credentials
from tracehound.server.guard.guards import TokenGuard
from tracehound.server.guard.origins import is_loopback, names_of_this_machine
from tracehound.server.guard.views import Views
from tracehound.server.limits import ServerLimits
from tracehound.server.patience import patient_for
from tracehound.server.served import Served
from tracehound.settings import Settings
from tracehound.spool.drain import Drainer
from tracehound.store.api import Store
from tracehound.store.targets import open_store, parse_target

_STOPS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))
_LONGEST_STOP_S: Final = 10  # for requests that are under way
_BACKLOG: Final = 2_048


@dataclass(frozen=True)
class Place:
    """Where a server listens, and for whom. Port 0 is one that is free.

    Nobody gets in without a token when there is one, when `needs_token` says so, and on every address that is not of
    this machine alone, unless `is_open`. `names` are those by which the server may be asked, all of them without any.
    """

    host: str = "127.0.0.1"
    port: int = 5_000
    grpc_port: int | None = None
    certificate: Certificate | None = None
    names: tuple[str, ...] = ()
    needs_token: bool = False
    is_open: bool = False


def run_server(
    settings: Settings, place: Place, limits: ServerLimits, on_ready: Callable[[str, str | None], None]
) -> None:
    """Serve the store of the settings until SIGTERM or SIGINT; everything that was answered for is kept.

    `on_ready` is told the address when requests are taken, and that of OTLP/gRPC where a port is given for it. Raise
    `ArgumentError` where the address cannot be had or everybody could get in, `StoreError` where the store cannot be
    opened.
    """
    target = parse_target(settings.tracking_uri)
    if target.url is not None and target.clickhouse is None:
        raise ArgumentError(f"{target.url} is a server itself: serve the path of a file, memory:// or a ClickHouse")
    allow_network = settings.allow_network_filesystem
    with ExitStack() as open_things:
        listener = open_things.enter_context(closing(_listen(place.host, place.port)))
        store = open_things.enter_context(closing(open_store(target, allow_network=allow_network)))
        guard = _guard_of(store, place)
        folder = target.spool_directory
        drain = None if folder is None else Drainer(folder, lambda: store, settings.prices).drain
        app = create_app(store, settings, limits, drain=drain, guard=guard)
        address = _address_of(listener, "http" if place.certificate is None else "https")
        grpc_address = open_things.enter_context(_taking_grpc(app.state.views, place))
        open_things.enter_context(_signals_are_swallowed())
        _Server(_configure(app, limits, place), app, lambda: on_ready(address, grpc_address)).run([listener])


def _guard_of(store: Store, place: Place) -> TokenGuard:
    """Return who stands before the routes; raise `ArgumentError` where everybody of a network could come in."""
    is_private = is_loopback(place.host)
    credentials = Credentials(store, is_required=place.needs_token or not (is_private or place.is_open))
    credentials.refresh()
    if not (is_private or place.is_open or place.needs_token) and not credentials.has_any():
        raise ArgumentError(
            f"on {place.host} everybody who can reach this machine could read and delete all traces: make a token first"
            " (tracehound token create --role admin), or say --without-tokens if something else keeps them out"
        )
    return TokenGuard(credentials, names_of_this_machine(place.host), place.names)


def _configure(app: Starlette, limits: ServerLimits, place: Place) -> uvicorn.Config:
    certificate = place.certificate
    return uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="on", server_header=False,
        timeout_graceful_shutdown=_LONGEST_STOP_S,
        http=patient_for(limits.head_timeout_s), h11_max_incomplete_event_size=limits.max_head_bytes,
        limit_concurrency=limits.max_connections, ws="none",
        # Without trust in what proxies say: the address of whoever asks decides nothing here.
        proxy_headers=False,
        ssl_certfile=None if certificate is None else certificate.chain,
        ssl_keyfile=None if certificate is None else certificate.key,
    )  # fmt: skip


class _Server(uvicorn.Server):
    """A server that says when it takes requests, and ends what has no end by itself when it is to stop."""

    def __init__(self, config: uvicorn.Config, app: Starlette, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._served: Served = app.state.served
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take requests, and say so."""
        await super().startup(sockets)
        collect_seldom()
        give_back_large_blocks()
        if self.started:
            self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop taking requests; those who listen to events hear the end of them."""
        self._served.announcer.stop()
        super().handle_exit(sig, frame)


@contextmanager
def _taking_grpc(views: Views, place: Place) -> Iterator[str | None]:
    """Take OTLP/gRPC at a port meanwhile, if one is given; yield the address."""
    if place.grpc_port is None:
        yield None
        return
    from tracehound.server.otlp_grpc import run_grpc

    with run_grpc(views, place.host, place.grpc_port, _LONGEST_STOP_S, place.certificate) as address:
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


def _address_of(listener: socket.socket, scheme: str) -> str:
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
