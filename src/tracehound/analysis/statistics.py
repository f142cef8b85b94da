"""Statistics of traces: what `tracehound.trace_stats` and `tracehound stats` give. The store counts, this names."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from tracehound.client.arguments import check_return_type, check_search
from tracehound.errors import ArgumentError
from tracehound.model.garbage import no_collection
from tracehound.model.summary import SUMMED, Summary
from tracehound.query.limit import SearchLimit, to_limit
from tracehound.query.periods import Period, parse_period
from tracehound.query.search import KeyValue, Search
from tracehound.query.statistics import DISTINCT, DURATIONS, LENGTHS, GroupKey, Groups, StatisticsQuery, parse_groups
from tracehound.query.suggest import nearest
from tracehound.runtime import current
from tracehound.store.api import Store

if TYPE_CHECKING:
    from tracehound.client.stats_frame import StatsFrame

DEFAULT_METRICS: Final = ("count", "error_rate", "latency_mean", "p50", "p95", "p99")
TIME: Final = "time"  # the column of the periods

_PERCENTILE: Final = re.compile(r"(?:latency_)?p(\d{1,2}(?:\.\d+)?|100)")


@dataclass(frozen=True)
class Metric:
    """A number about some traces: what has to be known for it, and how it follows from what they add up to.

    A percentile is known by its fraction: all that are wanted of some traces are worked out together.
    """

    name: str
    wanted: str | None
    value: Callable[[Summary], float]
    fraction: float | None = None


def _metric(name: str, wanted: str | None, value: Callable[[Summary], float]) -> tuple[str, Metric]:
    return name, Metric(name, wanted, value)


def _sum(name: str) -> tuple[str, Metric]:
    return _metric(name, name, lambda summary: summary.sums.get(name, math.nan))


def _distinct(name: str) -> tuple[str, Metric]:
    return _metric(name, name, lambda summary: summary.distinct.get(name, 0))


METRICS: Final[dict[str, Metric]] = dict(
    [
        _metric("count", None, lambda summary: round(summary.count)),
        _metric("errors", None, lambda summary: round(summary.errors)),
        _metric("error_rate", None, lambda summary: summary.errors / summary.count if summary.count else math.nan),
        _metric("latency_mean", LENGTHS, lambda summary: summary.sum_ms / summary.ended if summary.ended else math.nan),
        _metric("latency_min", LENGTHS, lambda summary: _or_nan(summary.least_ms)),
        _metric("latency_max", LENGTHS, lambda summary: _or_nan(summary.most_ms)),
        *map(_sum, SUMMED),
        *map(_distinct, DISTINCT),
    ]
)


@dataclass(frozen=True)
class Statistics:
    """Numbers about groups of traces: the names of the columns, and the rows in their order.

    With periods the first column is the start of one, as an aware datetime, and rows are in the order of time; without
    the largest group comes first. `total` has the metrics of all rows together, if it was asked for, but for how many
    different users and sessions there are: those of several rows do not add up, and are NaN.
    """

    groups: tuple[str, ...]
    metrics: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    has_time: bool = False
    total: tuple[float, ...] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns."""
        return self.groups + self.metrics


@overload
def trace_stats(
    filter_string: str | None = None,
    group_by: Sequence[str] | str | None = None,
    interval: str | None = None,
    metrics: Sequence[str] | str | None = None,
    *,
    experiment_ids: Sequence[str] | None = None,
    locations: Sequence[str] | None = None,
    time_zone: str = "UTC",
    timeout: float | SearchLimit | None = None,
    return_type: Literal["list"],
) -> list[dict[str, Any]]: ...


@overload
def trace_stats(
    filter_string: str | None = None,
    group_by: Sequence[str] | str | None = None,
    interval: str | None = None,
    metrics: Sequence[str] | str | None = None,
    *,
    experiment_ids: Sequence[str] | None = None,
    locations: Sequence[str] | None = None,
    time_zone: str = "UTC",
    timeout: float | SearchLimit | None = None,
    return_type: Literal["pandas"] | None = None,
) -> StatsFrame: ...


