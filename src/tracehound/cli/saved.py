"""`tracehound saved`: searches that have a name; and what `tracehound search --saved NAME` asks for."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from collections.abc import Sequence
from typing import Any

import click
from rich.text import Text

from tracehound.cli.options import Scope, open_scope, order_option, store_option, use
from tracehound.cli.render import plain_table
from tracehound.cli.text import line, open_console
from tracehound.client.saved_searches import find_search, keep_search, read_searches, remove_search
from tracehound.model.record import to_json
from tracehound.model.saved_search import SavedSearch
from tracehound.runtime import current


class _ListsSaved(click.Group):
    """A group that takes `saved` alone for `saved list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListsSaved)
def saved() -> None:
    """List, save and delete searches by name: saved, saved add NAME FILTER, saved delete NAME.

    They lie in the store: the web page and everyone who reads the store has them. `search --saved NAME` uses one.
    """


@saved.command("list")
@click.option("--format", "form", type=click.Choice(["table", "json"]), help="JSON unless in a terminal.")
@store_option
def list_saved(form: str | None, store: str | None) -> None:
    """List the saved searches."""
    use(store)
    found = read_searches(current().drained_store())
    if form == "json" or (form is None and not sys.stdout.isatty()):
        sys.stdout.buffer.write(to_json(found) + b"\n")
        sys.stdout.buffer.flush()
        return
    console = open_console()
    table = plain_table()
    table.add_column("name", no_wrap=True, overflow="ellipsis", max_width=max(8, console.width // 3))
    table.add_column("search", overflow="fold")
    for each in found:
        table.add_row(Text(line(each.name, console.width)), Text(_told(each)))
    console.print(table if found else "there are no saved searches; `tracehound saved add NAME FILTER` saves one")


@saved.command("add")
@click.argument("name")
@click.argument("filter_string", metavar="[FILTER]", required=False)
@order_option
@click.option("--experiment", multiple=True, metavar="NAME", help="An experiment to look in; without one all.")
@click.option("--since", metavar="TIME", help="Begun so long before the search at most: 1h, 30m, 2d.")
@store_option
def add_saved(
    name: str,
    filter_string: str | None,
    order_by: Sequence[str],
    experiment: Sequence[str],
    since: str | None,
    store: str | None,
) -> None:
    """Save a search under a name, in place of the one that has it."""
    use(store)
    said = SavedSearch(
        name=name, filter=filter_string or "", order_by=list(order_by), experiments=list(experiment), since=since
    )
    keep_search(current(), said)


@saved.command("delete")
@click.argument("name")
@store_option
def delete_saved(name: str, store: str | None) -> None:
    """Delete a saved search."""
    use(store)
    remove_search(current(), name)


def with_saved(
    name: str, scope: Scope, filter_string: str | None, order_by: tuple[str, ...]
) -> tuple[Scope, str | None, tuple[str, ...]]:
    """Return a search of the command line with what a saved one says: what the command line says besides counts first.

    A filter narrows that of the saved search.
    """
    found = find_search(open_scope(scope), name)
    is_scoped = scope.experiments or scope.has_all_experiments
    scope = dataclasses.replace(
        scope,
        experiments=scope.experiments if is_scoped else tuple(found.experiments),
        has_all_experiments=scope.has_all_experiments if is_scoped else not found.experiments,
        since=scope.since or found.since,
        until=scope.until or found.until,
    )
    filters = [each for each in (found.filter, filter_string) if each]
    joined = " AND ".join(f"({each})" for each in filters) if len(filters) > 1 else "".join(filters)
    return scope, joined or None, order_by or tuple(found.order_by)


def _told(search: SavedSearch) -> str:
    """Return a search as its options would be written."""
    options: list[tuple[str, Any]] = [
        *(("--order-by", each) for each in search.order_by),
        *(("--experiment", each) for each in search.experiments),
        ("--since", search.since),
        ("--until", search.until),
    ]
    written = [f"{option} {shlex.quote(value)}" for option, value in options if value]
    return " ".join([*([search.filter] if search.filter else []), *written])
