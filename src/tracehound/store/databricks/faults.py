"""What goes wrong with a SQL warehouse, as our errors: which one, what it did not do, and what to do about it.

The messages of the server hold the statement and are never shown; the class of its error, in brackets, says what
happened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tracehound.errors import StoreBusyError, StoreDeniedError, StoreError
from tracehound.query.limit import SearchLimit

if TYPE_CHECKING:  # the connector is loaded where a warehouse is asked
    from databricks.sql.exc import Error

_CLASS: Final = re.compile(r"\[([A-Z_]+)(?:\.[A-Z_]+)*\]")
_MADE: Final = "docs/databricks.md says how it is made"
_DENIED: Final = "lets this token not read {table}: GRANT USE CATALOG, USE SCHEMA and SELECT on it"
# By the class of the server's error: ours, and what to say behind the address.
_TOLD: Final[dict[str, tuple[type[StoreError], str]]] = {
    "TABLE_OR_VIEW_NOT_FOUND": (StoreError, f"has no table {{table}}: {_MADE}"),
    "SCHEMA_NOT_FOUND": (StoreError, f"has no table {{table}}: {_MADE}"),
    "NO_SUCH_CATALOG_EXCEPTION": (StoreError, f"has no table {{table}}: {_MADE}"),
    "UNRESOLVED_COLUMN": (StoreError, f"has a table {{table}} with other columns: {_MADE}"),
    "DATATYPE_MISMATCH": (StoreError, f"has a table {{table}} with columns of other types: {_MADE}"),
    "INSUFFICIENT_PERMISSIONS": (StoreDeniedError, _DENIED),
    "PERMISSION_DENIED": (StoreDeniedError, _DENIED),
}
# By the status of its HTTP.
_ANSWERED: Final[dict[int, tuple[type[StoreError], str]]] = {
    400: (StoreError, "is no warehouse that answers: its id may be another one"),
    401: (StoreDeniedError, "does not know the token in DATABRICKS_TOKEN"),
    403: (StoreDeniedError, "lets the token in DATABRICKS_TOKEN not use this warehouse: CAN USE is needed"),
    404: (StoreError, "has no warehouse of this id"),
}


@contextmanager
def store_errors(where: str, table: str, limit: SearchLimit | None = None) -> Iterator[None]:
    """Raise what the connector's errors mean, as errors of the store at that address."""
    from databricks.sql.exc import Error
    from urllib3.exceptions import HTTPError

    try:
        yield
    except Error as error:
        if limit is not None:
            limit.check()  # what was cancelled for its sake
        raise _told(where, table, error) from error
    except (OSError, HTTPError) as error:
        raise StoreBusyError(f"{where} cannot be reached, or is not what its certificate says") from error


def _told(where: str, table: str, error: Error) -> StoreError:
    from databricks.sql.exc import RequestError, ServerOperationError

    if isinstance(error, RequestError):
        status = error.context.get("http-code")
        kind, what = _ANSWERED.get(status or 0, (StoreBusyError, "does not answer; ask again"))
        return kind(f"{where} {what}")
    found = _CLASS.search(str(error.message or ""))
    name = found[1] if found else ""
    kind, what = _TOLD.get(name, (StoreError, ""))
    if what:
        return kind(f"{where} {what.format(table=table)}")
    told = f" (its error {name})" if name else ""
    if isinstance(error, ServerOperationError) or name:
        return StoreError(f"{where} did not do what it was asked{told}; its query history says more")
    return StoreBusyError(f"{where} does not answer as a warehouse does; ask again")
