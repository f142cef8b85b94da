"""Two groups of traces that differ in the value of one key, compared: what `tracehound.compare_traces` gives.

Each group is a filter of the language, so that whoever doubts a number can search for the same traces. Values are those
of the traces themselves; of a group larger than `MOST_READ` they are those of a random sample, and it says so.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tracehound.analysis.distribution import Distribution, distribute
from tracehound.analysis.intervals import Interval
from tracehound.analysis.measures import KINDS, MEDIAN, Measure, levels_for
from tracehound.analysis.sides import MOST_READ, ComparedValue, Side, count, describe, draw, narrowed, parse_key
from tracehound.client.arguments import check_search
from tracehound.errors import ArgumentError
from tracehound.model.record import Record, short_repr
from tracehound.query.limit import SearchLimit, to_limit
from tracehound.query.search import Search
from tracehound.runtime import current
from tracehound.store.api import Store

if TYPE_CHECKING:
    from tracehound.client.comparison_frame import ComparisonFrame


class Comparison(Record, frozen=True, kw_only=True):
    """What is known of two values of a key; differences are those of the candidate from the baseline.

    `level` is that of each side's intervals, and the one at which those of all differences hold together; each of these
    is one at `difference_level`. `in_both` counts traces with both values, which are on neither side.
    """

    by: str
    level: float
    difference_level: float
    baseline: Side
    candidate: Side
    in_both: int
    measures: list[Measure]
    distribution: Distribution | None

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        different = [each.name for each in self.measures if each.differs]
        sides = [("baseline", self.baseline.value), ("candidate", self.candidate.value)]
        return [("by", self.by), *sides, ("differs", different)]

    __repr__ = short_repr

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the measures as plain values, a dictionary each."""
        return [_row(each) for each in self.measures]

    def to_pandas(self) -> ComparisonFrame:
        """Return the measures as a DataFrame, a row each, with their names as the index. Needs pandas."""
        from tracehound.client.comparison_frame import to_comparison_frame

        return to_comparison_frame(self.to_rows())


def compare_traces(
    by: str,
    baseline: ComparedValue,
    candidate: ComparedValue,
    filter_string: str | None = None,
    *,
    experiment_ids: Sequence[str] | None = None,
    locations: Sequence[str] | None = None,
    level: float = 0.95,
    timeout: float | SearchLimit | None = None,
) -> Comparison:
    """Return how the traces with one value of a key differ from those with another, and how sure that is.

    `by` is anything that a filter can test: a tag, metadata, an attribute, feedback, or something of a span, such as
    `tags.app_version`, ``metadata.`mlflow.source.git.commit` `` or ``span.attributes.`mlflow.llm.model` ``. None as a
    value means the traces that lack it. The filter narrows both sides.

    Compared are `error_rate` (of all traces, 0 to 1), the latencies `p50`, `p95`, `p99` and `latency_mean` in
    milliseconds, and the means of a trace's `input_tokens`, `output_tokens` and `cost` (US dollars), each of the traces
    that have it. Intervals: of a rate Wilson's, of a percentile order statistics, of a mean Student's; of differences
    square-and-add (Newcombe) and Welch's. Those of the differences hold all together at `level`: what `differs` is not
    one of many that chance had to bring. Where there are too few traces for an interval there is none, and `note` says
    how many it takes. Of more than 10,000 traces of a side a random sample is read (`is_sample`).

    The intervals take traces for independent of each other: where one user or session made most of a side, they are
    too narrow. `timeout` is that of `search_traces`. Raises `FilterError` for a filter or a key that is none, and
    `ArgumentError` for any other argument.

    >>> import tracehound
    >>> for version in ("1", "2", "2"):
    ...     with tracehound.start_span("answer"):
    ...         tracehound.update_current_trace(tags={"version": version})
    >>> found = tracehound.compare_traces("tags.version", "1", "2")
    >>> found.baseline.count, found.candidate.count, found.measures[0].name, found.measures[0].difference
    (1, 2, 'error_rate', 0.0)
    >>> found.measures[0].note
    'too few: it takes 10 traces with a value on each side, and the baseline has 1 and the candidate has 2'
    """
    runtime = current()
    search = check_search(runtime, experiment_ids, filter_string, None, None, locations)
    search = dataclasses.replace(search, time_limit=to_limit(timeout))
    return read_comparison(runtime.drained_store(), search, by, baseline, candidate, level)


def read_comparison(
    store: Store,
    search: Search,
    by: str,
    baseline: ComparedValue,
    candidate: ComparedValue,
    level: float = 0.95,
    *,
    most_read: int = MOST_READ,
) -> Comparison:
    """Return the comparison of two values among the traces of a search; see `compare_traces`."""
    if type(level) is not float or not 0.5 <= level < 1:
        raise ArgumentError(f"level is a number from 0.5 up to below 1, such as 0.95, not {level!r}")
    if (type(baseline), baseline) == (type(candidate), candidate):
        raise ArgumentError(f"both values are {baseline!r}: compare two different ones")
    key = parse_key(by)
    plain = [key.equals(value) for value in (baseline, candidate)]
    filters = plain if key.is_single else [f"({one}) AND NOT ({other})" for one, other in (plain, plain[::-1])]
    searches = [narrowed(search, each) for each in filters]
    drawn = [draw(store, each, most_read) for each in searches]
    levels = levels_for(level)
    measures = [kind.measure(drawn[0].values(kind), drawn[1].values(kind), levels) for kind in KINDS]
    latencies = [each.values(MEDIAN) for each in drawn]
    sides = [
        describe(store, one_search, value, text, read, MEDIAN.method.estimate(ended) if ended.ordered else math.nan)
        for one_search, value, text, read, ended in zip(
            searches, (baseline, candidate), filters, drawn, latencies, strict=True
        )
    ]
    in_both = 0 if key.is_single else round(count(store, narrowed(search, f"({plain[0]}) AND ({plain[1]})")).count)
    return Comparison(
        by=key.text,
        level=level,
        difference_level=levels.difference,
        baseline=sides[0],
        candidate=sides[1],
        in_both=in_both,
        measures=measures,
        distribution=distribute(*(each.ordered for each in latencies)),
    )


def _row(measure: Measure) -> dict[str, Any]:
    return {
        "measure": measure.name,
        "unit": measure.unit,
        **_ends("baseline_", measure.baseline.interval, baseline=measure.baseline.value),
        "baseline_count": measure.baseline.count,
        **_ends("candidate_", measure.candidate.interval, candidate=measure.candidate.value),
        "candidate_count": measure.candidate.count,
        **_ends("", measure.interval, difference=measure.difference),
        "differs": measure.differs,
        "note": measure.note,
        "method": measure.method,
    }


def _ends(prefix: str, interval: Interval | None, **value: float | None) -> dict[str, float | None]:
    """Return a number, and the ends of its interval behind it."""
    low, high = (None, None) if interval is None else (interval.low, interval.high)
    return {**value, f"{prefix}low": low, f"{prefix}high": high}
