"""Where a table of traces is: `databricks-sql://HOST/WAREHOUSE/CATALOG.SCHEMA`, a SQL warehouse and what it reads.

No token stands in it: it would be kept in the configuration. `DATABRICKS_TOKEN` is where every tool looks for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from tracehound.errors import ArgumentError

SCHEME: Final = "databricks-sql"
TABLE: Final = "trace"
_HOW: Final = f"write {SCHEME}://HOST/WAREHOUSE/CATALOG.SCHEMA"
_WAREHOUSE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SCHEMA: Final = re.compile(r"([A-Za-z0-9_-]{1,255})\.([A-Za-z0-9_-]{1,255})")
_PORT: Final = 443


@dataclass(frozen=True)
class WarehouseAddress:
    """A SQL warehouse of a workspace, by its id, and the schema whose table it reads."""

    host: str
    port: int
    warehouse: str
    schema: str

    @property
    def http_path(self) -> str:
        """What the warehouse is called in the workspace's HTTP."""
        return f"/sql/1.0/warehouses/{self.warehouse}"

    @property
    def table(self) -> str:
        """The name of the table as SQL has it."""
        catalog, _, schema = self.schema.partition(".")
        return f"`{catalog}`.`{schema}`.{TABLE}"

    def shown(self) -> str:
        """Return the address as a URI: `parse_warehouse` is the inverse."""
        port = "" if self.port == _PORT else f":{self.port}"
        return f"{SCHEME}://{self.host}{port}/{self.warehouse}/{self.schema}"


def is_warehouse(uri: str) -> bool:
    """Whether a URI is meant to name a SQL warehouse."""
    return uri.partition("://")[0].lower() == SCHEME


def parse_warehouse(uri: str) -> WarehouseAddress:
    """Return what a URI names; raise `ArgumentError` where it is none.

    >>> parse_warehouse("databricks-sql://dbc-1.cloud.databricks.com/3f2ea1/main.tracehound").table
    '`main`.`tracehound`.trace'
    """
    try:
        found = urlsplit(uri)
        port = found.port or _PORT
    except ValueError as error:
        raise ArgumentError(f"this is no address of a SQL warehouse: {_HOW}") from error
    if found.username is not None or found.password is not None:
        raise ArgumentError("an address of a SQL warehouse holds no token: it stands in DATABRICKS_TOKEN")
    warehouse, _, schema = found.path.strip("/").partition("/")
    if not found.hostname or found.query or found.fragment or not _WAREHOUSE.fullmatch(warehouse):
        raise ArgumentError(f"{uri!r} names no SQL warehouse: {_HOW}")
    return WarehouseAddress(found.hostname, port, warehouse, _checked(schema))


def warehouse_of(host: str, warehouse: str, schema: str) -> WarehouseAddress:
    """Return the warehouse of an id, in the workspace of a host; raise `ArgumentError` where one of them is none."""
    name = host.partition("://")[2] or host
    if not _WAREHOUSE.fullmatch(warehouse):
        raise ArgumentError(f"{warehouse!r} is no id of a SQL warehouse: letters and digits are")
    return parse_warehouse(f"{SCHEME}://{name.strip('/')}/{warehouse}/{_checked(schema)}")


def _checked(schema: str) -> str:
    if not _SCHEMA.fullmatch(schema):
        raise ArgumentError(f"{schema!r} names no schema: write CATALOG.SCHEMA, of letters, digits, - and _")
    return schema
