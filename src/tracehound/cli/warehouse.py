"""`tracehound warehouse`: names for other stores, which searches can name (`sql_warehouse_id`)."""

from __future__ import annotations

import click

from tracehound.cli.render import print_line
from tracehound.client.warehouses import add_warehouse, read_warehouses, remove_warehouse
from tracehound.store.targets import without_password


@click.group()
def warehouse() -> None:
    """Name other stores for search_traces(sql_warehouse_id=NAME): warehouse add NAME URI, list, remove NAME.

    TRACEHOUND_WAREHOUSE_<NAME> does the same for one program, and goes before what is kept here.
    """


@warehouse.command("add")
@click.argument("name")
@click.argument("uri")
def add(name: str, uri: str) -> None:
    """Let NAME stand for URI: a path, a server, clickhouse://HOST, or databricks-sql://HOST/WAREHOUSE/CATALOG.SCHEMA."""
    print_line(f"{add_warehouse(name, uri)} is {without_password(uri)}")


@warehouse.command("list")
def show() -> None:
    """Show the names and what they stand for, one a line; without the passwords in them."""
    for name, uri in sorted(read_warehouses().items()):
        print_line(f"{name}\t{without_password(uri)}")


@warehouse.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Forget NAME."""
    remove_warehouse(name)
