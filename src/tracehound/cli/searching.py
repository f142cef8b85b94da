"""`tracehound search`: what a filter is true of, as a table, as data for other programs, or kept in view."""

from __future__ import annotations

import dataclasses
import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import click
from rich.console import Group
from rich.live import Live
from rich.text import Text

from tracehound.cli.options import Scope, ask, experiments_of, open_scope
from tracehound.cli.outputs import open_output
from tracehound.cli.render import print_explanation, print_search
from tracehound.cli.table import to_lines
from tracehound.cli.text import open_console
from tracehound.client.formats import FORMATS, encode_traces
from tracehound.client.named_columns import MACHINE_FIELDS, Column, parse_columns, table_columns
from tracehound.client.pages import read_pages
from tracehound.errors import ArgumentError
from tracehound.model.trace import Experiment, Trace
from tracehound.query.search import DEFAULT_LIMIT, Search
from tracehound.runtime import current
from tracehound.store.api import Store

DEFAULT_ROWS: Final = 20


@dataclass(frozen=True)
class Request:
    """A search as the command line asks for it; a limit of None was not given, 0 means all."""

    scope: Scope
    filter_string: str | None
    order_by: tuple[str, ...]
    fields: str | None
    limit: int | None

    @property
    def rows(self) -> int | None:
        """How many traces to show; None for all."""
        return DEFAULT_ROWS if self.limit is None else self.limit or None


def run_search(request: Request, form: str | None, output: str | None) -> None:
    """Print or write what is found: a table in a terminal, JSON lines elsewhere, unless `form` says what."""
    store = open_scope(request.scope)
    experiments = experiments_of(request.scope, store)
    search = ask(request.scope, experiments, request.filter_string, request.order_by)
    chosen = form or _form_of(output)
    columns = _columns(request.fields, store, is_table=chosen == "table")
    found = _Found(store, search, request, needs_spans=chosen != "table" and any(each.needs_spans for each in columns))
    if chosen == "table":
        if output not in (None, "-"):
            raise ArgumentError("a table is for a terminal: write a file with --format csv, jsonl, json or parquet")
        print_search(found, columns)
    else:
        if chosen == "parquet":
            from tracehound.client.parquet import require_arrow

            require_arrow()
        with open_output(output, is_binary=chosen == "parquet") as out:
            out.writelines(encode_traces(chosen, found, columns))
    _note(found, experiments, store)


def run_explain(request: Request) -> None:
    """Print how the first page of a search is found."""
    store = open_scope(request.scope)
    search = ask(request.scope, experiments_of(request.scope, store), request.filter_string, request.order_by)
    limit = DEFAULT_LIMIT if request.rows is None else min(DEFAULT_LIMIT, request.rows)
    print_explanation(store.explain(dataclasses.replace(search, limit=limit)))


def run_watch(request: Request, form: str | None, seconds: float) -> None:
    """Show a table and draw it anew every so many seconds, until Ctrl-C, which is how this ends."""
    if form not in (None, "table") or not sys.stdout.isatty():
        raise ArgumentError("--watch draws a table in a terminal; `tracehound tail -f` writes a stream")
    store = open_scope(request.scope)
    columns = _columns(request.fields, store, is_table=True)
    console = open_console()

    def draw() -> Group:
        store = current().drained_store()
        experiments = experiments_of(request.scope, store)
        search = ask(request.scope, experiments, request.filter_string, request.order_by)
        room = max(1, console.height - 3)
        limit = room if request.rows is None else min(request.rows, room)
        found = _Found(store, search, dataclasses.replace(request, limit=limit), needs_spans=False)
        lines = [*to_lines(found, columns, console.width)] or [Text("no trace matches")]
        status = Text(f"every {seconds:g} s, {time.strftime('%H:%M:%S')}; Ctrl-C ends"[: console.width], "dim")
        return Group(*lines, status)

    try:
        with Live(draw(), console=console, auto_refresh=False, vertical_overflow="crop") as live:
            while True:
                time.sleep(seconds)
                live.update(draw(), refresh=True)
    except KeyboardInterrupt:
        return


class _Found:
    """The traces of a request, to be read once; counts them, and notes whether there are more."""

    def __init__(self, store: Store, search: Search, request: Request, *, needs_spans: bool) -> None:
        self.count = 0
        self.has_more = False
        self.was_limited = request.limit is None
        limit = request.rows
        self._limit = limit
        pages = read_pages(store, search, None if limit is None else limit + 1, include_spans=needs_spans)
        self._traces = itertools.chain.from_iterable(pages)

    def __iter__(self) -> Iterator[Trace]:
        """Yield the traces, up to the limit."""
        for trace in self._traces:
            if self.count == self._limit:
                self.has_more = True
                return
            self.count += 1
            yield trace


def _note(found: _Found, experiments: Sequence[Experiment], store: Store) -> None:
    """Say on stderr what the output does not show: that there is more, or that the traces are elsewhere."""
    if found.has_more and found.was_limited:
        click.echo(f"the first {found.count}; there are more: --limit N, or --limit all", err=True)
    if found.count == 0:
        known = store.experiments()
        if known and not {each.experiment_id for each in experiments} & {each.experiment_id for each in known}:
            names = ", ".join(each.name for each in known[:5]) + ("…" if len(known) > 5 else "")
            where = ", ".join(each.name for each in experiments)
            click.echo(f"no traces in the experiment {where}; there are in {names} (--experiment)", err=True)


def _columns(fields: str | None, store: Store, *, is_table: bool) -> list[Column]:
    if fields is None and is_table:
        return table_columns()
    names = {each.experiment_id: each.name for each in store.experiments()}
    return parse_columns(fields or MACHINE_FIELDS, names)


def _form_of(output: str | None) -> str:
    """Return the format of an output that nobody named: as a file is called, else what the reader can use."""
    suffix = "" if output is None else output.rpartition(".")[2].lower()
    if suffix in FORMATS:
        return suffix
    return "table" if output in (None, "-") and sys.stdout.isatty() else "jsonl"
