"""Estimates of what traces are drawn from, with the intervals that they are known to within: no library, no I/O.

Each method is one that can be looked up, and that `tests/analysis` compares with SciPy's. Of a rate: Wilson's interval.
Of a percentile: two of the values themselves, chosen by the binomial distribution, whatever the values are distributed
like. Of a mean: Student's. Of the difference of two independent rates or percentiles: square-and-add, which Newcombe
gave for rates and Zou and Donner for anything with an interval; of two means: Welch's.

A level is the share of such intervals that hold what they are of, such as 0.95. Where there are too few values for the
method, there is no interval.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist, fmean, variance
from typing import Final

from tracehound.model.record import Record

_MOST_DIFFERENT: Final = 12  # standard deviations, beyond which a binomial distribution has nothing that counts
_STEPS: Final = 200  # of halving, and of a continued fraction: each is done long before


class Interval(Record, frozen=True):
    """From where to where something lies."""

    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether all of it lies on one side of zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Mean:
    """What the mean of some values and its interval follow from."""

    count: int
    mean: float
    variance: float  # NaN of a single value

    @property
    def squared_error(self) -> float:
        """The square of the standard error of the mean."""
        return self.variance / self.count


def wilson(successes: int, count: int, level: float) -> Interval:
    """Return the interval of a rate (Wilson 1927), from 0 to 1; there has to be something that was counted.

    >>> found = wilson(3, 40, 0.95)
    >>> round(found.low, 4), round(found.high, 4)
    (0.0258, 0.1986)
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    rate, share = successes / count, z * z / count
    middle = (rate + share / 2) / (1 + share)
    reach = z * math.sqrt((rate * (1 - rate) + share / 4) / count) / (1 + share)
    # At the ends it touches them, which rounding would miss.
    return Interval(0.0 if successes == 0 else middle - reach, 1.0 if successes == count else middle + reach)


def percentile(ordered: Sequence[float], fraction: float) -> float:
    """Return a percentile of values that are in order, between two of them in proportion, as pandas and NumPy do.

    >>> percentile([1, 2, 3, 4], 0.5)
    2.5
    """
    place = fraction * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def percentile_interval(ordered: Sequence[float], fraction: float, level: float) -> Interval | None:
    """Return the interval of a percentile: two of the values, which are in order; None where they are too few.

    It holds at least as often as the level says. It is that of SciPy's `quantile_test` and of Conover's textbook.

    >>> percentile_interval(range(1, 101), 0.5, 0.95)
    Interval(low=40, high=61)
    >>> percentile_interval(range(1, 5), 0.5, 0.95) is None
    True
    """
    count = len(ordered)
    low = _binomial_rank(count, fraction, (1 - level) / 2)
    high = _binomial_rank(count, 1 - fraction, (1 - level) / 2)
    return Interval(ordered[low - 1], ordered[count - high]) if low and high else None


def least_for_percentile(fraction: float, level: float) -> int:
    """Return how many values there have to be for the interval of a percentile.

    >>> least_for_percentile(0.5, 0.95), least_for_percentile(0.95, 0.95)
    (6, 72)
    """
    # So many that hardly ever all of them lie on the same side of the percentile.
    return math.ceil(math.log((1 - level) / 2) / math.log(max(fraction, 1 - fraction)))


def mean_of(values: Sequence[float]) -> Mean:
    """Return what is needed to know of values, of which there is at least one, for their mean.

    >>> mean_of([1, 2, 3])
    Mean(count=3, mean=2.0, variance=1)
    """
    return Mean(len(values), fmean(values), variance(values) if len(values) > 1 else math.nan)


def student(found: Mean, level: float) -> Interval:
    """Return the interval of a mean (Student 1908) of two values or more.

    >>> found = student(mean_of([1, 2, 3]), 0.95)
    >>> round(found.low, 6), round(found.high, 6)
    (-0.484138, 4.484138)
    """
    reach = student_quantile((1 + level) / 2, found.count - 1) * math.sqrt(found.squared_error)
    return Interval(found.mean - reach, found.mean + reach)


def welch(first: Mean, second: Mean, level: float) -> Interval:
    """Return the interval of how much the second mean is greater (Welch 1947), of two values or more each.

    >>> found = welch(mean_of([1, 2, 3]), mean_of([2, 4, 6, 8]), 0.95)
    >>> round(found.low, 6), round(found.high, 6)
    (-0.897975, 6.897975)
    """
    difference = second.mean - first.mean
    squared = first.squared_error + second.squared_error
    if squared == 0:  # all the same on either side: nothing says how much they vary
        return Interval(difference, difference)
    freedom = squared**2 / sum(each.squared_error**2 / (each.count - 1) for each in (first, second))
    reach = student_quantile((1 + level) / 2, freedom) * math.sqrt(squared)
    return Interval(difference - reach, difference + reach)


def square_and_add(first: float, of_first: Interval, second: float, of_second: Interval) -> Interval:
    """Return the interval of how much the second estimate is greater (Newcombe 1998; Zou and Donner 2008).

    Each side gives what it may be off towards the other: below what it is estimated at, and above.

    >>> square_and_add(0.5, Interval(0.2, 0.8), 0.5, Interval(0.1, 0.9))
    Interval(low=-0.5, high=0.5)
    """
    difference = second - first
    return Interval(
        difference - math.hypot(second - of_second.low, of_first.high - first),
        difference + math.hypot(of_second.high - second, first - of_first.low),
    )


def student_quantile(share: float, freedom: float) -> float:
    """Return the value that a share, of at least a half, of Student's distribution lies below.

    >>> round(student_quantile(0.975, 10), 12)
    2.228138851986
    """
    above_half = share - 0.5
    low, high = 0.0, 1.0
    while _student_from_zero(high, freedom) < above_half:
        low, high = high, high * 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if _student_from_zero(middle, freedom) < above_half:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _student_from_zero(t: float, freedom: float) -> float:
    """Return the share of Student's distribution between zero and a value; 1 - x would round a small one away."""
    return _incomplete_beta(0.5, freedom / 2, t * t / (freedom + t * t)) / 2


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function, by its continued fraction (DLMF 8.17.22)."""
    if x in (0.0, 1.0):
        return x
    if x > (a + 1) / (a + b + 2):  # the other side converges sooner
        return 1 - _incomplete_beta(b, a, 1 - x)
    scale = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    # Lentz's method: `above` and `below` are ratios of neighbouring numerators and denominators.
    above, below = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    product = below
    for m in range(1, _STEPS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            below = 1 / (1 + term * below)
            above = 1 + term / above
            product *= above * below
        if abs(above * below - 1) < 1e-16:
            break
    return scale * product / a


def _binomial_rank(count: int, chance: float, most: float) -> int:
    """Return the greatest number r for which fewer than r of so many trials succeed with a chance of at most `most`."""
    mean = count * chance
    spread = math.sqrt(mean * (1 - chance))
    first = max(0, math.floor(mean - _MOST_DIFFERENT * spread) - 1)
    last = min(count, math.ceil(mean) + 1)  # half of all lies below: the rank does as well
    log_first = (
        math.lgamma(count + 1) - math.lgamma(first + 1) - math.lgamma(count - first + 1)
        + first * math.log(chance) + (count - first) * math.log1p(-chance)
    )  # fmt: skip
    odds = chance / (1 - chance)
    chances = accumulate(
        range(first, last), lambda before, k: before * odds * (count - k) / (k + 1), initial=math.exp(log_first)
    )
    return first + bisect_right(list(accumulate(chances)), most)
