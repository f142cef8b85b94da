"""A server in this process, over a real socket, and the state folder of its clients."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from tests.asgi import Stage, listening
from tracehound.server.app import create_app
from tracehound.settings import Settings
from tracehound.store.sqlite.store import SqliteStore


@pytest.fixture(scope="session")
def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="session")
def address(stage: Stage) -> Iterator[str]:
    with listening(stage) as url:
        yield url


@pytest.fixture
def served(tmp_path: Path) -> Iterator[SqliteStore]:
    """Open the store of the server."""
    with contextlib.closing(SqliteStore(tmp_path / "served.db")) as store:
        yield store


@pytest.fixture
def app(stage: Stage, served: SqliteStore, tmp_path: Path) -> Iterator[Starlette]:
    made = create_app(served, Settings(str(tmp_path / "served.db")))
    with stage.showing(made):
        yield made


@pytest.fixture
def url(app: Starlette, address: str) -> str:
    """Return the address of a server with a store of its own."""
    return address


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return the folder where what waits for servers is kept (`tests/conftest.py` sets it)."""
    return tmp_path / "state"
