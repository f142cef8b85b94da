"""Stores in the engine of this process: each in a database of its own, for the engine has one folder in a process."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tracehound.query.sql import Sql
from tracehound.store.clickhouse.address import ClickHouseAddress

if TYPE_CHECKING:
    import pytest

    from tracehound.query.limit import SearchLimit
    from tracehound.store.api import Store
    from tracehound.store.clickhouse.engine import Engine, Rows

HAS_ENGINE = find_spec("chdb") is not None  # ./dev chdb
_MEMORY = Path("/dev/shm")
_numbers = itertools.count(1)


@cache
def engine_directory() -> Path:
    """Return the folder of this process's engine, which is gone with the process."""
    folder = tempfile.mkdtemp(prefix="tracehound-chdb-", dir=_MEMORY if _MEMORY.exists() else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


_free: list[ClickHouseAddress] = []


@contextlib.contextmanager
def new_address() -> Iterator[ClickHouseAddress]:
    """Lend a database that is empty. It is emptied and lent again: making one takes longer than most tests."""
    from tracehound.store.clickhouse.schema import TABLES

    address = _free.pop() if _free else _made(ClickHouseAddress(directory=engine_directory(), database=_new_name()))
    yield address
    filled = Sql("SELECT name FROM system.tables WHERE database = ? AND total_rows > 0", (address.database,))
    for (name,) in _keeping().select(filled):
        if name in {table.name for table in TABLES}:
            _keeping().run(f"TRUNCATE TABLE {address.database}.{name}")
    _free.append(address)


@contextlib.contextmanager
def new_store(newest: int | None = None) -> Iterator[Store]:
    """Lend a store that is empty; it looks for pages among so many of the newest first, if that is given."""
    from tracehound.store.clickhouse.recent import Recent
    from tracehound.store.clickhouse.store import ClickHouseStore

    recent = None if newest is None else Recent(newest, known_s=0)
    with new_address() as address, contextlib.closing(ClickHouseStore(address, recent)) as store:
        yield store


def statements_of(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the statements that the connection will have been asked from here on."""
    asked: list[str] = []

    def noting(select: Callable[..., Rows]) -> Callable[..., Rows]:
        def noted(sql: Sql, limit: SearchLimit | None = None) -> Rows:
            asked.append(sql.text)
            return select(sql, limit)

        return noted

    for name in ("select", "select_bytes"):
        monkeypatch.setattr(engine, name, noting(getattr(engine, name)))
    return asked


def _new_name() -> str:
    return f"test{next(_numbers)}"


def _made(address: ClickHouseAddress) -> ClickHouseAddress:
    from tracehound.store.clickhouse.engine import Engine
    from tracehound.store.clickhouse.schema import make_tables

    _keeping()
    with contextlib.closing(Engine(address)) as engine:
        make_tables(engine)
    return address


@cache
def _keeping() -> Engine:
    """Return a connection that is never closed: the engine ends with its last one."""
    from tracehound.store.clickhouse.engine import Engine

    return Engine(ClickHouseAddress(directory=engine_directory(), database="keeping"))
