"""What some traces add up to: counts, durations, tokens, costs. Summaries of parts of them add up to that of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tracehound.model.buckets import bucket_of, percentiles

# The numbers of traces that are added up, each with the key of the metadata it stands in, and its name there.
SUMMED: Final = {
    "input_tokens": ("mlflow.trace.tokenUsage", "input_tokens"),
    "output_tokens": ("mlflow.trace.tokenUsage", "output_tokens"),
    "total_tokens": ("mlflow.trace.tokenUsage", "total_tokens"),
    "cost": ("mlflow.trace.cost", "total_cost"),
}


@dataclass(slots=True)
class Summary:
    """Some traces: how many, how many of them failed, how many have ended, and how long these took, in ms.

    Counts are whole numbers but where they are estimated (`times`). `buckets` counts durations (`model.buckets`);
    `sums` has the sum of each of `SUMMED` that a trace has, and `having` how many have it; `distinct` counts the
    different users and sessions, and is filled at the end: such counts do not add up. Nor do percentiles: `known` has
    some of them, by their fractions, where they were worked out already and `buckets` are not there.

    >>> some, other = Summary(), Summary()
    >>> some.add(is_error=False, duration_ms=40)
    >>> other.add(is_error=True, duration_ms=None)
    >>> some.join(other)
    >>> some.count, some.errors, some.ended, some.percentiles([0.5])
    (2, 1, 1, [40.0])
    """

    count: float = 0
    errors: float = 0
    ended: float = 0
    sum_ms: float = 0
    least_ms: int | None = None
    most_ms: int | None = None
    buckets: dict[int, float] = field(default_factory=dict)
    sums: dict[str, float] = field(default_factory=dict)
    having: dict[str, float] = field(default_factory=dict)
    distinct: dict[str, float] = field(default_factory=dict)
    known: dict[float, float] = field(default_factory=dict)

    def add(self, *, is_error: bool, duration_ms: int | None) -> None:
        """Add a trace."""
        self.count += 1
        self.errors += is_error
        if duration_ms is not None:
            self.ended += 1
            self.sum_ms += duration_ms
            bucket = bucket_of(duration_ms)
            self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
            self._widen(duration_ms, duration_ms)

    def add_number(self, name: str, value: float, count: float = 1) -> None:
        """Add what some traces have of a number, or take it away: then the count is below 0."""
        self.having[name] = self.having.get(name, 0) + count
        self.sums[name] = self.sums.get(name, 0.0) + value

    def join(self, other: Summary) -> None:
        """Add other traces."""
        assert not any((self.known, other.known)), "percentiles do not add up"  # noqa: S101 - who joins asks for buckets
        self.count += other.count
        self.errors += other.errors
        self.ended += other.ended
        self.sum_ms += other.sum_ms
        if self.buckets:
            for bucket, count in other.buckets.items():
                self.buckets[bucket] = self.buckets.get(bucket, 0) + count
        else:
            self.buckets = dict(other.buckets)
        self._widen(other.least_ms, other.most_ms)
        for name, value in other.sums.items():
            self.add_number(name, value, other.having[name])

    def times(self, weight: float) -> Summary:
        """Return as many of such traces as each of them stands for. Least and greatest are of those that were seen.

        >>> of_ten = Summary()
        >>> of_ten.add(is_error=False, duration_ms=40)
        >>> ten = of_ten.times(10.0)
        >>> ten.count, ten.sum_ms, ten.most_ms
        (10, 400, 40)
        """
        if weight == 1.0:
            return self
        factor = int(weight) if weight.is_integer() else weight
        return Summary(
            self.count * factor, self.errors * factor, self.ended * factor, self.sum_ms * factor,
            self.least_ms, self.most_ms,
            {bucket: count * factor for bucket, count in self.buckets.items()},
            {name: value * weight for name, value in self.sums.items()},
            {name: count * factor for name, count in self.having.items()},
        )  # fmt: skip

    def percentiles(self, fractions: Sequence[float]) -> list[float]:
        """Return the durations in ms at or below which the fractions lie, within 1 %; NaN where none has ended."""
        found = [self.known[each] for each in fractions] if self.known else percentiles(self.buckets, fractions)
        if self.most_ms is None:
            return found
        most = float(self.most_ms)
        return [min(each, most) for each in found]

    def _widen(self, least_ms: int | None, most_ms: int | None) -> None:
        if least_ms is not None:
            self.least_ms = least_ms if self.least_ms is None else min(self.least_ms, least_ms)
        if most_ms is not None:
            self.most_ms = most_ms if self.most_ms is None else max(self.most_ms, most_ms)
