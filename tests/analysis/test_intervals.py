"""Intervals are those that SciPy gives."""

from __future__ import annotations

import math
import random

import pytest
import scipy  # which loads scipy.stats where it is asked for
from hypothesis import example, given
from hypothesis import strategies as st

from tracehound.analysis.intervals import (
    Interval,
    least_for_percentile,
    mean_of,
    percentile,
    percentile_interval,
    square_and_add,
    student,
    student_quantile,
    welch,
    wilson,
)

LEVELS = st.sampled_from([0.5, 0.8, 0.95, 0.99, 0.99375, 0.9999])
NUMBERS = st.integers(-1_000_000, 1_000_000).map(float)


def is_close(found: float, wanted: float) -> bool:
    return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)


@given(st.integers(1, 5_000), st.data(), LEVELS)
def test_of_a_rate_it_is_wilsons(count: int, data: st.DataObject, level: float) -> None:
    successes = data.draw(st.integers(0, count))
    wanted = scipy.stats.binomtest(successes, count).proportion_ci(level, method="wilson")
    found = wilson(successes, count, level)
    assert is_close(found.low, wanted.low)
    assert is_close(found.high, wanted.high)
    assert 0 <= found.low <= successes / count <= found.high <= 1


@example([0.0, 0.0], 0.5, 0.5)
@given(st.lists(NUMBERS, min_size=1, max_size=800), st.sampled_from([0.01, 0.25, 0.5, 0.9, 0.95, 0.99]), LEVELS)
def test_of_a_percentile_it_is_that_of_the_quantile_test(values: list[float], fraction: float, level: float) -> None:
    wanted = scipy.stats.quantile_test(values, p=fraction).confidence_interval(level)
    found = percentile_interval(sorted(values), fraction, level)
    if (len(values), fraction, level) == (2, 0.5, 0.5):
        # It holds exactly as often as the level says, which is enough for Conover and not for SciPy.
        assert found == Interval(min(values), max(values))
        return
    is_known = not (math.isnan(wanted.low) or math.isnan(wanted.high))
    assert found == (Interval(wanted.low, wanted.high) if is_known else None)


@pytest.mark.parametrize("count", [20_000, 123_456])
def test_a_percentile_of_many_values_has_an_interval_too(count: int) -> None:
    values = [float(each) for each in range(count)]
    wanted = scipy.stats.quantile_test(values, p=0.95).confidence_interval(0.95)
    assert percentile_interval(values, 0.95, 0.95) == Interval(wanted.low, wanted.high)


@given(st.sampled_from([0.05, 0.5, 0.9, 0.95, 0.99]), LEVELS)
def test_there_is_one_of_a_percentile_from_the_least_number_of_values_on(fraction: float, level: float) -> None:
    least = least_for_percentile(fraction, level)
    assert percentile_interval(range(least), fraction, level) is not None
    assert percentile_interval(range(least - 1), fraction, level) is None


@example(0.5000000000000001, 128.0)
@given(st.floats(0.5, 0.99999), st.floats(1, 100_000))
def test_the_quantiles_are_students(share: float, freedom: float) -> None:
    assert math.isclose(
        student_quantile(share, freedom), scipy.stats.t.ppf(share, freedom), rel_tol=1e-7, abs_tol=1e-12
    )


@given(st.lists(NUMBERS, min_size=2, max_size=60), LEVELS)
def test_of_a_mean_it_is_students(values: list[float], level: float) -> None:
    found = mean_of(values)
    interval = student(found, level)
    if found.variance == 0:
        assert interval == Interval(found.mean, found.mean)
        return
    low, high = scipy.stats.t.interval(level, len(values) - 1, loc=found.mean, scale=scipy.stats.sem(values))
    assert math.isclose(interval.low, low, rel_tol=1e-7, abs_tol=1e-3)
    assert math.isclose(interval.high, high, rel_tol=1e-7, abs_tol=1e-3)


@given(st.integers(0, 2**32), st.integers(2, 80), st.integers(2, 80), LEVELS)
def test_of_the_difference_of_means_it_is_welchs(seed: int, few: int, many: int, level: float) -> None:
    rng = random.Random(seed)
    first = [rng.lognormvariate(5, 1) for _ in range(few)]
    second = [rng.lognormvariate(6, 0.5) for _ in range(many)]
    wanted = scipy.stats.ttest_ind(second, first, equal_var=False).confidence_interval(level)
    found = welch(mean_of(first), mean_of(second), level)
    assert math.isclose(found.low, wanted.low, rel_tol=1e-7, abs_tol=1e-7)
    assert math.isclose(found.high, wanted.high, rel_tol=1e-7, abs_tol=1e-7)


def test_means_of_values_that_are_all_the_same_are_known_exactly() -> None:
    assert welch(mean_of([5.0] * 30), mean_of([7.0] * 40), 0.95) == Interval(2.0, 2.0)
    assert not welch(mean_of([5.0] * 30), mean_of([5.0] * 40), 0.95).excludes_zero


def test_of_the_difference_of_rates_it_is_the_one_that_newcombe_has_in_his_paper() -> None:
    # Newcombe 1998, table II, case (a), method 10: 56 of 70 and 48 of 80.
    first, second = (wilson(each, count, 0.95) for each, count in ((48, 80), (56, 70)))
    found = square_and_add(48 / 80, first, 56 / 70, second)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


@pytest.mark.parametrize(("few", "many"), [(30, 30), (30, 300), (200, 200)])
def test_the_interval_of_the_difference_of_medians_holds_as_often_as_it_says(few: int, many: int) -> None:
    rng = random.Random(20)

    def holds() -> bool:
        first = sorted(rng.lognormvariate(7, 1) for _ in range(few))
        second = sorted(1.5 * rng.lognormvariate(7, 1) for _ in range(many))
        of_both = [percentile_interval(each, 0.5, 0.95) for each in (first, second)]
        assert of_both[0] is not None
        assert of_both[1] is not None
        found = square_and_add(percentile(first, 0.5), of_both[0], percentile(second, 0.5), of_both[1])
        return found.low <= 0.5 * math.exp(7) <= found.high

    assert sum(holds() for _ in range(400)) >= 0.93 * 400
