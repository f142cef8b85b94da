"""`tracehound compare`: two values of a key, by what their traces took, how often they failed, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rich.bar import Bar
from rich.text import Text

from tracehound.analysis.comparison import Comparison, read_comparison
from tracehound.analysis.distribution import Distribution
from tracehound.analysis.intervals import Interval
from tracehound.analysis.measures import Estimate, Measure
from tracehound.analysis.sides import Example, Side
from tracehound.cli.options import Scope, ask, experiments_of, open_scope
from tracehound.cli.render import plain_table, print_heading
from tracehound.cli.rows import RowColumn, print_rows, write_rows
from tracehound.cli.text import line, open_console

_SHOWN: Final[dict[str, Callable[[float], str]]] = {
    "share": "{:.1%}".format,
    "ms": "{:,.0f} ms".format,
    "tokens": "{:,.1f}".format,
    "USD": "${:,.5f}".format,
}
_LINES: Final = 14  # of the distribution
_WIDEST: Final = 24
_LEAST_BAR: Final = 8
_LISTS: Final = ("slowest", "failing", "typical")


def run_compare(
    scope: Scope,
    by: str,
    baseline: str,
    candidate: str,
    filter_string: str | None,
    level: float,
    form: str | None,
    output: str | None,
) -> None:
    """Print or write the comparison of two values among what a filter is true of."""
    store = open_scope(scope)
    search = ask(scope, experiments_of(scope, store), filter_string)
    found = read_comparison(store, search, by, baseline, candidate, level)
    rows = found.to_rows()
    columns = [RowColumn(name, str) for name in rows[0]]
    write_rows(columns, [list(row.values()) for row in rows], form, output, show=lambda: _print(found))


def _print(found: Comparison) -> None:
    names = [line(str(side.value), _WIDEST) for side in (found.baseline, found.candidate)]
    _print_sentence(f"{found.by}: from {_told(found.baseline)} to {_told(found.candidate)}")
    if found.in_both:
        _print_sentence(f"{found.in_both:,} traces have both values and are on neither side")
    columns = [
        RowColumn("", str),
        *(RowColumn(name, str, is_number=True) for name in names),
        RowColumn("difference", str, is_number=True),
        RowColumn("from", str, is_number=True),
        RowColumn("to", str, is_number=True),
        RowColumn(" ", str),
    ]
    print_rows(columns, [_cells(each) for each in found.measures])
    _print_sentence(
        f"from … to: intervals that hold all together at {100 * found.level:.6g} %; ▲ ▼ where one excludes zero"
    )
    for note, measures in _notes(found.measures).items():
        _print_sentence(f"{', '.join(measures)}: {note}")
    if found.distribution is not None:
        _print_distribution(found.distribution, names)
    for side in (found.baseline, found.candidate):
        _print_examples(side)


def _print_sentence(text: str) -> None:
    """Print a text on as many lines as it takes."""
    open_console().print(Text(text))


def _told(side: Side) -> str:
    read = f", a random sample of {side.read:,}" if side.is_sample else ""
    return f"{side.value!r} ({side.count:,} {'trace' if side.count == 1 else 'traces'}{read})"


def _cells(measure: Measure) -> list[str]:
    show = _SHOWN[measure.unit]
    show_difference = _points if measure.unit == "share" else show
    low, high = _ends(measure.interval, show_difference)
    mark = "" if not measure.differs else "▲" if (measure.difference or 0) > 0 else "▼"
    estimates = [_estimate(each, show) for each in (measure.baseline, measure.candidate)]
    return [measure.name, *estimates, _signed(measure.difference, show_difference), low, high, mark]


def _points(share: float) -> str:
    """Return the difference of two percentages, which is none itself."""
    return f"{100 * share:.1f} points"


def _estimate(estimate: Estimate, show: Callable[[float], str]) -> str:
    return "" if estimate.value is None else show(estimate.value)


def _ends(interval: Interval | None, show: Callable[[float], str]) -> tuple[str, str]:
    return ("", "") if interval is None else (_signed(interval.low, show), _signed(interval.high, show))


def _signed(value: float | None, show: Callable[[float], str]) -> str:
    return "" if value is None else f"{'-' if value < 0 else '+'}{show(abs(value))}"


def _notes(measures: Sequence[Measure]) -> dict[str, list[str]]:
    """Return why there are no intervals, each reason with the measures that it is of."""
    found: dict[str, list[str]] = {}
    for each in measures:
        if each.note is not None:
            found.setdefault(each.note, []).append(each.name)
    return found


def _print_distribution(found: Distribution, names: Sequence[str]) -> None:
    """Print a bar for each side and each of a few ranges of latency; the longest one is the largest share."""
    console = open_console()
    step = -(-len(found.baseline) // _LINES)
    starts = range(0, len(found.baseline), step)
    shares = [[sum(side[at : at + step]) for at in starts] for side in (found.baseline, found.candidate)]
    most = max(map(max, shares))
    width = max(_LEAST_BAR, (console.width - 24) // 2 - 4)
    table = plain_table()
    table.add_column("ms from", justify="right", no_wrap=True)
    for name in names:
        table.add_column(line(name, width), width=width, no_wrap=True)
    for at, one, other in zip(starts, *shares, strict=True):
        bars = (Bar(most, 0, share, width=width, color=colour) for share, colour in ((one, "cyan"), (other, "magenta")))
        table.add_row(f"{found.edges_ms[at]:,}", *bars)
    print_heading("latency")
    console.print(table)


def _print_examples(side: Side) -> None:
    lists: list[tuple[str, list[Example]]] = [(name, getattr(side, name)) for name in _LISTS]
    if not any(examples for _, examples in lists):
        return
    print_heading(f"traces of {side.value!r}")
    console = open_console()
    for name, examples in lists:
        for at, each in enumerate(examples):
            took = "running" if each.duration_ms is None else f"{each.duration_ms:,} ms"
            told = f"{name if at == 0 else '':9}{took:>12}  {each.trace_id}  {each.request_preview or ''}"
            console.print(Text(line(told, console.width)), soft_wrap=True)
