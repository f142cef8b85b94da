"""Stores in the engine of this process: each in a database of its own, for the engine has one folder in a process."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tracehound.store.clickhouse.address import ClickHouseAddress

HAS_ENGINE = find_spec("chdb") is not None  # ./dev chdb
_MEMORY = Path("/dev/shm")
_numbers = itertools.count(1)


@cache
def engine_directory() -> Path:
    """Return the folder of this process's engine, which is gone with the process."""
    folder = tempfile.mkdtemp(prefix="tracehound-chdb-", dir=_MEMORY if _MEMORY.exists() else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@contextlib.contextmanager
def new_address() -> Iterator[ClickHouseAddress]:
    """Lend a database that is empty, and drop it afterwards."""
    from tracehound.store.clickhouse.engine import Engine

    address = ClickHouseAddress(directory=engine_directory(), database=f"test{next(_numbers)}")
    with contextlib.closing(Engine(address)) as keeping:  # the engine ends with its last connection
        yield address
        keeping.run(f"DROP DATABASE IF EXISTS {address.database}")
