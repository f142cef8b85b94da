"""`tracehound stats`: counts, errors, latencies, tokens and costs of traces, in groups and over time."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from tracehound.analysis.statistics import Statistics, read_statistics
from tracehound.cli.options import Scope, ask, experiments_of, open_scope
from tracehound.cli.rows import RowColumn, print_rows, write_rows


def run_stats(
    scope: Scope,
    filter_string: str | None,
    group_by: Sequence[str],
    interval: str | None,
    metrics: str | None,
    time_zone: str,
    form: str | None,
    output: str | None,
) -> None:
    """Print or write the statistics of what a filter is true of."""
    store = open_scope(scope)
    search = ask(scope, experiments_of(scope, store), filter_string)
    names = [name.strip() for name in metrics.split(",")] if metrics else []
    found = read_statistics(store, search, group_by, interval, names, time_zone)
    write_rows(_columns(found), _rows(found), form, output, bars_of=_barred(found))


def print_statistics(found: Statistics) -> None:
    """Print statistics as a table."""
    print_rows(_columns(found), _rows(found), _barred(found))


def _columns(found: Statistics) -> list[RowColumn]:
    return [
        *(RowColumn(name, _show_group) for name in found.groups),
        *(RowColumn(name, _SHOWN.get(name, _show_number), is_number=True) for name in found.metrics),
    ]


def _rows(found: Statistics) -> list[tuple[Any, ...]]:
    return [tuple(map(_plain, row)) for row in found.rows]


def _barred(found: Statistics) -> str | None:
    """Return the metric to draw bars of: the first, where there is something to compare."""
    return found.metrics[0] if len(found.rows) > 1 else None


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: a time as ISO 8601, no NaN."""
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="minutes" if value.second == 0 else "seconds")
    return None if isinstance(value, float) and math.isnan(value) else value


def _show_group(value: object) -> str:
    return "(none)" if value is None else str(value)


def _show_number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


_SHOWN: Final[dict[str, Callable[[Any], str]]] = {
    "error_rate": lambda value: "" if value is None else f"{value:.1%}",
    "cost": lambda value: "" if value is None else f"{value:,.4f}",
}
