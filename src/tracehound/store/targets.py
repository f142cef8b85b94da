"""Where traces are kept: a URI -> a store, and the folder of its spool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tracehound.errors import ArgumentError
from tracehound.store.api import Store
from tracehound.store.filesystem import refuse_network

_DATABRICKS: Final = ("databricks", "databricks-uc", "uc")


@dataclass(frozen=True)
class Target:
    """A place for traces; `path` is None for the store in memory."""

    path: Path | None

    @property
    def spool_directory(self) -> Path | None:
        """The folder of the segments beside the file; None where traces go into the store at once."""
        return None if self.path is None else self.path.with_name(f"{self.path.name}-spool")

    def has_spool(self) -> bool:
        """Whether traces wait for the store, which may not have been made yet."""
        return self.spool_directory is not None and self.spool_directory.exists()


def parse_target(uri: str) -> Target:
    """Return the place that a URI names, with its path made absolute: the program may change its folder later.

    >>> parse_target("sqlite:////var/lib/traces.db").path.name
    'traces.db'
    """
    scheme, separator, rest = str(uri).partition("://")
    if scheme == "memory" and separator:
        return Target(None)
    if uri in _DATABRICKS or scheme in (*_DATABRICKS, "http", "https"):
        raise ArgumentError(
            f"{uri!r} is a server, which Tracehound cannot write to; write the path of a file, sqlite:///path or memory://"
        )
    path = Path(rest[1:] if separator else uri).absolute()
    if uri.startswith("file:"):
        path = Path()  # MLflow's name of a folder
    if (not separator or (scheme == "sqlite" and rest.startswith("/"))) and not path.is_dir():
        return Target(path)
    raise ArgumentError(f"{uri!r} names no store: write the path of a file, sqlite:///path or memory://")


def check_file(target: Target) -> None:
    """Raise `StoreError` for a file that is no store of ours. It is only read, and none is made."""
    if target.path is not None and target.path.exists():
        from tracehound.store.sqlite.connection import READING, open_connection

        open_connection(target.path, READING).close()


def open_store(target: Target, *, allow_network: bool = False) -> Store:
    """Open the store, making the file where it is missing; raise `StoreError` where that cannot be done.

    That is so on network filesystems, unless they are allowed.
    """
    if target.path is None:
        from tracehound.store.memory import MemoryStore

        return MemoryStore()
    if not allow_network:
        refuse_network(target.path)
    from tracehound.store.sqlite.store import SqliteStore

    return SqliteStore(target.path)
