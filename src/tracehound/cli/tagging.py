"""`tracehound tags` and `tracehound experiments`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import Any

import click
from rich.text import Text

from tracehound.cli.completion import complete_tag
from tracehound.cli.options import store_option, use
from tracehound.cli.render import plain_table
from tracehound.cli.showing import find_id, find_trace
from tracehound.cli.text import line, local_time, open_console
from tracehound.client.counting import count_traces
from tracehound.client.tags import delete_trace_tag, set_trace_tag
from tracehound.errors import ArgumentError, StoreBusyError
from tracehound.model.record import to_json
from tracehound.model.reserved import IMMUTABLE_TAGS, REMOVABLE_TAGS
from tracehound.query.search import parse_search
from tracehound.runtime import current
from tracehound.store.api import Store
from tracehound.store.experiments import read_experiments


class _ShowsTags(click.Group):
    """A group that takes `tags TRACE_ID` for `tags show TRACE_ID`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ShowsTags)
def tags() -> None:
    """Show, set and delete the tags of a trace: tags TRACE_ID, tags set TRACE_ID KEY=VALUE, tags delete TRACE_ID KEY.

    TRACE_ID is an id, the beginning of one, or `last`.
    """


@tags.command("show")
@click.argument("trace_id")
@click.option("--format", "form", type=click.Choice(["table", "json"]), help="JSON unless in a terminal.")
@store_option
def show_tags(trace_id: str, form: str | None, store: str | None) -> None:
    """Show the tags of a trace."""
    use(store)
    found = find_trace(current().drained_store(), trace_id).info.tags
    if _is_json(form):
        _print_json(found)
        return
    console = open_console()
    for key, value in sorted(found.items()):
        console.print(Text(line(f"{key}={value}", console.width)), soft_wrap=True)


@tags.command("set")
@click.argument("trace_id")
@click.argument("pairs", metavar="KEY=VALUE...", nargs=-1, required=True)
@store_option
def set_tags(trace_id: str, pairs: Sequence[str], store: str | None) -> None:
    """Set tags of a trace; each value is kept as it is written."""
    said = dict(_parse_pair(pair) for pair in pairs)
    use(store)
    wanted = find_id(current().drained_store(), trace_id)
    for key, value in said.items():
        set_trace_tag(wanted, key, value)
    _bring_in()


@tags.command("delete")
@click.argument("trace_id")
@click.argument("keys", metavar="KEY...", nargs=-1, required=True, shell_complete=complete_tag)
@store_option
def delete_tags(trace_id: str, keys: Sequence[str], store: str | None) -> None:
    """Delete tags of a trace."""
    for key in keys:
        _refuse(key, IMMUTABLE_TAGS - REMOVABLE_TAGS)
    use(store)
    wanted = find_id(current().drained_store(), trace_id)
    for key in dict.fromkeys(keys):
        delete_trace_tag(wanted, key)
    _bring_in()


@click.command()
@click.option("--format", "form", type=click.Choice(["table", "json"]), help="JSON unless in a terminal.")
@store_option
def experiments(form: str | None, store: str | None) -> None:
    """Show the experiments, created or begun with a trace: names, ids, how many traces, when the newest began."""
    use(store)
    found = _experiments(current().drained_store())
    if _is_json(form):
        _print_json(found)
        return
    console = open_console()
    table = plain_table()
    table.add_column("name", no_wrap=True, overflow="ellipsis")
    table.add_column("traces", no_wrap=True, justify="right")
    table.add_column("newest", no_wrap=True)
    table.add_column("id", no_wrap=True, style="dim")
    room = console.width - 50
    for each in found:
        newest = "" if each["newest"] is None else local_time(each["newest"])
        table.add_row(Text(line(each["name"], max(8, room))), f"{each['traces']:,}", newest, each["experiment_id"])
    console.print(table if found else "there are no experiments")


def _experiments(store: Store) -> list[dict[str, Any]]:
    found = []
    known = {each.experiment_id: each for each in store.experiments()}
    created = {key: each for key, each in read_experiments(store).items() if each.creation_time is not None}
    for each in sorted({**created, **known}.values(), key=lambda each: each.name):
        search = parse_search([each.experiment_id], limit=1)
        count = count_traces(store, search)
        newest = store.search(search).traces
        found.append(
            {
                "name": each.name,
                "experiment_id": each.experiment_id,
                "traces": count,
                "newest": newest[0].request_time if newest else None,
            }
        )
    return found


def _bring_in() -> None:
    """Raise `StoreError` where the store does not take what was said; a locked one takes it when it is free."""
    with contextlib.suppress(StoreBusyError):
        current().drain(must_succeed=True)


def _parse_pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise ArgumentError(f"a tag is written KEY=VALUE, not {text!r}")
    _refuse(key, IMMUTABLE_TAGS)
    return key, value


def _refuse(key: str, keys: frozenset[str]) -> None:
    if key in keys:
        raise ArgumentError(f"the tag {key!r} belongs to the store and cannot be changed")


def _is_json(form: str | None) -> bool:
    return form == "json" or (form is None and not sys.stdout.isatty())


def _print_json(value: object) -> None:
    sys.stdout.buffer.write(to_json(value) + b"\n")
    sys.stdout.buffer.flush()
