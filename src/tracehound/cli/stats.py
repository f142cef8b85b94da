"""`tracehound stats`: counts, errors, latencies, tokens and costs of traces, in groups and over time."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from typing import Final

from tracehound.analysis.statistics import TIME, Statistics, read_statistics
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
    write_rows(_columns(found), found.rows, form, output, bars_of=_barred(found))


def print_statistics(found: Statistics) -> None:
    """Print statistics as a table."""
    print_rows(_columns(found), found.rows, _barred(found))


def _columns(found: Statistics) -> list[RowColumn]:
    groups = [RowColumn(name, _show_group) for name in found.groups]
    if found.has_time:
        are_days = all(row[0].time() == datetime.time() for row in found.rows)
        groups[0] = RowColumn(TIME, ("{:%Y-%m-%d}" if are_days else "{:%Y-%m-%d %H:%M}").format, _to_iso)
    return groups + [RowColumn(name, _shown_as(name), _to_number, is_number=True) for name in found.metrics]


def _shown_as(metric: str) -> Callable[[float], str]:
    form = _SHOWN.get(metric, "{:,.0f}").format
    return lambda value: "" if math.isnan(value) else form(value)


def _barred(found: Statistics) -> str | None:
    """Return the metric to draw bars of: the first, where there is something to compare."""
    return found.metrics[0] if len(found.rows) > 1 else None


def _to_iso(start: datetime.datetime) -> str:
    return start.isoformat(timespec="minutes" if start.second == 0 else "seconds")


def _to_number(value: float) -> float | None:
    """Return a number as JSON has it."""
    return None if math.isnan(value) else value


def _show_group(value: object) -> str:
    return "(none)" if value is None else str(value)


_SHOWN: Final = {"error_rate": "{:.1%}", "cost": "{:,.4f}"}
