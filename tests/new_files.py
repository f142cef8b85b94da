"""New files of stores: their tables are made once in a process, for that takes longer than what most tests ask."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from tracehound.store.sqlite.store import SqliteStore


def new_file(path: Path) -> SqliteStore:
    """Open a store in a new file, as the program makes it."""
    path.write_bytes(_as_made())
    return SqliteStore(path)


@cache
def _as_made() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        SqliteStore(path).close()
        return path.read_bytes()
