"""The one place that talks to Databricks, with its own connector: statements with parameters that the server binds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from tracehound.errors import ArgumentError, MissingExtraError, StoreError
from tracehound.query.limit import SearchLimit
from tracehound.settings import databricks_token
from tracehound.store.databricks.address import WarehouseAddress
from tracehound.store.databricks.faults import store_errors
from tracehound.store.databricks.session import Row

# What goes wrong is told by our errors, once, and without the statement.
logging.getLogger("databricks.sql").addHandler(logging.NullHandler())

_LOOK_S: Final = 0.1  # how soon a statement is cancelled whose time is over
_PATIENCE_S: Final = 300.0  # a warehouse that sleeps takes seconds to wake, and some take minutes


class ConnectorSession:
    """A session of the connector; `store.databricks.session` says what it does.

    A server that does not answer is asked again for as long as `patience_s`.
    """

    def __init__(self, address: WarehouseAddress, patience_s: float = _PATIENCE_S) -> None:
        try:
            from databricks import sql
        except ImportError as error:
            raise MissingExtraError(
                "a SQL warehouse is asked with databricks-sql-connector, which is not installed:"
                " pip install 'tracehound[databricks]'"
            ) from error
        token = databricks_token()
        if not token:
            raise ArgumentError(f"{address.shown()} wants a token: set DATABRICKS_TOKEN to one of the workspace")
        self._where, self._table = address.shown(), address.table
        with store_errors(self._where, self._table):
            self._connection = sql.connect(
                server_hostname=address.host,
                http_path=address.http_path,
                access_token=token,
                user_agent_entry="tracehound",
                enable_telemetry=False,
                _port=address.port,
                _socket_timeout=patience_s,
                _retry_stop_after_attempts_duration=patience_s,
            )

    def select(self, text: str, values: Mapping[str, Any], limit: SearchLimit | None = None) -> list[Row]:
        """Return the rows of a statement."""
        with (
            store_errors(self._where, self._table, limit),
            self._connection.cursor() as cursor,
            self._ended_by(limit, cursor),
        ):
            cursor.execute(text, dict(values))
            rows: list[Row] = [tuple(row) for row in cursor.fetchall()]
        if limit is not None:
            limit.check()
        return rows

    def close(self) -> None:
        """Give the session up; one that the server has ended already is gone as well."""
        with suppress(StoreError), store_errors(self._where, self._table):
            self._connection.close()

    @contextmanager
    def _ended_by(self, limit: SearchLimit | None, cursor: Any) -> Iterator[None]:
        """Cancel what the cursor runs when the limit is over, from a thread that looks now and then."""
        if limit is None:
            yield
            return
        is_done = threading.Event()

        def watch() -> None:
            while not is_done.wait(_LOOK_S):
                if limit.is_over():
                    with suppress(StoreError), store_errors(self._where, self._table):
                        cursor.cancel()
                    return

        watching = threading.Thread(target=watch, name="tracehound-limit", daemon=True)
        with limit.running():
            watching.start()
            try:
                yield
            finally:
                is_done.set()
                watching.join()
