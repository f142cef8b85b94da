"""Warehouses: other stores that a search can name, by an id such as those of Databricks, and that it only reads.

The environment names them (`TRACEHOUND_WAREHOUSE_<NAME>`), or the user's configuration file does (`tracehound
warehouse add`). Ids compare in upper case, with `_` for all that is no letter and no digit, so that an id which cannot
stand in the name of a variable can be written in one.

An id that has no name here is a SQL warehouse of the workspace that Databricks' own tools are told of
(`DATABRICKS_HOST`, `DATABRICKS_TOKEN`); `TRACEHOUND_DATABRICKS_SCHEMA` says where in it the traces are.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from tracehound.errors import ArgumentError, NotFoundError, StoreError, TracehoundError
from tracehound.model.trace import Trace
from tracehound.runtime import Runtime
from tracehound.settings import DATABRICKS_SCHEMA, configuration_path, databricks_tables, named_warehouses
from tracehound.store.api import Searched
from tracehound.store.databricks.address import is_warehouse, parse_warehouse, warehouse_of
from tracehound.store.targets import open_store, parse_target

_KEY: Final = "warehouses"
_ODD: Final = re.compile(r"[^A-Z0-9]")


def read_warehouses() -> dict[str, str]:
    """Return the warehouses that are configured: URIs by name. The environment goes before the file."""
    found = {normal_id(name): uri for name, uri in _read_file(configuration_path()).get(_KEY, {}).items()}
    return {**found, **{normal_id(name): uri for name, uri in named_warehouses().items()}}


def add_warehouse(name: str, uri: str) -> str:
    """Name a place in the user's configuration, in place of what had the name; return the name as it is kept."""
    key = normal_id(name)
    if not key.strip("_"):
        raise ArgumentError(f"a warehouse's name has letters or digits, not {name!r}")
    if is_warehouse(uri):
        kept = parse_warehouse(uri).shown()
    else:
        path = parse_target(uri).path
        kept = uri if path is None else str(path)
    _change(configuration_path(), {key: kept})
    return key


def remove_warehouse(name: str) -> None:
    """Forget a name of the user's configuration; raise `NotFoundError` for one that it does not have."""
    key = normal_id(name)
    kept = _read_file(configuration_path()).get(_KEY, {})
    if key not in map(normal_id, kept):
        raise NotFoundError(f"the configuration {configuration_path()} names no warehouse {name!r}{_known(kept)}")
    _change(configuration_path(), {key: None})


def read_warehouse(
    runtime: Runtime, name: object, find: Callable[[Searched], Iterator[list[Trace]]]
) -> Iterator[list[Trace]]:
    """Return the pages that are found in the store that an id names; raise `ArgumentError` for an id that names none.

    A file must be there: what only reads makes none. What waits for a store in a spool is brought there by whoever
    traces into it. It is closed behind the last page.
    """
    uri = _uri_of(name)
    if not is_warehouse(uri) and parse_target(uri) == parse_target(runtime.settings.tracking_uri):
        return find(runtime.drained_store())
    store = _opened(runtime, name, uri)
    try:
        return _closing(store, find(store))
    except TracehoundError:
        store.close()
        raise


def _uri_of(name: object) -> str:
    """Return the place that an id names."""
    known = read_warehouses()
    uri = known.get(normal_id(name)) if isinstance(name, str) else None
    if uri is not None:
        return uri
    host, schema = databricks_tables()
    if isinstance(name, str) and host and schema:
        return warehouse_of(host, name, schema).shown()
    more = f", and {DATABRICKS_SCHEMA} says where traces are in the workspace {host}" if host else ""
    raise ArgumentError(
        f"sql_warehouse_id={name!r} names no warehouse{_known(known)};"
        f" `tracehound warehouse add NAME URI` makes one{more}"
    )


def _opened(runtime: Runtime, name: object, uri: str) -> Searched:
    if is_warehouse(uri):
        from tracehound.store.databricks.connector import ConnectorSession
        from tracehound.store.databricks.warehouse import Warehouse

        return Warehouse(parse_warehouse(uri), ConnectorSession)
    target = parse_target(uri)
    if target.path is not None and not target.path.exists():
        raise StoreError(f"the warehouse {name!r} is the store {target.path}, which is not there")
    return open_store(target, allow_network=runtime.settings.allow_network_filesystem, token=runtime.settings.token)


def _closing(store: Searched, pages: Iterator[list[Trace]]) -> Iterator[list[Trace]]:
    """Yield the pages, then close their store."""
    try:
        yield from pages
    finally:
        store.close()


def normal_id(name: str) -> str:
    """Return an id as ids are compared.

    >>> normal_id("3f2e-a1"), normal_id("Prod.EU")
    ('3F2E_A1', 'PROD_EU')
    """
    return _ODD.sub("_", name.upper())


def _known(names: object) -> str:
    listed = ", ".join(sorted(names)) if isinstance(names, dict) else ""
    return f"; there are {listed}" if listed else "; there are none"


def _read_file(path: Path) -> dict[str, Any]:
    """Return what the configuration file holds; raise `ArgumentError` for one that cannot be read."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ArgumentError(f"the configuration {path} cannot be read: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get(_KEY, {}), dict):
        raise ArgumentError(f'the configuration {path} is not of the form {{"{_KEY}": {{"NAME": "URI"}}}}')
    return found


def _change(path: Path, changes: dict[str, str | None]) -> None:
    """Write the configuration with other warehouses, whole or not at all."""
    found = _read_file(path)
    kept = {normal_id(name): uri for name, uri in found.get(_KEY, {}).items()}
    kept.update(changes)
    written = {**found, _KEY: {name: uri for name, uri in kept.items() if uri is not None}}
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(written, indent=2) + "\n", "utf-8")
        beside.replace(path)
    except OSError as error:
        raise ArgumentError(f"the configuration {path} cannot be written: {error}") from error
