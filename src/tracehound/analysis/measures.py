"""What two groups of traces are compared by: a row each, and how a number and its interval follow from the values.

The differences are looked at together, and of twenty intervals at 95 % one would be wrong by chance. So each interval
of a difference is made wide enough that with the level's chance all of them hold at once (Bonferroni).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from tracehound.analysis.intervals import (
    Interval,
    least_for_percentile,
    mean_of,
    percentile,
    percentile_interval,
    square_and_add,
    student,
    welch,
    wilson,
)
from tracehound.model.record import Record
from tracehound.model.trace import TraceInfo, TraceState
from tracehound.query.evaluate import value_of
from tracehound.query.fields import ATTRIBUTES

# Fewer tell nothing of a rate; and means of fewer values as skewed as costs are missed too often: of log-normal ones
# the interval at 95 % held 91 times of 100 where 20 stood beside 200.
LEAST_FOR_RATE: Final = 10
LEAST_FOR_MEAN: Final = 30
_CHOSEN: Final = (
    "some of these traces stand for others that were dropped when they ended (tail sampling): the numbers are estimates"
    " of all, and how far they are off is not known"
)


class Estimate(Record, frozen=True, kw_only=True):
    """A number about one side, of so many of its traces, and its own interval; null where there is none."""

    value: float | None
    count: int
    interval: Interval | None


class Measure(Record, frozen=True, kw_only=True):
    """A number about both sides, how much that of the candidate is greater, and from where to where that may lie.

    `unit` is share (0 to 1), ms, tokens or USD. Where there is no interval, `note` says why.
    """

    name: str
    unit: str
    method: str
    baseline: Estimate
    candidate: Estimate
    difference: float | None
    interval: Interval | None
    note: str | None

    @property
    def differs(self) -> bool:
        """Whether the interval of the difference excludes zero."""
        return self.interval is not None and self.interval.excludes_zero


@dataclass(frozen=True)
class Values:
    """What the traces of a side have of something, in order, and how many traces each stands for if not for itself."""

    ordered: Sequence[float]
    weights: Sequence[float] | None = None


@dataclass(frozen=True)
class Levels:
    """The level of the interval of a side, and of that of a difference."""

    side: float
    difference: float


@dataclass(frozen=True)
class Method:
    """How a number follows from values, and its interval; `least` says how many values that takes at a level."""

    told: str
    estimate: Callable[[Values], float]
    interval: Callable[[Sequence[float], float], Interval | None]
    difference: Callable[[Sequence[float], Sequence[float], float], Interval | None]
    least: Callable[[float], int]


@dataclass(frozen=True)
class Kind:
    """A row of the comparison: its name and unit, what a trace has of it, and the method."""

    name: str
    unit: str
    value: Callable[[TraceInfo], float | None]
    method: Method

    def measure(self, baseline: Values, candidate: Values, levels: Levels) -> Measure:
        """Return the number of each side and of their difference, as far as the values tell them."""
        sides = [self._estimate(values, levels.side) for values in (baseline, candidate)]
        first, second = (each.value for each in sides)
        difference = None if first is None or second is None else second - first
        note = self._note(baseline, candidate, levels.difference)
        found = None if note else self.method.difference(baseline.ordered, candidate.ordered, levels.difference)
        return Measure(
            name=self.name, unit=self.unit, method=self.method.told, baseline=sides[0], candidate=sides[1],
            difference=difference, interval=found, note=note,
        )  # fmt: skip

    def _estimate(self, values: Values, level: float) -> Estimate:
        count = len(values.ordered)
        if not count:
            return Estimate(value=None, count=0, interval=None)
        is_enough = values.weights is None and count >= self.method.least(level)
        found = self.method.interval(values.ordered, level) if is_enough else None
        return Estimate(value=self.method.estimate(values), count=count, interval=found)

    def _note(self, baseline: Values, candidate: Values, level: float) -> str | None:
        """Return why there is no interval of the difference; None where there is one."""
        if baseline.weights is not None or candidate.weights is not None:
            return _CHOSEN
        least = self.method.least(level)
        few = [
            f"the {side} has {len(values.ordered):,}"
            for side, values in (("baseline", baseline), ("candidate", candidate))
            if len(values.ordered) < least
        ]
        return f"too few: it takes {least:,} traces with a value on each side, and {' and '.join(few)}" if few else None


def _rate() -> Method:
    def interval(ordered: Sequence[float], level: float) -> Interval:
        return wilson(round(sum(ordered)), len(ordered), level)

    def difference(first: Sequence[float], second: Sequence[float], level: float) -> Interval:
        rates = (sum(first) / len(first), sum(second) / len(second))
        return square_and_add(rates[0], interval(first, level), rates[1], interval(second, level))

    return Method(
        "Wilson; square-and-add (Newcombe)", _weighted_mean, interval, difference, lambda _level: LEAST_FOR_RATE
    )


def _percentile(fraction: float) -> Method:
    def estimate(values: Values) -> float:
        if values.weights is None:
            return percentile(values.ordered, fraction)
        seen = list(accumulate(values.weights))
        return values.ordered[bisect_left(seen, min(fraction * seen[-1], seen[-1]))]

    def interval(ordered: Sequence[float], level: float) -> Interval | None:
        return percentile_interval(ordered, fraction, level)

    def difference(first: Sequence[float], second: Sequence[float], level: float) -> Interval | None:
        of_first, of_second = interval(first, level), interval(second, level)
        if of_first is None or of_second is None:
            return None
        return square_and_add(percentile(first, fraction), of_first, percentile(second, fraction), of_second)

    return Method(
        "order statistics; square-and-add (Zou and Donner)", estimate, interval, difference,
        lambda level: least_for_percentile(fraction, level),
    )  # fmt: skip


def _mean() -> Method:
    return Method(
        "Student's t; Welch's t",
        _weighted_mean,
        lambda ordered, level: student(mean_of(ordered), level),
        lambda first, second, level: welch(mean_of(first), mean_of(second), level),
        lambda _level: LEAST_FOR_MEAN,
    )


def _weighted_mean(values: Values) -> float:
    if values.weights is None:
        return mean_of(values.ordered).mean
    return sum(map(float.__mul__, values.ordered, values.weights)) / sum(values.weights)


def _attribute(name: str) -> Callable[[TraceInfo], float | None]:
    field = ATTRIBUTES[name]

    def read(info: TraceInfo) -> float | None:
        found: Any = value_of(field, info)
        return None if found is None else float(found)

    return read


def _has_failed(info: TraceInfo) -> float:
    return float(info.state is TraceState.ERROR)


_latency: Final = _attribute("latency")

# As a rule a name says the same as in `trace_stats`; but of tokens and cost what is compared is the mean of a trace.
KINDS: Final = (
    Kind("error_rate", "share", _has_failed, _rate()),
    Kind("p50", "ms", _latency, _percentile(0.5)),
    Kind("p95", "ms", _latency, _percentile(0.95)),
    Kind("p99", "ms", _latency, _percentile(0.99)),
    Kind("latency_mean", "ms", _latency, _mean()),
    Kind("input_tokens", "tokens", _attribute("input_tokens"), _mean()),
    Kind("output_tokens", "tokens", _attribute("output_tokens"), _mean()),
    Kind("cost", "USD", _attribute("cost"), _mean()),
)
ERROR_RATE: Final = KINDS[0]
MEDIAN: Final = KINDS[1]


def levels_for(level: float) -> Levels:
    """Return the levels of all intervals, of which those of the differences hold together at the one that is given.

    >>> levels_for(0.95)
    Levels(side=0.95, difference=0.99375)
    """
    return Levels(level, 1 - (1 - level) / len(KINDS))
