"""Access paths: what an index knows of a filter, before any trace is looked at.

A condition that the filter joins by AND narrows the traces to those that it can be true of. An index leads to these
where the condition compares what the index has: terms, durations, ids. A path leads to every trace that its condition
is true of and maybe to others; one that is exact leads to no others, so that its condition needs no second look.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

from tracehound.model.record import from_json
from tracehound.query.fields import (
    ASSESSED,
    DURATION,
    SPAN_DURATION,
    SPAN_NAME,
    TIMESTAMP,
    TRACE_ID,
    Field,
    Group,
    Kind,
)
from tracehound.query.needles import Needles, needles_of
from tracehound.query.passing import passes_any
from tracehound.query.search import Search
from tracehound.query.span_terms import key_of_span, keys_above, long_term, may_last, needs_spans, terms_of_test
from tracehound.query.terms import durations_of, is_indexed, key_of, term
from tracehound.query.tree import And, Checked, Not, Operator, Or, Scope, Test

# The values of a key are looked through for those that a comparison is true of. Where they are many, some of them tell
# first whether that is worth it: what is true of more than one in a hundred is soon found trace by trace.
SAMPLE: Final = 2_000
MAX_VALUES: Final = 200_000
_WORTH_IT: Final = 0.01
MAX_TERMS: Final = 10_000
MAX_DURATIONS: Final = 100  # terms; there are 64 at most
# Conditions that an OR joins, and that AND joins, for which that is done: each costs a look at every value.
_MAX_LOOKED_THROUGH: Final = 8
_FAR: Final = 2**62  # beyond every time and duration, within what SQLite takes as a whole number

# The terms of a key with the values they stand for (None for the term of long values), in an order that has nothing to
# do with the values, up to a number.
ReadTerms: TypeAlias = Callable[[Group, str, int], "Sequence[tuple[int, str | None]]"]


@dataclass(frozen=True)
class Range:
    """Whole numbers from `low` to `high`, both included; None where there is no end."""

    low: int | None = None
    high: int | None = None

    def narrowed(self, other: Range) -> Range:
        """Return what lies in both."""
        lows = [low for low in (self.low, other.low) if low is not None]
        highs = [high for high in (self.high, other.high) if high is not None]
        return Range(max(lows, default=None), min(highs, default=None))


EVER: Final = Range()


@dataclass(frozen=True)
class ByTerms:
    """The traces that have one of the terms. No terms: no trace."""

    condition: Checked
    terms: tuple[int, ...]
    is_exact: bool


@dataclass(frozen=True)
class ByDuration:
    """The traces whose duration in ms lies in a range."""

    condition: Checked
    range: Range
    is_exact: ClassVar[bool] = True


@dataclass(frozen=True)
class ByTraceId:
    """The traces that are named."""

    condition: Checked
    trace_ids: tuple[str, ...]
    is_exact: ClassVar[bool] = True


@dataclass(frozen=True)
class ByWords:
    """The traces that may have the texts of a condition, by the numbers that the store has found for them."""

    condition: Checked
    needles: Needles
    seqs: tuple[int, ...] = ()
    is_exact: ClassVar[bool] = False


@dataclass(frozen=True)
class InOrder:
    """All traces, one after the other in the order of the search."""


Narrowing: TypeAlias = ByTerms | ByDuration | ByTraceId | ByWords
Path: TypeAlias = Narrowing | InOrder


@dataclass(frozen=True)
class Plan:
    """The path that a search takes, and when the traces began that are worth a look, in ms since the epoch.

    `edge` is what the page ends with of the first key of the order, where it is known; `segments` are those of the
    indexes that are made of such, from which the traces come.
    """

    path: Path
    times: Range
    edge: float | None = None
    segments: tuple[int, ...] = (0,)


def conjuncts(where: Checked | None) -> tuple[Checked, ...]:
    """Return the conditions of which a trace has to meet every one."""
    if where is None:
        return ()
    return where.children if isinstance(where, And) else (where,)


def time_range(search: Search) -> Range:
    """Return when the traces of a page began, in ms since the epoch: by the filter, and by where the page begins."""
    found = Range()
    for each in conjuncts(search.where):
        found = found.narrowed(_range_of(each, TIMESTAMP))
    first = search.order[0]
    if search.after is not None and first.field == TIMESTAMP and isinstance(search.after[0], int):
        found = found.narrowed(Range(high=search.after[0]) if first.descending else Range(low=search.after[0]))
    return found


def find_paths(where: Checked | None, read_terms: ReadTerms) -> Iterator[Narrowing]:
    """Yield the paths that a filter offers, those first that are soon asked about."""
    about_duration = tuple(each for each in conjuncts(where) if _range_of(each, DURATION) != EVER)
    if about_duration:
        durations = functools.reduce(Range.narrowed, (_range_of(each, DURATION) for each in about_duration))
        condition = about_duration[0] if len(about_duration) == 1 else And(about_duration)
        yield ByDuration(condition, durations)
        yield _by_terms(condition, _terms_of_durations(durations, read_terms))
    later: list[Checked] = []
    for each in conjuncts(where):
        if each in about_duration:
            continue
        trace_ids = _trace_ids(each)
        terms = _known_terms(each)
        if isinstance(each, Scope):
            yield from (_by_terms(each, found) for found in _terms_of_scope(each, read_terms))
        elif trace_ids is not None:
            yield ByTraceId(each, tuple(dict.fromkeys(trace_ids)))
        elif terms is not None:
            yield _by_terms(each, terms)
        else:
            later.append(each)
    for each in later[:_MAX_LOOKED_THROUGH]:
        terms = _terms_of(each, read_terms)
        if terms is not None:
            yield _by_terms(each, terms)
    with_words = tuple(each for each in conjuncts(where) if needles_of(each) is not None)
    if with_words:
        condition = with_words[0] if len(with_words) == 1 else And(with_words)
        yield ByWords(condition, needles_of(condition) or ())


# Terms, and whether they lead to nothing but traces that the condition is true of.
_Terms: TypeAlias = "tuple[list[int], bool]"


def _by_terms(condition: Checked, terms: _Terms) -> ByTerms:
    numbers, is_exact = terms
    return ByTerms(condition, tuple(dict.fromkeys(numbers)), is_exact)


def has_known_terms(condition: Checked) -> bool:
    """Whether the terms of a condition are known without a look at the values of its keys."""
    return _known_terms(condition) is not None


def _known_terms(node: Checked) -> _Terms | None:
    """Return the terms of a condition that compares with `=` only."""
    return _terms_of(node, None)


def _terms_of(node: Checked, read_terms: ReadTerms | None) -> _Terms | None:
    """Return the terms that lead to every trace a condition is true of; None where there are none such."""
    if isinstance(node, Not) or (isinstance(node, Test) and node.field.kind is Kind.TEXTS):
        return None
    if isinstance(node, Scope):
        return next(_terms_of_scope(node, read_terms), None)
    if isinstance(node, And):
        found = next((terms for child in node.children if (terms := _terms_of(child, read_terms))), None)
        return None if found is None else (found[0], False)
    if isinstance(node, Or):
        return _terms_of_any(node, read_terms)
    if read_terms is not None and (durations := _range_of(node, DURATION)) != EVER:
        return _terms_of_durations(durations, read_terms)
    key = key_of(node.field)
    if key is None or node.operator is Operator.IS_NULL:
        return None
    if node.operator is Operator.EQ and isinstance(node.value, str) and node.field.group not in ASSESSED:
        is_exact = is_indexed(*key, node.value)
        return [term(*key, node.value if is_exact else None)], is_exact
    return None if read_terms is None else _terms_that_pass(node, key, read_terms)


def _terms_of_durations(wanted: Range, read_terms: ReadTerms) -> _Terms:
    """Return the terms of the powers of two in which durations of a range lie."""
    low = 0 if wanted.low is None else wanted.low
    high = _FAR if wanted.high is None else wanted.high
    numbers: list[int] = []
    is_exact = True
    for number, value in read_terms(DURATION.group, DURATION.name, MAX_DURATIONS):
        least, greatest = durations_of(value or "")
        if least <= high and low <= greatest:
            numbers.append(number)
            is_exact = is_exact and low <= least and greatest <= high
    return numbers, is_exact


def _terms_of_scope(scope: Scope[Test], read_terms: ReadTerms | None) -> Iterator[_Terms]:
    """Yield the terms that each of the conditions of its spans offers."""
    if not needs_spans(scope):
        return
    is_whole = not scope.steps and scope.count is None
    for condition in scope.conditions:
        if read_terms is not None and (slow := _terms_of_slow(conjuncts(condition), read_terms)) is not None:
            yield slow
        for test in conjuncts(condition):
            found = _terms_of_span(test, read_terms)
            if found is not None:
                yield found[0], found[1] and is_whole and test == scope.condition


def _terms_of_slow(conditions: Sequence[Checked], read_terms: ReadTerms) -> _Terms | None:
    """Return the terms that lead to spans of which a comparison of durations may be true, of their name if it is said.

    The name is a part of what the terms stand for: how long something takes depends on what it is.
    """
    tests = [each for each in conditions if isinstance(each, Test)]
    name = next((each.value for each in tests if each.field == SPAN_NAME and each.operator is Operator.EQ), None)
    about = next((each for each in tests if each.field == SPAN_DURATION and each.operator in _RANGES), None)
    if about is None:
        return None
    known = read_terms(Group.SPAN, SPAN_DURATION.name, MAX_TERMS)
    if len(known) == MAX_TERMS:
        return None
    return [number for number, value in known if may_last(about, value, None if name is None else str(name))], False


def _terms_of_span(node: Checked, read_terms: ReadTerms | None) -> _Terms | None:
    """Return the terms that lead to every trace with a span of which a condition is true."""
    if isinstance(node, Or):
        found = [_terms_of_span(child, read_terms) for child in node.children]
        known = [each for each in found if each is not None]
        numbers = [number for each in known for number in each[0]]
        is_exact = all(each[1] for each in known)
        return (numbers, is_exact) if len(known) == len(found) and len(numbers) <= MAX_TERMS else None
    if isinstance(node, And):
        found_of_one = next((each for child in node.children if (each := _terms_of_span(child, read_terms))), None)
        return None if found_of_one is None else (found_of_one[0], False)
    if not isinstance(node, Test):
        return None
    terms = terms_of_test(node)
    if terms is not None:
        return list(terms.possible), terms.are_exact
    key = key_of_span(node.field)
    if key is None or read_terms is None or node.operator is Operator.IS_NULL:
        return None
    if any(isinstance(each.value, bool) for each in node.parts):
        return None
    passing = _terms_that_pass(node, (Group.SPAN, key), read_terms)
    if passing is None:
        return None
    return [*passing[0], *(long_term(each).number for each in keys_above(node.field))], False


def _terms_of_any(node: Or[Test], read_terms: ReadTerms | None) -> _Terms | None:
    """Return the terms of all alternatives, if each of them has terms."""
    numbers: list[int] = []
    is_exact = True
    looked_through = 0
    for child in node.children:
        terms = _terms_of(child, None)
        if terms is None and read_terms is not None and looked_through < _MAX_LOOKED_THROUGH:
            looked_through += 1
            terms = _terms_of(child, read_terms)
        if terms is None:
            return None
        numbers += terms[0]
        is_exact = is_exact and terms[1]
    return None if len(numbers) > MAX_TERMS else (numbers, is_exact)


def _terms_that_pass(test: Test, key: tuple[Group, str], read_terms: ReadTerms) -> _Terms | None:
    """Return the terms of the values that a comparison is true of; long values are looked at in the trace."""
    known = read_terms(*key, SAMPLE)
    numbers = _passing(test, known)
    if len(known) == SAMPLE:
        if len(numbers) > SAMPLE * _WORTH_IT:
            return None
        known = read_terms(*key, MAX_VALUES)
        numbers = _passing(test, known)
    if len(known) == MAX_VALUES or len(numbers) > MAX_TERMS:
        return None
    return numbers, all(value is not None for _, value in known)


def _passing(test: Test, known: Sequence[tuple[int, str | None]]) -> list[int]:
    is_json = test.field.group in ASSESSED
    return [
        number for number, value in known if value is None or passes_any(test, [from_json(value) if is_json else value])
    ]


def _trace_ids(node: Checked) -> list[str] | None:
    """Return the ids that a condition allows, if it names them."""
    if isinstance(node, Or):
        found = [_trace_ids(child) for child in node.children]
        return None if None in found else [each for ids in found for each in ids or ()]
    if isinstance(node, Test) and node.field == TRACE_ID and node.operator is Operator.EQ:
        return [str(node.value)]
    return None


def _range_of(node: Checked, field: Field) -> Range:
    """Return in which range a condition wants the field: everywhere, where it does not speak of that field alone."""
    if not isinstance(node, Test) or node.field != field or node.operator not in _RANGES:
        return Range()
    assert isinstance(node.value, (int, float))  # noqa: S101 - checked: these fields compare with numbers only
    return _RANGES[node.operator](min(max(node.value, -_FAR), _FAR))


_RANGES: Final[dict[Operator, Callable[[float], Range]]] = {
    Operator.EQ: lambda value: Range(math.ceil(value), math.floor(value)),
    Operator.GE: lambda value: Range(low=math.ceil(value)),
    Operator.GT: lambda value: Range(low=math.floor(value) + 1),
    Operator.LE: lambda value: Range(high=math.floor(value)),
    Operator.LT: lambda value: Range(high=math.ceil(value) - 1),
}
