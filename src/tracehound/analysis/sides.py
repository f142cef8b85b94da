"""The two groups of a comparison: filters that say which traces they are, and what is read of them."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

from tracehound.analysis.measures import ERROR_RATE, Kind, Values
from tracehound.client.pages import once, read_pages
from tracehound.errors import ArgumentError, FilterError
from tracehound.model.record import Record
from tracehound.model.summary import Summary
from tracehound.model.trace import TraceInfo, TraceState
from tracehound.model.weight import WEIGHT, read_weight
from tracehound.query.check import joined, parse_filter
from tracehound.query.fields import ASSESSED, ATTRIBUTES, DURATION, TRACE_ID, Field, Group
from tracehound.query.fields import Kind as FieldKind
from tracehound.query.names import parse_names
from tracehound.query.numbers import number_in
from tracehound.query.resolve import resolve_field
from tracehound.query.search import Search, parse_order
from tracehound.query.statistics import StatisticsQuery
from tracehound.query.tokens import quote
from tracehound.query.tree import Checked, Operator, Or, Test
from tracehound.store.api import Store

MOST_READ: Final = 10_000
_EXAMPLES: Final = 3
_HEX: Final = "0123456789abcdef"
_BOOLEANS: Final = ("true", "false")

ComparedValue: TypeAlias = str | int | float | bool | None


class Example(Record, frozen=True, kw_only=True):
    """A trace to look at, in a few words."""

    trace_id: str
    name: str
    state: str
    request_time_ms: int
    duration_ms: int | None
    request_preview: str | None


class Side(Record, frozen=True, kw_only=True):
    """The traces with one of the two values: how many there are, and of how many the values were read.

    `filter` is true of them, beside the filter of the comparison. Fewer are read than there are where they are a
    random sample. `slowest` and `failing` (the newest) are of all; `typical` are those nearest to the median latency.
    """

    value: ComparedValue
    filter: str
    count: int
    read: int
    slowest: list[Example]
    failing: list[Example]
    typical: list[Example]

    @property
    def is_sample(self) -> bool:
        """Whether there are more than were read."""
        return self.read < self.count


@dataclass(frozen=True)
class Key:
    """What a comparison is by, as it is written in a filter; `is_single` says that a trace has one value at most."""

    text: str
    field: Field

    @property
    def is_single(self) -> bool:
        """Whether no trace can have two values of it."""
        return self.field.group is not Group.SPAN and self.field.group not in ASSESSED

    def equals(self, value: ComparedValue) -> str:
        """Return the filter that is true of the traces with a value; of those without any for None.

        What a text of feedback or of a span means is not known: one that writes a number is compared as either. The
        condition on a span is a scope of its own, so that two of them may be about two spans.
        """
        of_span = self.field.group is Group.SPAN
        if value is None:
            return f"NOT span({self.text} IS NOT NULL)" if of_span else f"{self.text} IS NULL"
        if not isinstance(value, (str, int, float)):
            raise ArgumentError(f"a value of {self.text} is a text, a number, True, False or None, not {value!r}")
        written = " OR ".join(f"{self.text} = {each}" for each in self._written(value))
        return f"span({written})" if of_span else written

    def _written(self, value: str | float | bool) -> list[str]:  # noqa: FBT001 - a value
        kind = self.field.kind
        if isinstance(value, bool):
            return [str(value).upper()]
        if not isinstance(value, str):
            return [quote(str(value)) if kind is FieldKind.TEXT else str(value)]
        is_number = number_in(value) is not None
        if is_number and kind in (FieldKind.NUMBER, FieldKind.TIME):
            return [value]
        if kind is not FieldKind.VALUE:
            return [quote(value)]
        other = [value] if is_number else [value.upper()] if value.lower() in _BOOLEANS else []
        return [quote(value), *other]


@dataclass(frozen=True)
class Drawn:
    """The traces of a side that were read, without spans; and where there are more what all of them add up to."""

    infos: list[TraceInfo]
    whole: Summary | None = None

    @property
    def count(self) -> int:
        """How many traces the side has."""
        return len(self.infos) if self.whole is None else round(self.whole.count)

    @cached_property
    def weights(self) -> list[float] | None:
        """How many traces each that was read stands for; None where it is itself alone."""
        if not any(WEIGHT in each.trace_metadata for each in self.infos):
            return None
        return [read_weight(each.trace_metadata.get(WEIGHT)) for each in self.infos]

    def values(self, kind: Kind) -> Values:
        """Return what the traces have of something. How many have failed is known of all of them."""
        if kind is ERROR_RATE and self.whole is not None and self.weights is None:
            errors = round(self.whole.errors)
            return Values([0.0] * (self.count - errors) + [1.0] * errors)
        weights = self.weights or [1.0] * len(self.infos)
        found = sorted(
            (value, weight)
            for info, weight in zip(self.infos, weights, strict=True)
            if (value := kind.value(info)) is not None
        )
        ordered = [value for value, _ in found]
        return Values(ordered, None if self.weights is None else [weight for _, weight in found])


def parse_key(text: str) -> Key:
    """Return the key that a text names, an attribute also without its prefix; raise `FilterError` for none.

    >>> parse_key("latency").text, parse_key("span.type").is_single
    ('attributes.latency', False)
    """
    names = parse_names(text)
    if len(names) != 1:
        raise FilterError("a comparison is by one field", text, 0, len(text))
    is_bare = len(names[0].parts) == 1 and names[0].parts[0] in ATTRIBUTES
    written = f"{Group.ATTRIBUTES.value}.{text.strip()}" if is_bare else text.strip()
    field = ATTRIBUTES[names[0].parts[0]] if is_bare else resolve_field(names[0], text)
    if field.kind is FieldKind.TEXTS:
        raise FilterError("a trace has many texts: compare by what it has one of", text, names[0].start, names[0].end)
    return Key(written, field)


def draw(store: Store, search: Search, most_read: int) -> Drawn:
    """Read the traces of a search; where they are more than `most_read`, a random part of them.

    Chance is that of the trace ids: those that end in certain digits are read, which says nothing of anything else.
    """
    whole = count(store, search)
    most = 2 * most_read  # whatever chance brings, and whatever comes meanwhile
    if whole.count <= most_read:
        return Drawn(_read(store, search, most))
    return Drawn(_read(store, search.narrowed(_ending(most_read / whole.count)), most), whole)


def count(store: Store, search: Search) -> Summary:
    """Return how many traces of a search there are, and how many of them have failed."""
    found = store.statistics(StatisticsQuery(search, wanted=frozenset()))
    return found.get((), Summary())


def narrowed(search: Search, filter_string: str) -> Search:
    """Return the search for those of its traces that a filter is true of, too."""
    return search.narrowed(parse_filter(filter_string, search.now_ms))


def describe(
    store: Store, search: Search, value: ComparedValue, filter_string: str, drawn: Drawn, median: float
) -> Side:
    """Return a side with traces to look at; the search is that of the side."""
    failing = search.narrowed(Test(ATTRIBUTES["status"], Operator.EQ, TraceState.ERROR.value))
    slowest = dataclasses.replace(search, order=parse_order([f"{DURATION.name} DESC"]))
    ended = [each for each in drawn.infos if each.execution_duration is not None and each.state is TraceState.OK]
    ended.sort(key=lambda each: (abs((each.execution_duration or 0) - median), -each.request_time, each.trace_id))
    return Side(
        value=value,
        filter=filter_string,
        count=drawn.count,
        read=len(drawn.infos),
        slowest=[_example(each) for each in _read(store, slowest, _EXAMPLES) if each.execution_duration is not None],
        failing=[_example(each) for each in _read(store, failing, _EXAMPLES)],
        typical=[_example(each) for each in ended[:_EXAMPLES]],
    )


def _read(store: Store, search: Search, most: int) -> list[TraceInfo]:
    pages = once(read_pages(store, search, most, include_spans=False))
    return [trace.info for page in pages for trace in page]


def _ending(share: float) -> Checked:
    """Return the condition that picks about such a share of all traces, or half of it at least, by their ids."""
    digits = max(1, math.ceil(-math.log(share, 16)))
    endings = [f"{last}{'0' * (digits - 1)}" for last in _HEX[: max(1, int(share * 16**digits))]]
    tests: list[Checked] = [Test(TRACE_ID, Operator.LIKE, f"%{each}") for each in endings]
    return joined(Or, tests)


def _example(info: TraceInfo) -> Example:
    return Example(
        trace_id=info.trace_id, name=info.name, state=info.state.value, request_time_ms=info.request_time,
        duration_ms=info.execution_duration, request_preview=info.request_preview,
    )  # fmt: skip
