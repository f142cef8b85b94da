"""Comparisons through the public interface: their numbers are those of pandas and SciPy on the traces of a search."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
import scipy  # which loads scipy.stats where it is asked for

import tracehound
from tests.traces import part, span
from tracehound.analysis.comparison import Comparison, read_comparison
from tracehound.analysis.measures import LEAST_FOR_MEAN, Measure
from tracehound.errors import ArgumentError, FilterError
from tracehound.model.trace import TracePart
from tracehound.model.weight import WEIGHT
from tracehound.query.search import parse_search
from tracehound.runtime import current
from tracehound.store.memory import MemoryStore

TOKENS = "mlflow.trace.tokenUsage"
COST = "mlflow.trace.cost"
JOINT = 1 - 0.05 / 8


def traces(counts: dict[str, int], *, seed: int = 1, metadata: dict[str, str] | None = None) -> Iterator[TracePart]:
    """Yield so many traces of each version; the later a version, the slower. Every fifth has no tokens and no cost."""
    rng = random.Random(seed)
    number = 0
    for slower, (version, count) in enumerate(counts.items()):
        for _ in range(count):
            number += 1
            taken = {"input_tokens": rng.randrange(80, 120), "output_tokens": rng.randrange(20) + 5 * slower}
            known = {TOKENS: json.dumps(taken), COST: json.dumps({"total_cost": rng.lognormvariate(-6, 1)})}
            failed = rng.random() < 0.1 * (1 + slower)
            took_ms = round(rng.lognormvariate(6, 0.6) * (1 + slower))
            identity = rng.getrandbits(128)
            step = span(1, identity, start_ms=number * 1000, name="answer", failed=failed, duration_ms=took_ms)
            yield part(step, tags={"version": version}, metadata=(metadata or {}) | (known if number % 5 else {}))


def keep(*parts: TracePart) -> None:
    current().drained_store().write(parts)


def measures_of(found: Comparison) -> dict[str, Measure]:
    return {each.name: each for each in found.measures}


def assert_interval(measure: Measure, low: float, high: float) -> None:
    assert measure.interval is not None, measure
    assert math.isclose(measure.interval.low, low, rel_tol=1e-6, abs_tol=1e-9), measure
    assert math.isclose(measure.interval.high, high, rel_tol=1e-6, abs_tol=1e-9), measure


def searched(side: Any) -> pd.DataFrame:
    """Return the traces of a side as a search finds them, with what plain pandas reads out of them."""
    frame = tracehound.search_traces(side.filter).wide()
    told = [json.loads(each.get(TOKENS, "{}")) for each in frame["trace_metadata"]]
    costs = [json.loads(each.get(COST, "{}")) for each in frame["trace_metadata"]]
    return pd.DataFrame(
        {
            "failed": (frame["state"] == "ERROR").astype(float),
            "latency": frame["execution_duration"].astype(float),
            "input_tokens": [each.get("input_tokens") for each in told],
            "output_tokens": [each.get("output_tokens") for each in told],
            "cost": [each.get("total_cost") for each in costs],
        },
        dtype=float,
    )


def test_a_comparison_is_shown_on_one_line() -> None:
    keep(*traces({"1": 3, "2": 2}))
    shown = repr(tracehound.compare_traces("tags.version", "1", "2"))
    assert shown == "Comparison(by='tags.version', baseline='1', candidate='2', differs=[])"


def test_the_numbers_are_those_of_pandas_and_scipy_on_the_same_traces() -> None:
    keep(*traces({"1": 900, "2": 700, "3": 50}))
    found = tracehound.compare_traces("tags.version", "1", "2")
    assert (found.baseline.count, found.candidate.count) == (900, 700)
    assert not found.baseline.is_sample
    one, other = searched(found.baseline), searched(found.candidate)
    assert (len(one), len(other)) == (900, 700)
    measures = measures_of(found)

    rate = measures["error_rate"]
    ends: list[Any] = []
    for side, estimate in ((one, rate.baseline), (other, rate.candidate)):
        own = scipy.stats.binomtest(int(side["failed"].sum()), len(side)).proportion_ci(0.95, method="wilson")
        assert estimate.value == side["failed"].mean()
        assert estimate.interval is not None
        assert (estimate.interval.low, estimate.interval.high) == pytest.approx((own.low, own.high), rel=1e-9)
        joint = scipy.stats.binomtest(int(side["failed"].sum()), len(side)).proportion_ci(JOINT, method="wilson")
        ends.append((side["failed"].mean(), joint.low, joint.high))
    assert_interval(rate, *square_and_add(*ends))

    for name, fraction in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        ends = []
        for side, estimate in ((one, measures[name].baseline), (other, measures[name].candidate)):
            own = scipy.stats.quantile_test(side["latency"], p=fraction).confidence_interval(0.95)
            assert estimate.value == pytest.approx(side["latency"].quantile(fraction), rel=1e-12)
            assert estimate.interval is not None
            assert (estimate.interval.low, estimate.interval.high) == (own.low, own.high)
            joint = scipy.stats.quantile_test(side["latency"], p=fraction).confidence_interval(JOINT)
            ends.append((side["latency"].quantile(fraction), joint.low, joint.high))
        assert_interval(measures[name], *square_and_add(*ends))

    for name in ("latency_mean", "input_tokens", "output_tokens", "cost"):
        column = name.removesuffix("_mean")
        first, second = one[column].dropna(), other[column].dropna()
        for values, estimate in ((first, measures[name].baseline), (second, measures[name].candidate)):
            low, high = scipy.stats.t.interval(0.95, len(values) - 1, loc=values.mean(), scale=scipy.stats.sem(values))
            assert estimate.count == len(values)
            assert estimate.value == pytest.approx(values.mean(), rel=1e-12)
            assert estimate.interval is not None
            assert (estimate.interval.low, estimate.interval.high) == pytest.approx((low, high), rel=1e-9)
        joint = scipy.stats.ttest_ind(second, first, equal_var=False).confidence_interval(JOINT)
        assert_interval(measures[name], joint.low, joint.high)
        assert measures[name].difference == pytest.approx(second.mean() - first.mean(), rel=1e-9)

    assert {name for name, each in measures.items() if each.differs} >= {"p50", "latency_mean", "output_tokens"}
    assert not measures["input_tokens"].differs
    assert measures["cost"].baseline.count < 900


def square_and_add(first: tuple[float, float, float], second: tuple[float, float, float]) -> tuple[float, float]:
    """Return the interval of a difference from both estimates with the ends of theirs, as Newcombe writes it down."""
    (one, one_low, one_high), (other, other_low, other_high) = first, second
    return (
        other - one - math.sqrt((other - other_low) ** 2 + (one_high - one) ** 2),
        other - one + math.sqrt((other_high - other) ** 2 + (one - one_low) ** 2),
    )


def test_with_too_few_traces_it_says_so_and_shows_no_interval() -> None:
    keep(*traces({"1": 40, "2": 8}))
    for each in tracehound.compare_traces("tags.version", "1", "2").measures:
        assert each.interval is None
        assert not each.differs
        assert each.difference is not None
        assert each.note is not None
        assert each.note.startswith("too few: it takes ")
    rate = tracehound.compare_traces("tags.version", "1", "2").measures[0]
    assert rate.note == "too few: it takes 10 traces with a value on each side, and the candidate has 8"
    assert rate.candidate.interval is None
    assert rate.baseline.interval is not None


def test_each_measure_has_its_interval_as_soon_as_there_are_enough() -> None:
    keep(*traces({"1": 60, "2": LEAST_FOR_MEAN * 5 // 4 - 1}))  # of which four fifths have tokens
    measures = measures_of(tracehound.compare_traces("tags.version", "1", "2"))
    known = [name for name, each in measures.items() if each.interval is not None]
    assert known == ["error_rate", "p50", "latency_mean"]
    assert measures["p95"].note == (
        "too few: it takes 113 traces with a value on each side, and the baseline has 60 and the candidate has 36"
    )


@pytest.mark.parametrize(("baseline", "candidate", "counts"), [("1", "none", (40, 0)), ("none", "1", (0, 40))])
def test_a_value_that_no_trace_has_is_a_side_without_numbers(
    baseline: str, candidate: str, counts: tuple[int, int]
) -> None:
    keep(*traces({"1": 40}))
    found = tracehound.compare_traces("tags.version", baseline, candidate)
    assert (found.baseline.count, found.candidate.count) == counts
    assert found.distribution is None
    for each in found.measures:
        assert {each.baseline.value, each.candidate.value} & {None}
        assert (each.difference, each.interval) == (None, None)
        assert "has 0" in str(each.note)


def test_a_single_trace_has_numbers_and_no_interval() -> None:
    keep(*traces({"1": 1, "2": 1}))
    found = tracehound.compare_traces("tags.version", "1", "2")
    median = measures_of(found)["p50"]
    assert median.baseline.value == found.baseline.slowest[0].duration_ms
    assert median.baseline.interval is None


def test_none_stands_for_the_traces_that_lack_the_key() -> None:
    keep(*traces({"1": 3}), part(span(1, 7)))
    found = tracehound.compare_traces("tags.version", None, "1")
    assert (found.baseline.filter, found.baseline.count, found.candidate.count) == ("tags.version IS NULL", 1, 3)


def test_the_filter_narrows_both_sides() -> None:
    keep(*traces({"1": 30, "2": 30}))
    found = tracehound.compare_traces("tags.version", "1", "2", "attributes.status = 'ERROR'")
    assert measures_of(found)["error_rate"].baseline.value == 1
    assert found.baseline.count + found.candidate.count == len(
        tracehound.search_traces("attributes.status = 'ERROR'", return_type="list")
    )


def test_examples_lead_to_the_slowest_the_failing_and_the_typical_traces() -> None:
    keep(*traces({"1": 60, "2": 60}))
    side = tracehound.compare_traces("tags.version", "1", "2").baseline
    frame = tracehound.search_traces(side.filter)
    slowest = frame.sort_values("execution_duration", ascending=False)["trace_id"].head(3)
    assert [each.trace_id for each in side.slowest] == list(slowest)
    assert [each.trace_id for each in side.failing] == list(frame[frame["state"] == "ERROR"]["trace_id"].head(3))
    median = frame["execution_duration"].median()
    good = frame[frame["state"] == "OK"]["execution_duration"]
    assert [abs(each.duration_ms - median) for each in side.typical if each.duration_ms is not None] == sorted(
        (good - median).abs()
    )[:3]


def test_the_distribution_says_which_share_of_each_side_lies_in_bins_that_both_have() -> None:
    keep(*traces({"1": 50, "2": 100}))
    found = tracehound.compare_traces("tags.version", "1", "2")
    assert found.distribution is not None
    edges = found.distribution.edges_ms
    for side, shares in (
        (found.baseline, found.distribution.baseline),
        (found.candidate, found.distribution.candidate),
    ):
        latencies = tracehound.search_traces(side.filter)["execution_duration"]
        counted = pd.cut(latencies, edges, right=False).value_counts(sort=False, normalize=True)
        assert shares == pytest.approx(list(counted))
        assert sum(shares) == pytest.approx(1)


def test_of_many_traces_a_random_sample_is_read_and_it_says_so() -> None:
    keep(*traces({"1": 1_600, "2": 200}))
    search = parse_search(["0"])
    found = read_comparison(current().drained_store(), search, "tags.version", "1", "2", most_read=400)
    assert (found.baseline.count, found.baseline.is_sample) == (1_600, True)
    assert 150 < found.baseline.read < 500
    assert (found.candidate.count, found.candidate.is_sample) == (200, False)
    measures = measures_of(found)
    whole = searched(found.baseline)
    assert measures["error_rate"].baseline.value == whole["failed"].mean()  # known of all
    assert measures["error_rate"].baseline.count == 1_600
    assert measures["p50"].baseline.count == found.baseline.read
    assert measures["p50"].baseline.interval is not None
    interval = measures["p50"].baseline.interval
    assert interval.low <= whole["latency"].median() <= interval.high


def test_traces_that_stand_for_others_have_weighted_numbers_and_no_intervals() -> None:
    keep(*traces({"1": 40}, metadata={WEIGHT: "10"}), *traces({"2": 40}, seed=2))
    keep(*traces({"1": 40}, seed=3))
    found = tracehound.compare_traces("tags.version", "1", "2")
    metrics = ["error_rate", "latency_mean"]
    (row,) = tracehound.trace_stats("tags.version = '1'", metrics=metrics, return_type="list")
    for name in metrics:
        measure = measures_of(found)[name]
        assert measure.baseline.value == pytest.approx(row[name])
        assert (measure.interval, measure.baseline.interval) == (None, None)
        assert "tail sampling" in str(measure.note)


def test_a_trace_with_both_values_in_its_spans_is_on_neither_side() -> None:
    for models in (["a"], ["a"], ["b"], ["a", "b"], ["a", "b"], ["c"]):
        with tracehound.start_span("answer"):
            for model in models:
                with tracehound.start_span("call", attributes={"model": model}):
                    pass
    found = tracehound.compare_traces("span.attributes.model", "a", "b")
    assert (found.baseline.count, found.candidate.count, found.in_both) == (2, 1, 2)


@pytest.mark.parametrize("written", ["3", 3])
def test_a_number_of_a_span_is_found_whether_it_is_written_as_text_or_not(written: str | int) -> None:
    for value in (3, 4, "3"):
        with tracehound.start_span("answer", attributes={"tries": value}):
            pass
    found = tracehound.compare_traces("span.attributes.tries", written, 4)
    assert found.baseline.count == 2
    assert found.candidate.count == 1


def test_a_flag_of_feedback_is_compared_as_true_and_false() -> None:
    for value in (True, True, False):
        with tracehound.start_span("answer") as live:
            pass
        tracehound.log_feedback(trace_id=live.trace_id, name="good", value=value)
    for pair in ((True, False), ("true", "false")):
        found = tracehound.compare_traces("feedback.good", *pair)
        assert (found.baseline.count, found.candidate.count) == (2, 1)


def test_attributes_need_no_prefix_and_numbers_may_be_texts() -> None:
    keep(*traces({"1": 3}))
    assert tracehound.compare_traces("name", "answer", "plan").baseline.count == 3
    assert tracehound.compare_traces("span_count", "1", 2).baseline.count == 3


def test_it_is_a_frame_with_a_row_for_each_measure() -> None:
    keep(*traces({"1": 40, "2": 40}))
    frame = tracehound.compare_traces("tags.version", "1", "2").to_pandas()
    assert list(frame.index) == [
        "error_rate", "p50", "p95", "p99", "latency_mean", "input_tokens", "output_tokens", "cost"
    ]  # fmt: skip
    median = frame.loc["p50"].to_dict()
    assert median["difference"] == median["candidate"] - median["baseline"]
    assert median["low"] < median["difference"] < median["high"]


def test_the_same_is_found_in_the_store_that_says_what_is_right() -> None:
    parts = list(traces({"1": 300, "2": 300}))
    memory = MemoryStore()
    memory.write(parts)
    keep(*parts)
    search = parse_search(["0"])
    found = [read_comparison(each, search, "tags.version", "1", "2") for each in (memory, current().drained_store())]
    assert found[0] == found[1]


def test_what_is_wrong_is_told() -> None:
    with pytest.raises(ArgumentError, match="both values are '1'"):
        tracehound.compare_traces("tags.version", "1", "1")
    with pytest.raises(ArgumentError, match="level is a number"):
        tracehound.compare_traces("tags.version", "1", "2", level=1)
    with pytest.raises(ArgumentError, match=r"a value of tags\.version is a text"):
        tracehound.compare_traces("tags.version", "1", ["2"])  # type: ignore[arg-type]
    with pytest.raises(FilterError, match="by one field"):
        tracehound.compare_traces("tags.a, tags.b", "1", "2")
    with pytest.raises(FilterError, match=r"write attributes\.status"):
        tracehound.compare_traces("attributes.statsu", "OK", "ERROR")
    with pytest.raises(FilterError, match="one of OK, ERROR, IN_PROGRESS"):
        tracehound.compare_traces("status", "OK", "purple")
    with pytest.raises(FilterError, match="many texts"):
        tracehound.compare_traces("trace.text", "a", "b")


def test_none_of_a_spans_attribute_means_that_no_span_has_it() -> None:
    for attributes in ({"model": "a"}, {}, {}):
        with tracehound.start_span("answer"), tracehound.start_span("call", attributes=attributes):
            pass
    found = tracehound.compare_traces("span.attributes.model", "a", None)
    assert (found.baseline.count, found.candidate.count, found.in_both) == (1, 2, 0)
