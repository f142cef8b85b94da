"""Applications in this process, in the place of a server or behind one that is started once for many tests."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from tracehound.store.remote.transport import Answer, Sent


class AsgiTransport:
    """Takes requests to an application: the other side of the seam that HTTP is one side of (`store.remote`)."""

    def __init__(self, client: TestClient) -> None:
        self._client = client

    def send(self, request: Sent) -> Answer:
        """Return the answer."""
        found = self._client.request(
            request.method, request.path, content=request.body, headers=dict(request.headers), follow_redirects=False
        )
        return Answer(found.status_code, {name.lower(): value for name, value in found.headers.items()}, found.content)

    def close(self) -> None:
        """Do nothing: the application is its maker's to close."""


class Stage:
    """An application in whose place others stand, one after the other: to start a server takes longer than a test."""

    def __init__(self) -> None:
        self._app: Starlette | None = None

    @contextlib.contextmanager
    def showing(self, app: Starlette) -> Iterator[None]:
        """Answer with an application meanwhile; what it has begun is ended."""
        before, self._app = self._app, app
        try:
            yield
        finally:
            self._app = before
            app.state.served.writer.close()
            app.state.served.readers.shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for said in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{said}.complete"})
            return
        assert self._app is not None
        await self._app(scope, receive, send)


@contextlib.contextmanager
def listening(stage: Stage) -> Iterator[str]:
    """Serve what is on a stage at a port of this machine; yield the address."""
    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override] # given none
            await super().startup()
            started.set()

    server = Server(uvicorn.Config(stage, port=0, log_level="warning", lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert started.wait(60)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