def trace_stats(
    filter_string: str | None = None,
    group_by: Sequence[str] | str | None = None,
    interval: str | None = None,
    metrics: Sequence[str] | str | None = None,
    *,
    experiment_ids: Sequence[str] | None = None,
    locations: Sequence[str] | None = None,
    time_zone: str = "UTC",
    timeout: float | SearchLimit | None = None,
    return_type: Literal["pandas", "list"] | None = None,
) -> StatsFrame | list[dict[str, Any]]:
    """Return statistics of the traces that a filter is true of: a row for each group that has any.

    `group_by` are attributes, tags and metadata keys as an order is written; a trace that lacks one is in the group of
    None. `interval` cuts time into periods (`15m`, `1h`, `1d`, `1w`, `1mo`) as clocks in `time_zone` show it; the
    column `time` holds their starts. Metrics are `count`, `errors`, `error_rate` (0 to 1, of all traces),
    `latency_mean`, `latency_min`, `latency_max` and any percentile such as `p50` or `p99.9` in milliseconds, the sums
    `input_tokens`, `output_tokens`, `total_tokens` and `cost` (US dollars), and how many different `users` and
    `sessions` there are.
    Percentiles are within 1 %, all else is exact. Where some traces were dropped when they ended
    (`tracing.configure(tail_sampling_ratio=…)`), those that were kept count as often as they stand for: counts, rates,
    means, percentiles and sums are estimates of all. `latency_min`, `latency_max`, `users` and `sessions` are of those
    that were kept. What no trace of a group has is NaN. `timeout` is that of
    `search_traces`.

    Where pandas is installed this is a DataFrame with a `plot()` of its own; with `return_type="list"` it is a list of
    dicts. Raises `FilterError` for a filter or a group that is none, `ArgumentError` for any other argument.

    >>> import tracehound
    >>> for name in ("plan", "plan", "answer"):
    ...     with tracehound.start_span(name):
    ...         pass
    >>> tracehound.trace_stats(group_by="name", metrics=["count", "errors"], return_type="list")
    [{'name': 'plan', 'count': 2, 'errors': 0}, {'name': 'answer', 'count': 1, 'errors': 0}]
    """
    kind = check_return_type(return_type)
    if kind not in ("pandas", "list"):
        raise ArgumentError(f"return_type is 'pandas' or 'list', not {return_type!r}")
    runtime = current()
    search = check_search(runtime, experiment_ids, filter_string, None, None, locations)
    search = dataclasses.replace(search, time_limit=to_limit(timeout))
    found = read_statistics(
        runtime.drained_store(), search, _texts("group_by", group_by), interval, _texts("metrics", metrics), time_zone
    )
    if kind == "list":
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    from tracehound.client.stats_frame import to_stats_frame

    return to_stats_frame(found.columns, found.rows, found.groups, time_zone if interval is not None else None)


def read_statistics(
    store: Store,
    search: Search,
    group_by: Sequence[str],
    interval: str | None,
    metrics: Sequence[str],
    time_zone: str = "UTC",
    *,
    with_total: bool = False,
) -> Statistics:
    """Return statistics of the traces of a search; see `trace_stats`."""
    fields = parse_groups(group_by)
    period = None if interval is None else parse_period(interval, time_zone)
    chosen = [parse_metric(name) for name in metrics or DEFAULT_METRICS]
    wanted = frozenset(each.wanted for each in chosen if each.wanted is not None)
    fractions = tuple(each.fraction for each in chosen if each.fraction is not None and not with_total)
    found = store.statistics(
        StatisticsQuery(search, tuple(fields), period, wanted, are_weighted=True, fractions=fractions)
    )
    if not found and not fields and period is None:
        found = {(): Summary()}
    values_of = _reader(chosen)
    with no_collection():
        ordered = _in_order(found, has_time=period is not None)
        return Statistics(
            groups=(*([TIME] if period is not None else []), *fields.values()),
            metrics=tuple(each.name for each in chosen),
            rows=[(*_shown(key, period), *values_of(summary)) for key, summary in ordered],
            has_time=period is not None,
            total=tuple(values_of(_together([*found.values()]))) if with_total else None,
        )


def parse_metric(name: str) -> Metric:
    """Return the metric of a name; raise `ArgumentError` for none."""
    known = METRICS.get(name)
    if known is not None:
        return known
    percentile = _PERCENTILE.fullmatch(name)
    if percentile is not None:
        fraction = float(percentile[1]) / 100
        return Metric(name, DURATIONS, lambda summary: summary.percentiles([fraction])[0], fraction)
    meant = nearest(name, METRICS)
    hint = f"did you mean {meant!r}?" if meant else f"there are {', '.join(METRICS)}, and percentiles such as p95"
    raise ArgumentError(f"there is no metric {name!r}; {hint}")


def _reader(metrics: Sequence[Metric]) -> Callable[[Summary], list[float]]:
    """Return what reads the metrics of a summary, all percentiles at once: there are thousands of summaries."""
    fractions = [each.fraction for each in metrics if each.fraction is not None]
    others = [each.value if each.fraction is None else None for each in metrics]

    def read(summary: Summary) -> list[float]:
        percentiles = iter(summary.percentiles(fractions) if fractions else ())
        return [next(percentiles) if value is None else value(summary) for value in others]

    return read


def _together(summaries: Sequence[Summary]) -> Summary:
    if len(summaries) == 1:
        return summaries[0]
    whole = Summary(distinct=dict.fromkeys(DISTINCT, math.nan))
    for each in summaries:
        whole.join(each)
    return whole


def _or_nan(value: int | None) -> float:
    return math.nan if value is None else value


def _texts(name: str, given: Sequence[str] | str | None) -> list[str]:
    """Return one text or several as a list."""
    texts = [given] if isinstance(given, str) else list(given or ())
    if not all(isinstance(each, str) for each in texts):
        raise ArgumentError(f"{name} is a list of texts, not {given!r}")
    return texts


def _in_order(groups: Groups, *, has_time: bool) -> list[tuple[GroupKey, Summary]]:
    """Return groups by time if there is one, then by how many each has, then by its values."""
    ranks: dict[GroupKey, list[tuple[bool, str]]] = {}  # of values, which are the same in many periods

    def place(group: tuple[GroupKey, Summary]) -> tuple[Any, ...]:
        key, summary = group
        values = key[has_time:]
        rank = ranks.get(values)
        if rank is None:
            rank = ranks[values] = [(value is None, str(value)) for value in values]
        return key[0] if has_time else 0, -summary.count, rank

    return sorted(groups.items(), key=place)


def _shown(key: Sequence[KeyValue], period: Period | None) -> Iterable[Any]:
    return key if period is None else (period.to_datetime(int(key[0] or 0)), *key[1:])
