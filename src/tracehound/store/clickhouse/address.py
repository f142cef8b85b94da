"""Where a ClickHouse is: `clickhouse://user:password@host:port/database?cluster=name`, `chdb:///directory`.

A password may stand in the URI or, better, in the environment (`TRACEHOUND_CLICKHOUSE_PASSWORD`). It is never part of
what is shown, nor of the name of the spool's folder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from tracehound.errors import ArgumentError

_HOW: Final = "write clickhouse://user@host:8123/database, clickhouses:// over TLS, or chdb:///directory"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_DATABASE: Final = "tracehound"
_PORTS: Final = {"clickhouse": 8123, "clickhouses": 8443}
_MOST_DAYS: Final = 36_500


@dataclass(frozen=True)
class ClickHouseAddress:
    """A database of a server, or with a `directory` of the engine in this process.

    `cluster` names the cluster whose servers hold the tables together. `retention_days` is after how many days traces
    are removed, None for never; it counts when the tables are made.
    """

    host: str = ""
    port: int = 0
    database: str = _DATABASE
    user: str = "default"
    password: str = field(default="", repr=False)
    is_secure: bool = False
    cluster: str | None = None
    retention_days: int | None = None
    directory: Path | None = None

    def shown(self) -> str:
        """Return the address without what is secret: the same place has the same text."""
        if self.directory is not None:
            return f"chdb://{self.directory}"
        scheme = "clickhouses" if self.is_secure else "clickhouse"
        return f"{scheme}://{self.user}@{self.host}:{self.port}/{self.database}"


def parse_address(uri: str) -> ClickHouseAddress:
    """Return what a URI names; raise `ArgumentError` where it is none.

    >>> parse_address("clickhouse://ann@db.example/traces?cluster=main").shown()
    'clickhouse://ann@db.example:8123/traces'
    """
    scheme, _, rest = uri.partition("://")
    if scheme.lower() == "chdb":
        if not rest.startswith("/") or "?" in rest:
            raise ArgumentError(f"{uri!r} names no folder: {_HOW}")
        return ClickHouseAddress(directory=Path(rest if not _has_drive(rest) else rest[1:]).absolute())
    try:
        found = urlsplit(uri)
        port = found.port or _PORTS[scheme.lower()]
        options = dict(parse_qsl(found.query, strict_parsing=bool(found.query)))
    except (KeyError, ValueError) as error:
        raise ArgumentError(f"this is no address of a ClickHouse: {_HOW}") from error
    database = unquote(found.path.strip("/")) or _DATABASE
    cluster, days = options.pop("cluster", None), options.pop("retention_days", None)
    if options:
        raise ArgumentError(f"an address of a ClickHouse has cluster= and retention_days=, not {', '.join(options)}")
    if not found.hostname:
        raise ArgumentError(f"this address of a ClickHouse names no host: {_HOW}")
    for name in (database, *([cluster] if cluster is not None else [])):
        if not _NAME.fullmatch(name):
            raise ArgumentError(f"{name!r} is no name of a database or a cluster: letters, digits and _ are")
    return ClickHouseAddress(
        host=found.hostname,
        port=port,
        database=database,
        user=unquote(found.username or "default"),
        password=unquote(found.password or ""),
        is_secure=scheme.lower() == "clickhouses",
        cluster=cluster,
        retention_days=None if days is None else _days(days),
    )


def _has_drive(path: str) -> bool:
    return re.match(r"/[A-Za-z]:[/\\]", path) is not None


def _days(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= _MOST_DAYS:
        raise ArgumentError(f"retention_days is a number of days from 1 up, not {text!r}")
    return int(text)
