"""Every test in this folder runs on every store: a server seen as one over ASGI, and over a real socket."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.asgi import AsgiTransport, Stage, listening
from tests.clickhouse.opened import HAS_ENGINE, new_store
from tests.new_files import new_file
from tracehound.server.app import create_app
from tracehound.server.limits import ServerLimits
from tracehound.settings import Settings
from tracehound.store.api import Store
from tracehound.store.memory import MemoryStore
from tracehound.store.remote.store import RemoteStore

HERE = ("memory", "sqlite", *(["chdb"] if HAS_ENGINE else []))
ELSEWHERE = "asgi", "socket"


@pytest.fixture(scope="session")
def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="session")
def client(stage: Stage) -> Iterator[TestClient]:
    with TestClient(stage, base_url="http://127.0.0.1") as asking:
        yield asking


@pytest.fixture(scope="session")
def address(stage: Stage) -> Iterator[str]:
    with listening(stage) as url:
        yield url


@contextlib.contextmanager
def opened(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Store]:
    """Open a store: one that is here, or a server of one; over ASGI of one in memory, over the socket of a file."""
    if kind == "chdb":
        with new_store() as found:
            yield found
        return
    own: Store = new_file(folder / "contract.db") if kind in ("sqlite", "socket") else MemoryStore()
    with contextlib.closing(own):
        if kind in HERE:
            yield own
            return
        app = create_app(own, Settings("memory://"), ServerLimits(max_results=50))
        with request.getfixturevalue("stage").showing(app):
            if kind == "asgi":
                remote = RemoteStore(
                    "http://in-process", folder / "spool", AsgiTransport(request.getfixturevalue("client"))
                )
            else:
                remote = RemoteStore(request.getfixturevalue("address"), folder / "spool")
            with contextlib.closing(remote):
                yield remote


@pytest.fixture(params=[*HERE, *ELSEWHERE])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with opened(request.param, request, tmp_path) as found:
        yield found


@pytest.fixture(params=["memory", "sqlite", *ELSEWHERE])
def sql_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Open a store that answers SQL of the user, which ClickHouse is asked itself."""
    with opened(request.param, request, tmp_path) as found:
        yield found


@pytest.fixture(params=HERE)
def settling_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Open a store that is told by `settle` what is on its way, which of a server no client knows."""
    with opened(request.param, request, tmp_path) as found:
        yield found
