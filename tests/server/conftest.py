"""A server in this process, for what is quick, and one in a process of its own, for what can be killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.new_files import new_file
from tests.server.process import ServerProcess
from tracehound.server.app import create_app
from tracehound.server.limits import ServerLimits
from tracehound.settings import Settings
from tracehound.spool.drain import Drainer
from tracehound.store.sqlite.store import SqliteStore


@pytest.fixture
def limits() -> ServerLimits:
    """What the server in this process takes on; a test may have its own."""
    return ServerLimits(max_body_bytes=1_000_000, max_waiting_bytes=4_000_000, look_every_s=0.01)


@pytest.fixture
def client(store_path: Path, limits: ServerLimits) -> Iterator[TestClient]:
    """Ask a server in this process, over the store that the test's own traces go to."""
    store = new_file(store_path)
    drain = Drainer(store_path.with_name(f"{store_path.name}-spool"), lambda: store).drain
    app = create_app(store, Settings(str(store_path)), limits, drain=drain)
    with TestClient(app, base_url="http://127.0.0.1") as asking:
        yield asking
    store.close()


@pytest.fixture
def server(store_path: Path) -> Iterator[ServerProcess]:
    """Run a server over the test's store."""
    running = ServerProcess(store_path)
    yield running
    running.kill()


@pytest.fixture(scope="module")
def shared_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Ask one server in this process through all examples of a property."""
    path = tmp_path_factory.mktemp("shared") / "tracehound.db"
    store = SqliteStore(path)
    with TestClient(create_app(store, Settings(str(path))), base_url="http://127.0.0.1") as asking:
        yield asking
    store.close()
