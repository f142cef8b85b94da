"""`tracehound tail`: traces as they finish, a line each.

A trace is told when it has finished, once, in the order in which the store hears of it; what runs is told when it
ends. `client.following` says what is promised.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console

from tracehound.cli.options import Scope, ask, experiments_of, open_scope
from tracehound.cli.table import Layout, lay_out
from tracehound.cli.text import open_console
from tracehound.client.following import FinishedTraces
from tracehound.client.formats import encode_traces
from tracehound.client.named_columns import MACHINE_FIELDS, Column, parse_columns, table_columns
from tracehound.errors import ArgumentError
from tracehound.model.ids import experiment_id
from tracehound.model.trace import Experiment, Trace, TraceData, TraceInfo, TraceState
from tracehound.runtime import current

_INTERVAL_S: Final = 0.25
# What the columns are made wide for, as nobody knows what will come.
_USUAL: Final = TraceInfo(
    trace_id=f"tr-{'0' * 32}",
    experiment_id="0",
    request_time=0,
    execution_duration=100_000,
    state=TraceState.ERROR,
    name="a name of a usual length",
    request_preview="." * 200,
    response_preview="." * 200,
    client_request_id="." * 16,
)


def run_tail(
    scope: Scope, filter_string: str | None, count: int, fields: str | None, form: str | None, *, is_followed: bool
) -> None:
    """Print the last traces that have finished, and with `is_followed` those that finish from now on."""
    store = open_scope(scope)
    experiments = _followed(scope) if is_followed and not scope.has_all_experiments else experiments_of(scope, store)
    where = ask(scope, experiments, filter_string).where
    ids = None if scope.has_all_experiments else [each.experiment_id for each in experiments]
    is_table = form == "table" or (form is None and sys.stdout.isatty())
    names = {each.experiment_id: each.name for each in (*experiments, *store.experiments())}
    columns = parse_columns(fields or MACHINE_FIELDS, names) if fields or not is_table else table_columns()
    if any(column.needs_spans for column in columns) and not is_table:
        raise ArgumentError("tail tells what is known of a trace without its spans: request_preview, response_preview")
    printer = _Lines(columns) if is_table else _JsonLines(columns)
    finished = FinishedTraces(store, ids, where)
    printer.print(finished.latest(store, count))
    while is_followed:
        time.sleep(_INTERVAL_S)
        printer.print(finished.new(current().drained_store()))


def _followed(scope: Scope) -> list[Experiment]:
    """Return the experiments to follow, which may get their first traces later."""
    names = scope.experiments or (current().settings.experiment,)
    return [Experiment(experiment_id(name), name) for name in names]


class _Lines:
    """A line each, for a terminal, as wide as it is when the line is printed."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = [column.for_table() for column in columns]

    def print(self, infos: Iterable[TraceInfo]) -> None:
        console: Console = open_console()
        layout: Layout = lay_out(self._columns, [Trace(_USUAL, TraceData([]))], console.width)
        for info in infos:
            for row in layout.row(Trace(info, TraceData([]))):
                console.print(row, soft_wrap=True)


class _JsonLines:
    """An object a line, each seen by the reader at once."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns

    def print(self, infos: Iterable[TraceInfo]) -> None:
        traces = (Trace(info, TraceData([])) for info in infos)
        sys.stdout.buffer.writelines(encode_traces("jsonl", traces, self._columns))
        sys.stdout.buffer.flush()
