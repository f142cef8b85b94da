"""Where traces are kept: a URI -> a store, and the folder of its spool."""

from __future__ import annotations

import re
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tracehound.errors import ArgumentError
from tracehound.model.ids import hash63
from tracehound.settings import state_directory
from tracehound.store.api import Store
from tracehound.store.filesystem import refuse_network

if TYPE_CHECKING:  # a program that only traces into a file loads nothing of it
    from tracehound.store.clickhouse.address import ClickHouseAddress

_CLICKHOUSE: Final = ("clickhouse", "clickhouses", "chdb")
_DATABRICKS: Final = ("databricks", "databricks-uc", "uc")
_ALLOWED: Final = (
    "write the path of a file, sqlite:///path, memory://, the address of a Tracehound server or clickhouse://host"
)
_PORTS: Final = {"http": 80, "https": 443}
_ODD: Final = re.compile(r"[^A-Za-z0-9.-]+")
_LONGEST_NAME: Final = 60
_USER: Final = re.compile(r"//[^/]*@")


@dataclass(frozen=True)
class Target:
    """A place for traces: a file, or a server at an address, or a ClickHouse; the store in memory is none of them.

    `url` says where a server or a ClickHouse is, without what is secret.
    """

    path: Path | None
    url: str | None = None
    clickhouse: ClickHouseAddress | None = None

    @property
    def spool_directory(self) -> Path | None:
        """The folder of the segments; None where traces go into the store at once.

        It lies beside a file. What waits for a server lies where this user keeps such things, for all his programs.
        """
        if self.clickhouse is not None and self.clickhouse.directory is not None:
            return self.clickhouse.directory.with_name(f"{self.clickhouse.directory.name}-spool")
        if self.url is not None:
            name = _ODD.sub("-", self.url.partition("://")[2])[:_LONGEST_NAME]
            return state_directory() / "spool" / f"{name}-{hash63(self.url):016x}"
        return None if self.path is None else self.path.with_name(f"{self.path.name}-spool")

    @property
    def key_neighbour(self) -> Path | None:
        """What the key for pseudonyms lies beside (`screening`): the file, or the folder of what is for a server."""
        return self.path or self.spool_directory

    @property
    def longest_wait_s(self) -> float:
        """How long to wait at most before a store that did not take something is asked again."""
        return 2.0 if self.url is None else 30.0

    def has_spool(self) -> bool:
        """Whether traces wait for the store, which may not have been made yet."""
        return self.spool_directory is not None and self.spool_directory.exists()


# At the end of the interpreter the engine of chdb:// ends with whatever hangs on weak references, in the reverse order
# of what was registered first: with this it ends behind the program's last look at its spool.
weakref.finalize(Target, bool)


def parse_target(uri: str) -> Target:
    """Return the place that a URI names, with its path made absolute: the program may change its folder later.

    >>> parse_target("sqlite:////var/lib/traces.db").path.name
    'traces.db'
    """
    scheme, separator, rest = str(uri).partition("://")
    if scheme == "memory" and separator:
        return Target(None)
    if scheme.lower() in ("http", "https") and separator:
        return Target(None, _normal_url(uri))
    if scheme.lower() in _CLICKHOUSE and separator:
        from tracehound.store.clickhouse.address import parse_address

        address = parse_address(uri)
        return Target(None, address.shown(), address)
    if uri in _DATABRICKS or scheme in _DATABRICKS:
        raise ArgumentError(f"{uri!r} is a server of Databricks, which Tracehound cannot write to; {_ALLOWED}")
    if scheme.lower() == "databricks-sql":
        raise ArgumentError(f"{uri!r} is a SQL warehouse, which is only searched: `tracehound warehouse add` names it")
    path = Path(rest[1:] if separator else uri).absolute()
    if uri.startswith("file:"):
        path = Path()  # MLflow's name of a folder
    if (not separator or (scheme == "sqlite" and rest.startswith("/"))) and not path.is_dir():
        return Target(path)
    raise ArgumentError(f"{without_password(uri)!r} names no store: {_ALLOWED}")


def _normal_url(uri: str) -> str:
    """Return the address of a server in one of the ways of writing it; raise `ArgumentError` where it is none."""
    try:
        found = urlsplit(uri)
        port = found.port
    except ValueError as error:
        raise ArgumentError(f"{without_password(uri)!r} is no address of a server: {error}") from error
    if found.username is not None or found.password is not None:
        raise ArgumentError("an address of a server holds no user and no password: they would be seen everywhere")
    if not found.hostname or found.query or found.fragment or not uri.isprintable() or " " in uri:
        raise ArgumentError(f"{uri!r} is no address of a server: write http://host:port")
    host = f"[{found.hostname}]" if ":" in found.hostname else found.hostname
    shown_port = "" if port in (None, _PORTS[found.scheme]) else f":{port}"
    return f"{found.scheme}://{host}{shown_port}{found.path.rstrip('/')}"


def without_password(uri: str) -> str:
    """Return a URI as it may be shown: addresses of databases have a user and a password in them.

    >>> without_password("clickhouse://ann:secret@db.example/traces")
    'clickhouse://…@db.example/traces'
    """
    return _USER.sub("//…@", str(uri))


def check_file(target: Target) -> None:
    """Raise `StoreError` for a file that is no store of ours. It is only read, and none is made."""
    if target.path is not None and target.path.exists():
        from tracehound.store.sqlite.connection import READING, open_connection

        open_connection(target.path, READING).close()


def open_store(target: Target, *, allow_network: bool = False, token: str | None = None) -> Store:
    """Open the store, making the file where it is missing; raise `StoreError` where that cannot be done.

    A server is not asked before it is needed: it may be away. `token` is shown to it.

    That is so on network filesystems, unless they are allowed.
    """
    if target.clickhouse is not None:
        from tracehound.store.clickhouse.store import ClickHouseStore

        return ClickHouseStore(target.clickhouse)
    if target.url is not None:
        from tracehound.store.remote.store import RemoteStore

        folder = target.spool_directory
        return RemoteStore(target.url, Path() if folder is None else folder, token=token)
    if target.path is None:
        from tracehound.store.memory import MemoryStore

        return MemoryStore()
    if not allow_network:
        refuse_network(target.path)
    from tracehound.store.sqlite.store import SqliteStore

    return SqliteStore(target.path)
